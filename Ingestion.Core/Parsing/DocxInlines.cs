using System.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Wordprocessing;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Writes what stands inside of Word paragraphs: runs with emphasis, hyperlinks of both kinds, formulas, references to notes.
/// Tracked deletions are left out. Text boxes and charts met on the way are set aside for the block level.
/// </summary>
internal sealed class DocxInlines(MainDocumentPart main, LinkList links)
{
    private readonly List<OpenXmlElement> _asides = [];
    private readonly List<string> _charts = [];
    private readonly List<(string Mark, OpenXmlElement Note)> _notes = [];

    private LinkList Links { get; } = links;

    private MainDocumentPart Main { get; } = main;

    /// <summary>A paragraph's content as inline Markdown.</summary>
    public string Text(OpenXmlElement paragraph)
    {
        var writer = new Writer(this, formatted: true);
        writer.Children(paragraph);
        return writer.End();
    }

    /// <summary>A paragraph's text without any markup, for code.</summary>
    public string Plain(OpenXmlElement paragraph)
    {
        var writer = new Writer(this, formatted: false);
        writer.Children(paragraph);
        TakeAsides();
        TakeCharts();
        return writer.End();
    }

    public IReadOnlyList<OpenXmlElement> TakeAsides() => Take(_asides);

    public IReadOnlyList<string> TakeCharts() => Take(_charts);

    public IReadOnlyList<(string Mark, OpenXmlElement Note)> Notes() => Take(_notes);

    /// <summary>One of the alternatives that hold the same content for newer and older programs.</summary>
    public static IEnumerable<OpenXmlElement> Chosen(OpenXmlElement alternatives)
    {
        var choice = alternatives.ChildElements.FirstOrDefault(c => c.LocalName == "Choice");
        var fallback = alternatives.ChildElements.FirstOrDefault(c => c.LocalName == "Fallback");
        var best = choice is null || choice.InnerText.Length == 0 && fallback?.InnerText.Length > 0 && !choice.Descendants().Any(d => d.LocalName is "chart" or "relIds") ? fallback : choice;
        return best?.ChildElements ?? Enumerable.Empty<OpenXmlElement>();
    }

    private static List<T> Take<T>(List<T> from)
    {
        var taken = new List<T>(from);
        from.Clear();
        return taken;
    }

    private string? Target(Hyperlink link) =>
        link.Id?.Value is { } id && Main.HyperlinkRelationships.FirstOrDefault(r => r.Id == id) is { } relation ? relation.Uri.OriginalString : null;

    private void Reference(StringBuilder result, string kind, string? id)
    {
        OpenXmlElement? note = kind == "footnoteReference"
            ? Main.FootnotesPart?.Footnotes?.Elements<Footnote>().FirstOrDefault(f => f.Id?.InnerText == id)
            : Main.EndnotesPart?.Endnotes?.Elements<Endnote>().FirstOrDefault(f => f.Id?.InnerText == id);
        if (note is null) return;
        var mark = (kind == "footnoteReference" ? "" : "e") + id;
        if (!_notes.Exists(n => n.Mark == mark)) _notes.Add((mark, note));
        result.Append($"[^{mark}]");
    }

    private sealed class Writer(DocxInlines owner, bool formatted)
    {
        private readonly StringBuilder _result = new();
        private readonly StringBuilder _styled = new();
        private (bool Bold, bool Italic, bool Struck) _style;
        private readonly StringBuilder _instruction = new();
        private int _field, _link = -1;
        private string? _target;

        public string End()
        {
            EndStyle();
            EndLink();
            return _result.ToString();
        }

        public void Children(OpenXmlElement parent)
        {
            foreach (var child in parent.ChildElements) Element(child);
        }

        private void Element(OpenXmlElement element)
        {
            switch (element.LocalName)
            {
                case "pPr" or "rPr" or "sdtPr" or "del" or "moveFrom" or "delText" or "commentReference" or "annotationRef": break;
                case "r": Run(element); break;
                case "t": Write(element.InnerText); break;
                case "tab" or "ptab": Write(formatted ? " " : "\t"); break;
                case "br" or "cr": Break(element); break;
                case "rt" when element.InnerText.Length > 0: Reading(element); break;
                case "noBreakHyphen": Write("-"); break;
                case "sym": Write("•"); break;
                case "hyperlink" when element is Hyperlink link: Linked(link); break;
                case "oMath" or "oMathPara": EndStyle(); _result.Append(DocxMath.Inline(element)); break;
                case "footnoteReference" or "endnoteReference":
                    EndStyle();
                    if (formatted) owner.Reference(_result, element.LocalName, element.GetAttributes().FirstOrDefault(a => a.LocalName == "id").Value);
                    break;
                case "fldChar": Field(element.GetAttributes().FirstOrDefault(a => a.LocalName == "fldCharType").Value); break;
                case "instrText": if (_field == 1) _instruction.Append(element.InnerText); break;
                case "AlternateContent": foreach (var child in Chosen(element)) Element(child); break;
                case "txbxContent": owner._asides.AddRange(element.ChildElements); break;
                case "chart": DocxCharts.Add(owner.Main, element, owner._charts); break;
                case "relIds": DocxCharts.AddDiagram(owner.Main, element, owner._charts); break;
                case "docPr": Description(element); break;
                default: Children(element); break;
            }
        }

        private void Run(OpenXmlElement run)
        {
            var properties = (run as Run)?.RunProperties;
            if (properties?.Vanish is { } hidden && On(hidden)) return;
            var style = formatted ? (On(properties?.Bold), On(properties?.Italic), On(properties?.Strike)) : default;
            if (style != _style) { EndStyle(); _style = style; }
            Children(run);
        }

        /// <summary>A phonetic guide stands before the signs it is for: both are what a reader may search.</summary>
        private void Reading(OpenXmlElement guide)
        {
            Write("(");
            Children(guide);
            Write(")");
        }

        private static bool On(OnOffType? value) => value is not null && (value.Val?.Value ?? true);

        private void Write(string text)
        {
            if (_field == 1 || text.Length == 0) return;
            if (formatted) MarkdownText.Escape(_styled, text);
            else _styled.Append(text);
        }

        private void Break(OpenXmlElement element)
        {
            if ((element as Break)?.Type?.Value is { } type && type != BreakValues.TextWrapping) return;
            var style = _style;
            EndStyle();
            _result.Append(formatted ? "  \n" : "\n");
            _style = style;
        }

        private void EndStyle()
        {
            var text = _styled.ToString();
            _styled.Clear();
            if (_style.Bold) text = MarkdownText.Wrap("**", text);
            if (_style.Italic) text = MarkdownText.Wrap("*", text);
            if (_style.Struck) text = MarkdownText.Wrap("~~", text);
            _result.Append(text);
            _style = default;
        }

        private void Linked(Hyperlink link)
        {
            EndStyle();
            var start = _result.Length;
            Children(link);
            EndStyle();
            Enclose(start, owner.Target(link));
        }

        /// <summary>Older links are fields: an instruction, a separator, the text shown, an end.</summary>
        private void Field(string? type)
        {
            if (type == "begin") { EndStyle(); _field = 1; _instruction.Clear(); }
            else if (type == "separate" && _field == 1)
            {
                _field = 2;
                var words = _instruction.ToString().Trim();
                if (!words.StartsWith("HYPERLINK", StringComparison.OrdinalIgnoreCase) || words.Contains("\\l", StringComparison.Ordinal)) return;
                EndLink();
                (_link, _target) = (_result.Length, words.Split('"') is { Length: > 1 } quoted ? quoted[1] : null);
            }
            else if (type == "end") { EndStyle(); EndLink(); _field = 0; }
        }

        private void EndLink()
        {
            if (_link >= 0) Enclose(_link, _target);
            _link = -1;
        }

        private void Enclose(int start, string? href)
        {
            var text = _result.ToString(start, _result.Length - start);
            if (!formatted || text.Trim().Length == 0 || owner.Links.Add(href, text) is not { } target) return;
            _result.Length = start;
            _result.Append(MarkdownText.Link(text, target));
        }

        /// <summary>A picture's alternative text is text; the names that Word gives by itself are not in it.</summary>
        private void Description(OpenXmlElement properties)
        {
            var text = properties.GetAttributes().FirstOrDefault(a => a.LocalName == "descr").Value;
            if (string.IsNullOrWhiteSpace(text) || text.Length > 2_000) return;
            Write(" [" + CleanText.Fold(text) + "] ");
        }
    }
}

using System.Text;
using AngleSharp.Dom;

namespace Ingestion.Core.Parsing;

/// <summary>Writes the inline content of HTML: text with blanks folded, emphasis, code, links, images' alternative texts, formulas.</summary>
internal sealed class MarkdownInlines(LinkList links)
{
    private const int DeepestNesting = 120;
    private int _depth;

    public void AppendChildren(StringBuilder result, INode parent)
    {
        foreach (var child in parent.ChildNodes) Append(result, child);
    }

    public void Append(StringBuilder result, INode node)
    {
        if (node is IText text) { AppendText(result, text.Data); return; }
        if (node is not IElement element) return;
        if (_depth >= DeepestNesting) { AppendText(result, element.TextContent); return; }
        _depth++;
        AppendElement(result, element);
        _depth--;
    }

    private void AppendElement(StringBuilder result, IElement element)
    {
        switch (element.LocalName)
        {
            case "br": result.Append("  \n"); break;
            case "wbr" or "head" or "title" or "meta" or "link" or "svg" or "video" or "audio": break;
            case "button" when element.ParentElement is not { LocalName: ['h', >= '1' and <= '6'] }: break;
            case "img": Image(result, element); break;
            case "math": Formula(result, element); break;
            case "code" or "kbd" or "samp" or "tt": Spaced(result, element.TextContent, MarkdownText.Code(CleanText.Fold(element.TextContent))); break;
            case "strong" or "b": result.Append(MarkdownText.Wrap("**", Inner(element))); break;
            case "em" or "i": result.Append(MarkdownText.Wrap("*", Inner(element))); break;
            case "del" or "s" or "strike": result.Append(MarkdownText.Wrap("~~", Inner(element))); break;
            case "q": result.Append('“').Append(Inner(element)).Append('”'); break;
            case "a": Anchor(result, element); break;
            // Only met inside of cells and headings, where everything stands on one line.
            case "p" or "div" or "li" or "dt" or "dd" or "tr" or "td" or "th" or "ul" or "ol" or "section" or "pre" or "blockquote":
                Blank(result);
                AppendChildren(result, element);
                Blank(result);
                break;
            default: AppendChildren(result, element); break;
        }
    }

    private static void AppendText(StringBuilder result, string data)
    {
        var folded = new StringBuilder(data.Length);
        foreach (var c in data)
            if (c is not (' ' or '\t' or '\n' or '\r' or '\f')) folded.Append(c);
            else if (folded.Length > 0 ? folded[^1] != ' ' : result.Length == 0 || result[^1] is not (' ' or '\n')) folded.Append(' ');
        MarkdownText.Escape(result, folded.ToString());
    }

    private string Inner(IElement element)
    {
        var inner = new StringBuilder();
        AppendChildren(inner, element);
        return inner.ToString();
    }

    private void Anchor(StringBuilder result, IElement element)
    {
        var text = Inner(element);
        // Headings carry marks that link to themselves.
        if (text.Trim() is "¶" or "#" or "§" or "🔗") return;
        var target = text.Trim().Length == 0 ? null : links.Add(element.GetAttribute("href"), element.TextContent);
        result.Append(target is null ? text : MarkdownText.Link(text, target));
    }

    private void Image(StringBuilder result, IElement element)
    {
        var alt = CleanText.Fold(element.GetAttribute("alt") ?? "");
        if (alt.Length == 0) return;
        var escaped = new StringBuilder();
        MarkdownText.Escape(escaped, alt);
        var source = links.Resolve(element.GetAttribute("src"));
        result.Append(source is null ? escaped.ToString() : $"![{escaped}]({source})");
    }

    private static void Formula(StringBuilder result, IElement element)
    {
        var tex = element.GetElementsByTagName("annotation").FirstOrDefault(a => a.GetAttribute("encoding") is "application/x-tex")?.TextContent
            ?? element.GetAttribute("alttext");
        result.Append(string.IsNullOrWhiteSpace(tex) ? CleanText.Fold(element.TextContent) : $"${CleanText.Fold(tex)}$");
    }

    private static void Spaced(StringBuilder result, string original, string written)
    {
        if (written.Length == 0) return;
        if (char.IsWhiteSpace(original[0])) Blank(result);
        result.Append(written);
        if (char.IsWhiteSpace(original[^1])) result.Append(' ');
    }

    private static void Blank(StringBuilder result)
    {
        if (result.Length > 0 && result[^1] is not (' ' or '\n')) result.Append(' ');
    }
}

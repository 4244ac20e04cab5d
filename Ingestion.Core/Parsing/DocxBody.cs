using System.Text;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Wordprocessing;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>Writes a Word body's blocks as Markdown: headings, paragraphs, lists, code, tables, and the notes at the end.</summary>
internal sealed class DocxBody(MainDocumentPart main, LinkList links, long maxCharacters)
{
    private readonly StringBuilder _out = new();
    private readonly DocxStyles _styles = new(main);
    private readonly DocxNumbering _numbering = new(main);
    private readonly DocxInlines _inlines = new(main, links);
    private readonly List<string> _code = [];
    private bool _inList;
    private int _listBase;

    public string? Title { get; private set; }

    public string Markdown { get { EndCode(); return _out.ToString(); } }

    public void Add(OpenXmlElement block)
    {
        switch (block.LocalName)
        {
            case "p" when block is Paragraph paragraph: AddParagraph(paragraph); break;
            case "tbl": AddTable(block); break;
            case "oMathPara" or "oMath": Emit(DocxMath.Inline(block)); break;
            // Moved-away text stands again where it was moved to.
            case "del" or "moveFrom" or "sectPr" or "sdtPr" or "sdtEndPr" or "customXmlPr": break;
            case "AlternateContent": foreach (var child in DocxInlines.Chosen(block)) Add(child); break;
            default: foreach (var child in block.ChildElements) Add(child); break;
        }
    }

    /// <summary>Footnotes and endnotes that the text refers to, as Markdown footnotes.</summary>
    public void AddNotes()
    {
        foreach (var (mark, note) in _inlines.Notes())
        {
            var text = string.Join(" ", note.Descendants<Paragraph>().Select(p => CleanText.Fold(_inlines.Text(p)))).Trim();
            if (text.Length > 0) Emit($"[^{mark}]: {text}");
        }
    }

    private void AddParagraph(Paragraph paragraph)
    {
        var text = _inlines.Text(paragraph);
        var aside = _inlines.TakeAsides();
        if (_styles.IsCode(paragraph) && _styles.Level(paragraph) is null)
        {
            _code.Add(paragraph.InnerText.Length == 0 ? "" : _inlines.Plain(paragraph));
        }
        else if (CleanText.Fold(text).Length > 0)
        {
            if (_styles.Level(paragraph) is { } level) AddHeading(paragraph, level, CleanText.Fold(text));
            else if (_numbering.Next(Numbering(paragraph)) is { } item) AddItem(item.Level, item.Number, text.Trim());
            else Emit(MarkdownText.GuardStart(text.Trim()));
        }
        foreach (var block in aside) Add(block);
        foreach (var chart in _inlines.TakeCharts()) Emit(chart);
    }

    private NumberingProperties? Numbering(Paragraph paragraph)
    {
        var own = paragraph.ParagraphProperties?.NumberingProperties;
        var style = _styles.Numbering(paragraph);
        if (own?.NumberingId is not null || style is null) return own;
        return own?.NumberingLevelReference is { } level && style.NumberingId is { } id
            ? new NumberingProperties((NumberingLevelReference)level.CloneNode(true), (NumberingId)id.CloneNode(true)) : style;
    }

    private void AddHeading(Paragraph paragraph, int level, string text)
    {
        var label = _numbering.Next(Numbering(paragraph))?.Label.Trim();
        if (Title is null && (_styles.IsTitle(paragraph) || level == 1)) Title = CleanText.Fold(paragraph.InnerText);
        Emit(new string('#', level) + " " + (string.IsNullOrEmpty(label) ? "" : label + " ") + text);
    }

    private void AddItem(int level, int? number, string text)
    {
        var mark = number is { } n ? $"{n}. " : "- ";
        // A list that goes on after a paragraph would turn into code if it kept its depth.
        if (!_inList || level < _listBase) _listBase = level;
        var indent = new string(' ', (level - _listBase) * 4);
        var inner = "\n" + indent + new string(' ', mark.Length);
        EndCode();
        if (_out.Length > 0 && !_inList) _out.Append('\n');
        Append(indent + mark + text.Replace("\n", inner, StringComparison.Ordinal) + "\n");
        _inList = true;
    }

    private void AddTable(OpenXmlElement table)
    {
        var rows = new List<IReadOnlyList<string>>();
        var above = new Dictionary<int, string>();
        foreach (var row in table.Descendants().Where(e => e.LocalName == "tr" && NearestTable(e) == table))
        {
            if (row.GetFirstChild<TableRowProperties>()?.GetFirstChild<Deleted>() is not null) continue;
            var cells = new List<string>();
            for (var skip = row.GetFirstChild<TableRowProperties>()?.GetFirstChild<GridBefore>()?.Val?.Value ?? 0; skip > 0 && cells.Count < 60; skip--) cells.Add("");
            foreach (var cell in row.Descendants<TableCell>().Where(c => NearestRow(c) == row))
            {
                var properties = cell.TableCellProperties;
                var text = CleanText.Fold(string.Join(" ", Lines(cell)));
                // A merged cell stands in every row it covers: a row read alone has to be understood.
                if (properties?.VerticalMerge is { } merge)
                    if (merge.Val?.Value == MergedCellValues.Restart) above[cells.Count] = text;
                    else text = above.GetValueOrDefault(cells.Count, "");
                cells.Add(text);
                for (var span = Math.Min(properties?.GridSpan?.Val?.Value ?? 1, 60); span > 1; span--) cells.Add("");
            }
            if (cells.Exists(c => c.Length > 0)) rows.Add(cells);
        }
        if (rows.Count == 0) return;
        // A frame around text is written with one cell; its content is what counts.
        if (rows.Count == 1 && rows[0].Count == 1)
        {
            foreach (var child in table.Descendants<TableCell>().First().ChildElements) Add(child);
            return;
        }
        var result = new StringBuilder();
        MarkdownTable.Write(result, rows);
        Emit(result.ToString().TrimEnd('\n'));
        foreach (var block in _inlines.TakeAsides()) Add(block);
        foreach (var chart in _inlines.TakeCharts()) Emit(chart);
    }

    private IEnumerable<string> Lines(OpenXmlElement cell)
    {
        foreach (var block in cell.ChildElements)
            if (block is Paragraph paragraph)
            {
                var text = _inlines.Text(paragraph);
                var item = text.Trim().Length > 0 ? _numbering.Next(Numbering(paragraph)) : null;
                yield return item is null ? text : (item.Value.Number is { } n ? $"{n}. " : "- ") + text;
            }
            else if (block.LocalName is "oMathPara" or "oMath") yield return DocxMath.Inline(block);
            else if (block.LocalName is not ("tcPr" or "del" or "moveFrom" or "sdtPr"))
                foreach (var line in Lines(block)) yield return line;
    }

    private static OpenXmlElement? NearestTable(OpenXmlElement element) => element.Ancestors().FirstOrDefault(a => a.LocalName == "tbl");

    private static OpenXmlElement? NearestRow(OpenXmlElement element) => element.Ancestors().FirstOrDefault(a => a.LocalName == "tr");

    private void Emit(string block)
    {
        if (block.Length == 0) return;
        EndCode();
        if (_out.Length > 0) _out.Append('\n');
        Append(block + "\n");
        _inList = false;
    }

    private void EndCode()
    {
        if (_code.Count == 0) return;
        var code = string.Join("\n", _code).Trim('\n');
        _code.Clear();
        if (code.Trim().Length > 0) Emit(MarkdownText.Fence(code, ""));
    }

    private void Append(string text)
    {
        if (_out.Length + text.Length > maxCharacters)
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The document's text exceeds the limit of {maxCharacters:N0} characters.");
        _out.Append(text);
    }
}

using System.Text;
using AngleSharp.Dom;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Writes the block structure of HTML as Markdown: headings, paragraphs, nested lists, quotes, code fences, tables. Inline parts are
/// <see cref="MarkdownInlines"/>'s. Recursion is bounded; what nests deeper comes out as plain text.
/// </summary>
internal sealed class MarkdownWriter(LinkList links, long maxCharacters, CancellationToken ct)
{
    private const int DeepestNesting = 120;

    private static readonly HashSet<string> Blocks =
    [
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt", "fieldset",
        "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "li", "main", "menu",
        "nav", "ol", "p", "pre", "search", "section", "summary", "table", "ul", "legend", "optgroup", "caption",
    ];

    private readonly StringBuilder _out = new();
    private readonly HashSet<INode> _holdsBlocks = [];
    private readonly MarkdownInlines _inlines = new(links);
    private string _prefix = "";
    private string? _firstPrefix;
    private bool _tight;
    private int _depth;
    private int _listDepth;

    /// <summary>The Markdown of an element's content.</summary>
    public string Write(IElement root)
    {
        foreach (var element in root.QuerySelectorAll("*"))
            if (Blocks.Contains(element.LocalName))
                for (INode? up = element.Parent; up is not null && up != root && _holdsBlocks.Add(up);) up = up.Parent;
        Children(root);
        return _out.ToString();
    }

    private void Children(INode parent)
    {
        if (_depth >= DeepestNesting) { Emit(MarkdownText.GuardStart(CleanText.Fold(parent.TextContent))); return; }
        _depth++;
        var run = new StringBuilder();
        foreach (var node in parent.ChildNodes)
        {
            ct.ThrowIfCancellationRequested();
            if (node is IElement element && (Blocks.Contains(element.LocalName) || _holdsBlocks.Contains(element)))
            {
                Flush(run);
                Block(element);
            }
            else _inlines.Append(run, node);
        }
        Flush(run);
        _depth--;
    }

    private void Flush(StringBuilder run)
    {
        var text = run.ToString().Trim();
        run.Clear();
        Emit(MarkdownText.GuardStart(text));
    }

    private void Block(IElement element)
    {
        switch (element.LocalName)
        {
            case ['h', >= '1' and <= '6'] name: Emit(Heading(element, name[1] - '0')); break;
            case "hr": Emit("---"); break;
            case "pre": Emit(HtmlCode.Fence(element)); break;
            case "blockquote": Nested("> ", "> ", element); break;
            case "ul" or "ol" or "menu" or "dir": List(element); break;
            case "table": Table(element); break;
            case "dt" or "summary" or "caption" or "legend": Emit(MarkdownText.Wrap("**", OneLine(element))); break;
            case "a":
                links.Add(element.GetAttribute("href"), element.TextContent);
                Children(element);
                break;
            default: Children(element); break;
        }
    }

    private string Heading(IElement element, int level)
    {
        var text = OneLine(element).TrimEnd('¶', '#', ' ');
        return text.Length == 0 ? "" : new string('#', level) + " " + text;
    }

    private void List(IElement list)
    {
        var ordered = list.LocalName == "ol";
        var number = int.TryParse(list.GetAttribute("start"), out var start) && start is >= 0 and < 100_000_000 ? start : 1;
        var loose = list.Children.Any(li => li.Children.Any(c => c.LocalName is "p" or "pre" or "table" or "blockquote"));
        var first = true;
        _listDepth++;
        foreach (var child in list.Children)
        {
            // Lists are nested without an item around them in much of what is published.
            if (child.LocalName != "li") { if (child.LocalName is "ul" or "ol") Nested("  ", "  ", child, self: true); else Block(child); continue; }
            // A list inside of an item follows its text at once; the outermost list is set off by a blank line.
            _tight = !loose && (!first || _listDepth > 1);
            var mark = ordered ? $"{number++}. " : "- ";
            var before = _out.Length;
            Nested(mark, new string(' ', mark.Length), child);
            if (_out.Length > before) first = false;
            _tight = false;
        }
        _listDepth--;
    }

    private void Nested(string firstPrefix, string prefix, IElement element, bool self = false)
    {
        var (outer, outerFirst) = (_prefix, _firstPrefix);
        var pending = (outerFirst ?? outer) + firstPrefix;
        (_prefix, _firstPrefix) = (outer + prefix, pending);
        if (self) Block(element);
        else Children(element);
        // An item without content leaves its mark unused; the outer one is still waiting then.
        (_prefix, _firstPrefix) = (outer, _firstPrefix == pending ? outerFirst : null);
    }

    private void Table(IElement table)
    {
        var grid = HtmlTable.Read(table, _inlines);
        if (grid is null)
        {
            foreach (var cell in HtmlTable.Cells(table)) Children(cell);
            return;
        }
        if (table.Children.FirstOrDefault(c => c.LocalName == "caption") is { } caption) Block(caption);
        if (grid.Count == 0) return;
        var rows = new StringBuilder();
        MarkdownTable.Write(rows, grid);
        Emit(rows.ToString().TrimEnd('\n'));
    }

    private string OneLine(IElement element)
    {
        var text = new StringBuilder();
        _inlines.AppendChildren(text, element);
        return CleanText.Fold(text.ToString());
    }

    private void Emit(string block)
    {
        if (block.Length == 0) return;
        if (_out.Length + block.Length > maxCharacters)
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The page's text exceeds the limit of {maxCharacters:N0} characters.");
        if (_out.Length > 0 && !_tight) _out.Append(_prefix.TrimEnd()).Append('\n');
        _tight = false;
        foreach (var line in block.AsSpan().EnumerateLines())
        {
            var prefix = _firstPrefix ?? _prefix;
            _firstPrefix = null;
            _out.Append(line.IsWhiteSpace() ? prefix.TrimEnd() : prefix).Append(line.IsWhiteSpace() ? default : line).Append('\n');
        }
    }
}

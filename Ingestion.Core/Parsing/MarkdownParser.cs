namespace Ingestion.Core.Parsing;

/// <summary>Markdown is kept as it is; front matter goes to the title. A line scan, no syntax tree: nothing nests, nothing recurses.</summary>
public sealed class MarkdownParser(ParseLimits limits) : IDocumentParser
{
    private const int LongestLinkText = 1_000;
    private const int LongestTarget = 4_000;

    public string Format => "md";

    public int Version => 1;

    public async Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        var text = (await Charsets.ReadAsync(raw, limits, ct)).ReplaceLineEndings("\n");
        var (title, body) = FrontMatter(text);
        var links = new LinkList(raw.Url);
        var fence = "";
        foreach (var span in body.AsSpan().EnumerateLines())
        {
            var line = span.Trim();
            if (fence.Length > 0) { if (line.StartsWith(fence)) fence = ""; continue; }
            if (line.StartsWith("```") || line.StartsWith("~~~")) { fence = line[..3].ToString(); continue; }
            title ??= line.StartsWith("# ") ? line[2..].TrimEnd('#').Trim().ToString() : null;
            CollectLinks(line, links);
        }
        return ParserGuards.Finish(title, body, links, [], limits);
    }

    /// <summary>Splits a leading <c>---</c> block off; its top-level <c>title</c> is the document's.</summary>
    private static (string? Title, string Body) FrontMatter(string text)
    {
        var start = text.StartsWith('\uFEFF') ? 1 : 0;
        if (string.CompareOrdinal(text, start, "---\n", 0, 4) != 0) return (null, text);
        string? title = null;
        for (var at = start + 4; at < text.Length;)
        {
            var end = text.IndexOf('\n', at) is >= 0 and var n ? n : text.Length;
            var line = text.AsSpan(at, end - at);
            if (line.TrimEnd() is "---" or "...") return (title, text[Math.Min(end + 1, text.Length)..]);
            if (line.StartsWith("title:", StringComparison.OrdinalIgnoreCase)) title = line[6..].Trim().Trim("\"'").ToString();
            // A rule at the top of a page without a closing one is not front matter.
            else if (line.Length > 0 && !char.IsWhiteSpace(line[0]) && line[0] is not ('#' or '-' or ']' or '}') && !line.Contains(':')) break;
            at = end + 1;
        }
        return (null, text);
    }

    /// <summary>Inline links, angle-bracket links and reference definitions of one line. Looks a bounded way back and ahead of each.</summary>
    private static void CollectLinks(ReadOnlySpan<char> line, LinkList links)
    {
        if (line.StartsWith("[") && line.IndexOf("]:") is > 1 and var colon) links.Add(FirstWord(line[(colon + 2)..]), line[1..colon].ToString());
        for (var at = 0; at < line.Length;)
        {
            var next = line[at..].IndexOfAny(']', '<');
            if (next < 0) return;
            at += next;
            if (line[at] == '<')
            {
                var rest = line.Slice(at + 1, Math.Min(LongestTarget, line.Length - at - 1));
                if (rest.StartsWith("http") && rest.IndexOf('>') is > 0 and var close) links.Add(rest[..close].ToString(), rest[..close].ToString());
            }
            else if (at + 1 < line.Length && line[at + 1] == '(')
            {
                var from = Math.Max(0, at - LongestLinkText);
                var open = line[from..at].LastIndexOf('[');
                var rest = line.Slice(at + 2, Math.Min(LongestTarget, line.Length - at - 2));
                var isImage = open + from > 0 && open >= 0 && line[open + from - 1] == '!';
                if (open >= 0 && !isImage && ClosingParenthesis(rest) is > 0 and var close) links.Add(FirstWord(rest[..close]), line[(from + open + 1)..at].ToString());
            }
            at++;
        }
    }

    private static int ClosingParenthesis(ReadOnlySpan<char> rest)
    {
        var depth = 0;
        for (var i = 0; i < rest.Length; i++)
            if (rest[i] == '(') depth++;
            else if (rest[i] == ')' && depth-- == 0) return i;
        return -1;
    }

    private static string FirstWord(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.StartsWith("<") && text.IndexOf('>') is > 0 and var close) return text[1..close].ToString();
        var blank = text.IndexOfAny(' ', '\t');
        return (blank < 0 ? text : text[..blank]).ToString();
    }
}

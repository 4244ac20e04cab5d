using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>Plain text of any character set. Linear in the file's length, so it runs in the host.</summary>
public sealed class TextParser(ParseLimits limits) : IDocumentParser
{
    public string Format => "txt";

    public int Version => 1;

    public async Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        var text = await Charsets.ReadAsync(raw, limits, ct);
        return ParserGuards.Finish(null, AsMarkdown(text), new LinkList(raw.Url), [], limits);
    }

    /// <summary>Plain lines as Markdown: only what would begin a heading or a code fence by accident is escaped.</summary>
    internal static string AsMarkdown(string text)
    {
        var result = new StringBuilder(text.Length + 64);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var body = line.TrimStart(' ');
            if (IsHeadingMark(body) || body.StartsWith("```") || body.StartsWith("~~~"))
                result.Append(line[..^body.Length]).Append('\\').Append(body);
            else result.Append(line);
            result.Append('\n');
        }
        return result.ToString();
    }

    private static bool IsHeadingMark(ReadOnlySpan<char> line)
    {
        var marks = line.IndexOfAnyExcept('#');
        return marks is >= 1 and <= 6 && line[marks] is ' ' or '\t';
    }
}

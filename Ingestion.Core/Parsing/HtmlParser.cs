using System.Text;
using System.Text.RegularExpressions;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Web pages: the main content without the chrome around it, as Markdown with absolute links. Scripts never run, nothing is fetched.
/// AngleSharp is quadratic in the depth of nesting, so this runs in a worker under a time limit.
/// </summary>
public sealed partial class HtmlParser(ParseLimits limits) : IDocumentParser
{
    private const int MetaSearch = 4096;
    private const int MaxSelected = 100_000;

    public string Format => "html";

    public int Version => 1;

    public async Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        ParserGuards.RequireReadable(raw, limits);
        var bytes = await File.ReadAllBytesAsync(raw.Path, ct);
        var text = Charsets.Decode(bytes, raw.Charset ?? DeclaredInside(bytes));
        progress?.Invoke(bytes.Length, bytes.Length, "Reading the page");
        var document = await new AngleSharp.Html.Parser.HtmlParser().ParseDocumentAsync(text, ct);

        var title = Title(document);
        var selected = raw.Selectors?.Select(s => Select(document, s)).ToList();
        var links = new LinkList(BaseAddress(document, raw.Url));
        MainContent.RemoveUnread(document);
        var root = MainContent.Find(document);
        ct.ThrowIfCancellationRequested();
        return ParserGuards.Finish(title, new MarkdownWriter(links, limits.MaxCharacters, ct).Write(root), links, [], limits) with { Selected = selected };
    }

    // Before anything is removed from the page: what readers do not see is asked for as well.
    private static string? Select(IHtmlDocument document, PageSelector selector)
    {
        var element = document.QuerySelector(selector.Selector);
        var text = selector.Attribute is { } attribute ? element?.GetAttribute(attribute) : element?.TextContent;
        return text is { Length: > MaxSelected } ? text[..MaxSelected] : text;
    }

    /// <summary>The character set that the page's own head declares.</summary>
    private static string? DeclaredInside(byte[] bytes)
    {
        var head = Encoding.Latin1.GetString(bytes, 0, Math.Min(bytes.Length, MetaSearch));
        return Charset().Match(head) is { Success: true } found ? found.Groups[1].Value : null;
    }

    private static string? Title(IHtmlDocument document)
    {
        var candidates = new[]
        {
            document.QuerySelector("meta[property='og:title']")?.GetAttribute("content"), document.Title,
            document.QuerySelector("h1")?.TextContent,
        };
        return candidates.FirstOrDefault(c => !string.IsNullOrWhiteSpace(c));
    }

    private static Uri? BaseAddress(IHtmlDocument document, Uri? url)
    {
        var declared = document.QuerySelector("base[href]")?.GetAttribute("href")?.Trim();
        if (string.IsNullOrEmpty(declared)) return url;
        var found = url is not null ? Uri.TryCreate(url, declared, out var b) : Uri.TryCreate(declared, UriKind.Absolute, out b);
        return found && b!.Scheme is "http" or "https" ? b : url;
    }

    [GeneratedRegex("""<(?:meta|\?xml)\b[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_:.-]{2,40})""", RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Charset();
}

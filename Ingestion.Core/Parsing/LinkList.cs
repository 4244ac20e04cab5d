namespace Ingestion.Core.Parsing;

/// <summary>The links of one document: resolved, limited to schemes a reader may follow, each target once.</summary>
internal sealed class LinkList(Uri? baseAddress)
{
    private const int MostLinks = 50_000;
    private const int LongestTarget = 8_000;
    private readonly HashSet<string> _seen = [];
    private readonly List<ParsedLink> _links = [];

    public IReadOnlyList<ParsedLink> All => _links;

    /// <summary>Remembers a link. Returns its absolute target, or null where there is none to follow (fragments, scripts, data, no base).</summary>
    public string? Add(string? href, string text)
    {
        if (Resolve(href) is not { } target) return null;
        if (_links.Count < MostLinks && _seen.Add(target)) _links.Add(new ParsedLink(target, CleanText.OneLine(text)));
        return target;
    }

    /// <summary>The absolute address of a reference, fit to stand between the parentheses of a Markdown link; null where not allowed.</summary>
    public string? Resolve(string? href)
    {
        href = href?.Trim();
        if (string.IsNullOrEmpty(href) || href.Length > LongestTarget || href[0] == '#') return null;
        // A path that begins with a slash counts as an absolute file address on Linux, so the base goes first.
        if (!(baseAddress is not null && Uri.TryCreate(baseAddress, href, out var uri)) && !Uri.TryCreate(href, UriKind.Absolute, out uri)) return null;
        if (uri.Scheme is not ("http" or "https" or "mailto")) return null;
        return uri.AbsoluteUri.Replace("(", "%28", StringComparison.Ordinal).Replace(")", "%29", StringComparison.Ordinal);
    }
}

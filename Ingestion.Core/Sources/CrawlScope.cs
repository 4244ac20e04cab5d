using System.Collections.Concurrent;

namespace Ingestion.Core.Sources;

/// <summary>Which addresses belong to a crawl: those of its host, but for what is left out and what is no document anyhow.</summary>
internal sealed class CrawlScope(Uri start, bool subdomains, IReadOnlyList<string> include, IReadOnlyList<string> exclude)
{
    private static readonly HashSet<string> NoDocuments = new(StringComparer.OrdinalIgnoreCase)
    {
        ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".avif", ".bmp", ".css", ".js", ".mjs", ".map", ".woff", ".woff2", ".ttf", ".eot", ".otf",
        ".mp3", ".mp4", ".m4a", ".ogg", ".webm", ".avi", ".mov", ".wav", ".zip", ".gz", ".tar", ".tgz", ".xz", ".bz2", ".7z", ".rar", ".exe", ".dmg", ".iso", ".deb", ".rpm", ".jar", ".wasm",
    };

    // Pages of a site name each other again and again, mostly in the same words.
    private const int MostResolved = 20_000;

    private readonly ConcurrentDictionary<(string Folder, string Target), Uri?> _resolved = new();
    private readonly Func<string, bool> _visited = Glob.Filter([], [.. exclude.Select(p => p.TrimStart('/'))]);
    private readonly Func<string, bool> _included = Glob.Filter([.. include.Select(p => p.TrimStart('/'))], []);

    /// <summary>The first page, in its one spelling.</summary>
    public Uri Start { get; } = CrawlUrl.Normalize(start);

    /// <summary>True where it may be asked for.</summary>
    public bool Holds(Uri url) => IsHere(url) && !NoDocuments.Contains(Path.GetExtension(url.AbsolutePath)) && (url == Start || _visited(Text(url)));

    /// <summary>True where what is there shall be a document; others are read for their links alone.</summary>
    public bool Takes(Uri url) => _included(Text(url));

    /// <summary>True where it is on the crawl's host: under http and https, where both are on their own ports.</summary>
    public bool IsHere(Uri url)
    {
        if (url.Scheme is not ("http" or "https")) return false;
        if (url.Port != Start.Port && !(url.IsDefaultPort && Start.IsDefaultPort)) return false;
        return url.IdnHost == Start.IdnHost || (subdomains && url.IdnHost.EndsWith("." + Start.IdnHost, StringComparison.Ordinal));
    }

    /// <summary>Targets as a page wrote them, each address once; without those that lead out of the crawl or nowhere.</summary>
    public List<Uri> Links(Uri from, string? start, IReadOnlyList<string> targets)
    {
        var (found, seen) = (new List<Uri>(), new HashSet<string>(StringComparer.Ordinal));
        // What a target means follows from the page's folder, unless it is a mere query, or the page says what targets start from.
        var folder = start is null ? from.AbsoluteUri[..(from.GetLeftPart(UriPartial.Path).LastIndexOf('/') + 1)] : null;
        foreach (var written in targets)
        {
            var target = written.IndexOf('#', StringComparison.Ordinal) is > 0 and var end ? written[..end] : written;
            var url = folder is null || target[0] is '?' or '#' ? Resolve(from, start, target) : Resolved(folder, from, target);
            if (url is not null && seen.Add(url.AbsoluteUri)) found.Add(url);
        }
        return found;
    }

    private Uri? Resolved(string folder, Uri from, string target)
    {
        if (_resolved.TryGetValue((folder, target), out var known)) return known;
        var url = Resolve(from, null, target);
        if (_resolved.Count >= MostResolved) _resolved.Clear();
        return _resolved[(folder, target)] = url;
    }

    /// <summary>A target as a page wrote it; null where it leads out of the crawl or nowhere.</summary>
    public Uri? Resolve(Uri from, string? start, string target)
    {
        if (start is { Length: > 0 } && Uri.TryCreate(from, start, out var declared) && declared.Scheme is "http" or "https") from = declared;
        // A fragment of the page itself, other schemes and what is no address are all no links of ours.
        if (!Uri.TryCreate(from, target.Trim(), out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || !Uri.TryCreate(url.AbsoluteUri, UriKind.Absolute, out url)) return null;
        var normal = CrawlUrl.Normalize(url);
        return normal.AbsoluteUri.Length <= UrlRules.MaxLength && Holds(normal) ? normal : null;
    }

    private static string Text(Uri url) => url.PathAndQuery.TrimStart('/');
}

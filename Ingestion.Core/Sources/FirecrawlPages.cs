using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Judges what Firecrawl brings as if this program had found it: addresses are guarded, kept to the crawl and spelled in the one way; Markdown is
/// kept as the source's version. What may not be becomes an item all the same, which fails in words.
/// </summary>
public sealed class FirecrawlPages(NpgsqlDataSource worker, SafeHttp http, FirecrawlApi api, ArtifactWriter artifacts, PipelineOptions pipeline)
{
    private const int LongestName = 500;

    /// <summary>Fetches one address by Firecrawl. Throws what kept it from being read, with codes as if it had been fetched here.</summary>
    internal async Task<FetchedDocument> FetchAsync(Uri url, FetchTarget target, CancellationToken ct)
    {
        var message = $"Crawling {url.AbsoluteUri}";
        target.Report(0, null, message);
        var page = await api.ScrapeAsync(url, ct);
        var final = page.Final is { } answered ? http.Rules.Parse(answered) : url;
        if (Failure(page, url.IdnHost) is { } failure) throw failure;
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(page.Markdown));
        var (length, sha256) = await LocalCopy.ToAsync(content, target with { Report = (bytes, total, _) => target.Report(bytes, total, message) }, content.Length, ct);
        return new(length, sha256, "text/markdown", "utf-8", final);
    }

    /// <summary>The address of a page in its one spelling; null where it is no address or may not be asked for.</summary>
    internal Uri? Allowed(string? text)
    {
        try
        {
            return CrawlUrl.Normalize(http.Rules.Parse(text ?? ""));
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.BlockedUrl || e.Code == ErrorCodes.InvalidUrl)
        {
            return null;
        }
    }

    /// <summary>An item for an address that may not be fetched: it fails with the rule, as one would that somebody pasted.</summary>
    internal static ListedItem Refused(string? text, SourceSpec spec)
    {
        var key = text is { Length: > 0 } ? text.Length <= UrlRules.MaxLength ? text : text[..UrlRules.MaxLength] : "(no address)";
        return new(key, 0, key.Length <= LongestName ? key : key[..LongestName], spec.Metadata);
    }

    /// <summary>What becomes of a page.</summary>
    internal async Task<FirecrawlPage> TakeAsync(WorkInput input, SourceSpec spec, CrawlScope scope, FirecrawlDocument page, CancellationToken ct)
    {
        if (Allowed(page.Source) is not { } url) return new(Refused(page.Source, spec));
        if (page.Final is not null && Allowed(page.Final) is null) return new(Refused(page.Final, spec));
        // Other hosts and what was left out are no part of the site, here as in a crawl of our own.
        if (!scope.Holds(url) || !scope.Takes(url)) return new();
        if (Failure(page, url.IdnHost) is { } failure) return new() { Failed = (url.AbsoluteUri, failure.Code.Code, failure.Message) };
        var bytes = Encoding.UTF8.GetBytes(page.Markdown);
        if (bytes.LongLength > pipeline.MaxFileSizeBytes) return new() { Failed = (url.AbsoluteUri, ErrorCodes.TooLarge.Code, $"The document is larger than {pipeline.MaxFileSizeBytes:N0} bytes.") };
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var source = await SourceVersions.SourceAsync(worker, input.TenantId, input.CollectionId, input.SourceType, input.ConnectionId, url.AbsoluteUri, ct);
        return new(new(url.AbsoluteUri, 0, string.IsNullOrWhiteSpace(page.Title) ? url.AbsoluteUri : page.Title.Trim(), spec.Metadata) { Fingerprint = sha256, Content = new(source, sha256) })
        {
            Save = await SaveAsync(input, source, sha256, bytes, Allowed(page.Final) ?? url, ct),
        };
    }

    // What writes the version's row; null where it is there already.
    private async Task<SaveOutput?> SaveAsync(WorkInput input, long source, string sha256, byte[] bytes, Uri final, CancellationToken ct)
    {
        if (await SourceVersions.FindAsync(worker, source, sha256, ct) is not null) return null;
        var id = await SourceVersions.ReserveAsync(worker, ct);
        using var content = new MemoryStream(bytes);
        var raw = await artifacts.WriteAsync(input.TenantId, "raw", ArtifactKeys.Raw(input.TenantId, SourceVersions.Key(source), SourceVersions.Key(id)), content, ct);
        var fetched = new FetchedDocument(bytes.LongLength, sha256, "text/markdown", "utf-8", final);
        return (connection, token) => SourceVersions.InsertAsync(connection, input.TenantId, source, id, fetched, raw, token);
    }

    // What its host answered counts as if it had answered us.
    private static IngestionException? Failure(FirecrawlDocument page, string host) => page.Status switch
    {
        401 or 403 => new(ErrorCodes.AccessDenied, $"{host} answered Firecrawl with status {page.Status}."),
        404 => new(ErrorCodes.NotFound, $"{host} answered Firecrawl with status 404."),
        410 => new(ErrorCodes.Gone, $"{host} answered Firecrawl with status 410."),
        429 => new(ErrorCodes.Throttled, $"{host} answered Firecrawl with status 429."),
        >= 500 => new(ErrorCodes.HttpServerError, $"{host} answered Firecrawl with status {page.Status}."),
        >= 400 => new(ErrorCodes.HttpClientError, $"{host} answered Firecrawl with status {page.Status}."),
        _ => string.IsNullOrWhiteSpace(page.Markdown) ? new(ErrorCodes.Empty, page.Error is null ? "Firecrawl found no text on the page." : "Firecrawl could not read the page.") : null,
    };
}

/// <summary>What becomes of a page that Firecrawl brought: an item, a failure, or nothing.</summary>
internal sealed record FirecrawlPage(ListedItem? Item = null)
{
    /// <summary>Keeps its version; null where there is none to keep.</summary>
    public SaveOutput? Save { get; init; }

    /// <summary>Address, code and sentence; null where it did not fail.</summary>
    public (string Url, string Code, string Message)? Failed { get; init; }
}

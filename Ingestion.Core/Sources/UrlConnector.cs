using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Single addresses over http and https, through the one guarded client, or by Firecrawl where that is configured.</summary>
public sealed class UrlConnector(SafeHttp http, FirecrawlApi firecrawl, FirecrawlPages pages) : ISourceConnector
{
    public string SourceType => SourceTypes.Url;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        yield break;
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var url = http.Rules.Parse(item.SourceKey);
        if (firecrawl.Options.Urls) return await pages.FetchAsync(url, target, ct);
        var conditions = target.ETag is null && target.LastModified is null ? null : new FetchConditions(target.ETag, target.LastModified);
        var message = $"Crawling {item.SourceKey}";
        target.Report(0, null, message);
        var result = await http.FetchAsync(url, target.Path, new FetchLimits(target.MaxBytes, target.Timeout), conditions, (bytes, total, _) => target.Report(bytes, total, message), ct);
        if (!result.NotModified && result.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The address answers with an empty document (zero bytes).");
        return new(result.Length, result.Sha256, result.MediaType, result.Charset, result.FinalUrl, result.ETag, result.LastModified, result.NotModified);
    }
}

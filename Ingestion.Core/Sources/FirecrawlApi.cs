using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>Firecrawl's API v2, through the one guarded client. Its own faults are no document's: they carry a reason to wait. A page is asked for fresh, since one from its cache would hide that it changed.</summary>
public sealed class FirecrawlApi(SafeHttp http, IOptionsMonitor<FirecrawlOptions> options)
{
    // Its answers hold 10 MiB of documents, and somewhat more as JSON.
    private static readonly FetchLimits Limits = new(64 << 20, TimeSpan.FromMinutes(2));
    // Less than a client waits for the first byte of an answer.
    private static readonly TimeSpan Scraping = TimeSpan.FromSeconds(25);
    private static readonly string[] Formats = ["markdown"];
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public FirecrawlOptions Options => options.CurrentValue;

    /// <summary>Begins a crawl. Throws <c>source_quota</c>, <c>access_denied</c>, or a code that says to wait.</summary>
    internal async Task<FirecrawlJob> CrawlAsync(Uri start, SourceValues chosen, DateTimeOffset now, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Post, "crawl", new
        {
            url = start.AbsoluteUri, limit = chosen.Number("max_pages"), maxDiscoveryDepth = chosen.Number("max_depth"), sitemap = chosen.Flag("sitemaps") ? "include" : "skip",
            crawlEntireDomain = true, allowExternalLinks = false, allowSubdomains = chosen.Flag("subdomains"), excludePaths = chosen.Lines("exclude").Select(p => $"^/?{Glob.Expression(p.TrimStart('/'))}$"),
            scrapeOptions = new { formats = Formats, onlyMainContent = true, maxAge = 0 }, webhook = Webhook,
        }, ct);
        return Job("crawl", answer, now);
    }

    /// <summary>The addresses that it knows of a site, as it wrote them, without repeats.</summary>
    internal async Task<IReadOnlyList<string>> MapAsync(Uri start, SourceValues chosen, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Post, "map", new { url = start.AbsoluteUri, limit = Math.Min(chosen.Number("max_pages"), 100_000), includeSubdomains = chosen.Flag("subdomains"), sitemap = chosen.Flag("sitemaps") ? "include" : "skip", timeout = (int)Scraping.TotalMilliseconds }, ct);
        return [.. answer.Elements("links").Select(l => l.ValueKind == JsonValueKind.String ? l.GetString() : l.Text("url")).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Begins to fetch these addresses.</summary>
    internal async Task<FirecrawlJob> BatchAsync(IReadOnlyList<string> urls, DateTimeOffset now, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Post, "batch/scrape", new { urls, formats = Formats, onlyMainContent = true, maxAge = 0, ignoreInvalidURLs = true, webhook = Webhook }, ct);
        return Job("batch/scrape", answer, now);
    }

    /// <summary>How far a job is, with the documents after those that were taken. Throws <c>not_found</c> where it does not know the job any more.</summary>
    internal async Task<FirecrawlStatus> StatusAsync(FirecrawlJob job, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"{job.Kind}/{job.Id}?skip={job.Taken}"), null, ct);
        var documents = answer.Elements("data").Select(FirecrawlDocument.Of).ToList();
        return new(answer.Text("status") ?? "", answer.Member("completed") is { ValueKind: JsonValueKind.Number } n && n.TryGetInt32(out var completed) ? completed : 0, documents, answer.Text("next") is { Length: > 0 });
    }

    /// <summary>What a job could not read: address and why; and the addresses that robots.txt kept it from are left out.</summary>
    internal async Task<IReadOnlyList<(string Url, string Error)>> ErrorsAsync(FirecrawlJob job, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Get, $"{job.Kind}/{job.Id}/errors", null, ct);
        return [.. answer.Elements("errors").Where(e => e.Text("url") is not null).Select(e => (e.Text("url")!, e.Text("error") ?? ""))];
    }

    /// <summary>Ends a job; one that it does not know, or that has ended, is as good as ended.</summary>
    internal async Task CancelAsync(FirecrawlJob job, CancellationToken ct)
    {
        try
        {
            await SendAsync(HttpMethod.Delete, $"{job.Kind}/{job.Id}", null, ct);
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.NotFound || e.Code == ErrorCodes.HttpClientError)
        {
            // 404 and 409: it is over already.
            return;
        }
    }

    /// <summary>One page. Throws what kept it from being read.</summary>
    internal async Task<FirecrawlDocument> ScrapeAsync(Uri url, CancellationToken ct)
    {
        var answer = await SendAsync(HttpMethod.Post, "scrape", new { url = url.AbsoluteUri, formats = Formats, onlyMainContent = true, maxAge = 0, timeout = (int)Scraping.TotalMilliseconds }, ct);
        return FirecrawlDocument.Of(answer.Member("data"));
    }

    private object? Webhook => Options.CallbackAddress.Length == 0 ? null : new { url = $"{Options.CallbackAddress.TrimEnd('/')}/api/v1/firecrawl/events", events = new[] { "page", "completed", "failed" } };

    private static FirecrawlJob Job(string kind, JsonElement answer, DateTimeOffset now) =>
        answer.Text("id") is { } id && Guid.TryParse(id, out var own) ? new(kind, own.ToString("d"), 0, now) : throw new IngestionException(ErrorCodes.BadContent, "Firecrawl began a job without telling its id.");

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object? body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, $"{Options.Address.TrimEnd('/')}/v2/{path}");
        if (body is not null) request.Content = JsonContent.Create(body, options: Json);
        if (Options.ApiKey.Length > 0) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Options.ApiKey}");
        SafeResponse answer;
        try
        {
            answer = await http.SendAsync(request, Limits, ct);
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.NetworkError || e.Code == ErrorCodes.FetchTimeout)
        {
            throw new IngestionException(ErrorCodes.CrawlerUnavailable, $"Firecrawl does not answer: {e.Message}", e);
        }
        var json = JsonApi.Read(answer);
        // A page that it could not read, told as an error of its own with a word for it: that is the page's failure.
        if (answer.StatusCode >= 500 && json?.Text("code") is { } code && code.StartsWith("SCRAPE_", StringComparison.Ordinal))
            throw code.Contains("DNS", StringComparison.Ordinal) ? new(ErrorCodes.NetworkError, "Firecrawl cannot find the host of the address.") : new IngestionException(ErrorCodes.HttpServerError, $"Firecrawl could not read the page ({code}).");
        if (answer.StatusCode >= 500) throw new IngestionException(ErrorCodes.CrawlerUnavailable, string.Create(CultureInfo.InvariantCulture, $"Firecrawl answers with status {answer.StatusCode}.")) { RetryAfter = answer.RetryAfter };
        if (answer.StatusCode == 429) throw new IngestionException(ErrorCodes.CrawlerThrottled, "Firecrawl asks us to slow down.") { RetryAfter = answer.RetryAfter };
        JsonApi.Require(answer, request.RequestUri!.IdnHost, answer.StatusCode == 404 ? "Firecrawl does not know this job any more, or has no such interface" : "the API key of Firecrawl is missing or wrong");
        return answer.Truncated || json is null ? throw new IngestionException(ErrorCodes.BadContent, "Firecrawl does not answer in JSON, or with too much of it.") : json.Value;
    }
}

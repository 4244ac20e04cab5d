using System.Globalization;
using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Crawls of sites that Firecrawl does: begun once, then asked again and again how far they are. The job's id is the input's cursor, so whoever
/// goes on, after a pause or a crash, goes on with the same job; each page is an item as soon as it is told.
/// </summary>
public sealed class FirecrawlCrawls(NpgsqlDataSource worker, SafeHttp http, FirecrawlApi api, FirecrawlPages pages, IOptionsMonitor<SourceOptions> options, TimeProvider time)
{
    private const int KeepTogether = 20;

    /// <summary>True where the input is Firecrawl's: its job has begun, or crawls are its and this one has not begun here.</summary>
    internal async Task<bool> TakesAsync(WorkInput input, bool signsIn, CancellationToken ct) =>
        FirecrawlJob.Parse(input.Cursor) is not null || (api.Options.Sites != FirecrawlSites.Off && !signsIn && await CrawlFrontier.IsEmptyAsync(worker, input.InputId, ct));

    internal async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, SourceSpec spec, Uri start, SourceValues chosen, [EnumeratorCancellation] CancellationToken ct)
    {
        var scope = new CrawlScope(start, chosen.Flag("subdomains"), chosen.Lines("include"), chosen.Lines("exclude"));
        var job = FirecrawlJob.Parse(input.Cursor);
        if (job is null)
        {
            (job, var refused) = await BeginAsync(spec, scope, chosen, ct);
            // Kept before anything else is done with it: from here on there is one job.
            yield return new(refused, job?.Cursor ?? "");
            if (job is null) yield break;
        }
        var ended = time.GetUtcNow() - job.Started > TimeSpan.FromMinutes(chosen.Number("max_minutes"));
        if (ended) await api.CancelAsync(job, ct);
        var begun = time.GetTimestamp();
        while (true)
        {
            var status = await StatusAsync(job, ct);
            if (status is null or { State: "failed" })
            {
                // The next attempt begins a new one, and finds nothing of this.
                yield return new([], "") { Save = (connection, token) => CrawlFrontier.ForgetAsync(connection, input.InputId, token) };
                throw status is null ? new IngestionException(ErrorCodes.NotFound, "Firecrawl does not know the crawl any more: it keeps them for a day.") : new IngestionException(ErrorCodes.HttpServerError, "Firecrawl says that the crawl failed.");
            }
            foreach (var some in status.Documents.Chunk(KeepTogether))
            {
                var taken = new List<FirecrawlPage>(some.Length);
                foreach (var document in some) taken.Add(await pages.TakeAsync(input, spec, scope, document, ct));
                job = job with { Taken = job.Taken + some.Length };
                yield return Kept(input, taken, job);
            }
            var more = status is { Documents.Count: > 0, HasMore: true };
            if (more && time.GetElapsedTime(begun) <= options.CurrentValue.CrawlTurn) continue;
            // Nothing is ready now, or others wait for their turn.
            yield return more || (status.State == "scraping" && !ended)
                ? new([], job.Cursor) { Pause = more ? TimeSpan.Zero : api.Options.Poll, PauseReason = WaitReasons.Crawler }
                : await EndAsync(input, job, status, chosen, ended, ct);
            yield break;
        }
    }

    // The job, and addresses that may not be asked for; no job where there is nothing to ask for.
    private async Task<(FirecrawlJob? Job, IReadOnlyList<ListedItem> Refused)> BeginAsync(SourceSpec spec, CrawlScope scope, SourceValues chosen, CancellationToken ct)
    {
        http.Rules.Check(scope.Start);
        if (api.Options.Sites == FirecrawlSites.Crawl) return (await api.CrawlAsync(scope.Start, chosen, time.GetUtcNow(), ct), []);
        var found = (await api.MapAsync(scope.Start, chosen, ct)).Select(text => (Text: text, Url: pages.Allowed(text))).ToList();
        var wanted = found.Where(f => f.Url is not null && scope.Holds(f.Url) && scope.Takes(f.Url)).Select(f => f.Url!.AbsoluteUri).Distinct(StringComparer.Ordinal).Take(chosen.Number("max_pages")).ToList();
        return (wanted.Count == 0 ? null : await api.BatchAsync(wanted, time.GetUtcNow(), ct), [.. found.Where(f => f.Url is null).Select(f => FirecrawlPages.Refused(f.Text, spec))]);
    }

    private async Task<FirecrawlStatus?> StatusAsync(FirecrawlJob job, CancellationToken ct)
    {
        try
        {
            return await api.StatusAsync(job, ct);
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.NotFound)
        {
            return null;
        }
    }

    private static ListedPage Kept(WorkInput input, List<FirecrawlPage> taken, FirecrawlJob job) => new([.. taken.Select(p => p.Item).OfType<ListedItem>()], job.Cursor)
    {
        Save = async (connection, token) =>
        {
            foreach (var save in taken.Select(p => p.Save).OfType<SaveOutput>()) await save(connection, token);
            await CrawlFrontier.FailedAsync(connection, input, [.. taken.Where(p => p.Failed is not null).Select(p => p.Failed!.Value)], token);
        },
    };

    private async Task<ListedPage> EndAsync(WorkInput input, FirecrawlJob job, FirecrawlStatus status, SourceValues chosen, bool ended, CancellationToken ct)
    {
        var unread = (await api.ErrorsAsync(job, ct)).Select(e => pages.Allowed(e.Url)?.AbsoluteUri).OfType<string>().Distinct(StringComparer.Ordinal)
            .Select(url => (url, ErrorCodes.HttpServerError.Code, "Firecrawl could not read the page.")).ToList();
        var most = chosen.Number("max_pages");
        var before = await CrawlFrontier.RestAsync(worker, input.InputId, new(most, 0, TimeSpan.Zero, 0), ct);
        var gaps = new List<string>();
        if (ended) gaps.Add(string.Create(CultureInfo.InvariantCulture, $"The crawl stopped after {chosen.Number("max_minutes"):N0} minutes."));
        else if (status.State == "cancelled") gaps.Add("The crawl was cancelled at Firecrawl.");
        if (status.Completed >= most) gaps.Add(string.Create(CultureInfo.InvariantCulture, $"The crawl stopped at {most:N0} pages."));
        if (before.Unreached + unread.Count is > 0 and var count) gaps.Add(string.Create(CultureInfo.InvariantCulture, $"{count:N0} addresses could not be read."));
        return new([], job.Cursor) { Save = (connection, token) => CrawlFrontier.FailedAsync(connection, input, unread, token), Gap = gaps.Count == 0 ? null : string.Join(' ', gaps) };
    }
}

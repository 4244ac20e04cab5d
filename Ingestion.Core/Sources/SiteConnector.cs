using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Web sites, page by page from an address on. A page is fetched once: for its links and as the document. What was found and what became of
/// it is in the database, so an interrupted crawl goes on and asks for nothing twice but what was under way.
/// </summary>
public sealed class SiteConnector(
    NpgsqlDataSource worker, SafeHttp http, SourceConnections connections, CrawlVisits visits, CrawlPages pages, UrlConnector urls, FirecrawlCrawls firecrawl, HostLedger ledger,
    IOptionsMonitor<AcquireOptions> acquire, IOptionsMonitor<SourceOptions> options, TimeProvider time) : ISourceConnector, IConnectionTest
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);
    private readonly RobotsFiles _robots = new(http);

    public string SourceType => SourceTypes.Site;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var place = await PlaceAsync(input, ct);
        if (await firecrawl.TakesAsync(input, signsIn: place.SignIn.For(place.Start).Count > 0, ct))
        {
            await foreach (var page in firecrawl.ListAsync(input, place.Spec, place.Start, place.Chosen, ct)) yield return page;
            yield break;
        }
        var crawl = await OpenAsync(input, place, ct);
        if (await CrawlFrontier.IsEmptyAsync(worker, input.InputId, ct))
            yield return new([], "") { Save = (connection, token) => CrawlFrontier.AddAsync(connection, input, crawl.Limits, Seeds(crawl), token) };
        await using var flight = new CrawlFlight(worker, visits, crawl, options.CurrentValue.CrawlConcurrency, time, ct);
        var begun = time.GetTimestamp();
        while (await flight.NextAsync(refill: time.GetElapsedTime(begun) <= options.CurrentValue.CrawlTurn) is { } done)
            yield return await pages.KeepAsync(crawl, done, ct);
        if (time.GetElapsedTime(begun) > options.CurrentValue.CrawlTurn)
        {
            yield return new([], "") { Pause = TimeSpan.Zero };
            yield break;
        }
        var rest = await CrawlFrontier.RestAsync(worker, input.InputId, crawl.Limits, ct);
        if (rest.NextDue is { } wait)
        {
            yield return new([], "") { Pause = wait > TimeSpan.Zero ? wait : TimeSpan.Zero, PauseReason = WaitReasons.HostPaused };
            yield break;
        }
        _robots.Forget(input.InputId);
        yield return new([], "") { Gap = Gap(rest, crawl.Limits) };
    }

    /// <summary>A page has its bytes since it was found; only one whose bytes were lost is asked for again.</summary>
    public Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct) => urls.FetchAsync(item, target, ct);

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        var url = http.Rules.Parse(connection.Settings.Text("address"));
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in (await SiteSignIn.OfAsync(connection, ct)).For(url)) request.Headers.TryAddWithoutValidation(name, value);
        var answer = await http.SendAsync(request, new(64 * 1024, TimeSpan.FromSeconds(20)), ct);
        if (answer.StatusCode is 401 or 403) throw new IngestionException(ErrorCodes.AccessDenied, $"{url.IdnHost} answers with status {answer.StatusCode}: user, password, cookie or headers are missing or wrong.");
        if (answer.StatusCode >= 400) throw new IngestionException(ErrorCodes.HttpClientError, $"{url.IdnHost} answers with status {answer.StatusCode}.");
    }

    private async Task<SitePlace> PlaceAsync(WorkInput input, CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var connection = input.ConnectionId is { } key ? await connections.OpenAsync(input.TenantId, key, ct) : null;
        return new(spec, spec.OptionsOf(SourceKinds.Require(SourceType)), http.Rules.Parse(spec.Address ?? connection?.Settings.Text("address") ?? ""),
            connection is null ? SiteSignIn.None : await SiteSignIn.OfAsync(connection, ct), connection?.Settings.Flag("ignore_robots") != true);
    }

    private async Task<Crawl> OpenAsync(WorkInput input, SitePlace place, CancellationToken ct)
    {
        var (spec, chosen, start, signIn, obeys) = place;
        var product = acquire.CurrentValue.AgentName.Split('/', ' ')[0];
        var robots = obeys ? await _robots.OfAsync(input.InputId, start, product, ct) : RobotsRules.AllowAll;
        return new(input, spec, new(start, chosen.Flag("subdomains"), chosen.Lines("include"), chosen.Lines("exclude")),
            new(chosen.Number("max_pages"), chosen.Number("max_depth"), TimeSpan.FromMinutes(chosen.Number("max_minutes")), options.CurrentValue.CrawlMaxVariants))
        {
            SignIn = signIn,
            Sitemaps = chosen.Flag("sitemaps") ? robots.Sitemaps : null,
            Rules = obeys ? (url, token) => _robots.OfAsync(input.InputId, url, product, token) : (_, _) => Task.FromResult(RobotsRules.AllowAll),
            PerMinute = acquire.CurrentValue.RequestsPerMinutePerHost, Delay = Delay(start, robots.CrawlDelay),
        };
    }

    // What the site asks for, but no more than a minute: a site that wants more is not meant to be crawled, and says so by Disallow.
    private TimeSpan Delay(Uri start, TimeSpan? asked)
    {
        if (asked is not { Ticks: > 0 } pause) return TimeSpan.Zero;
        var delay = pause < LongestDelay ? pause : LongestDelay;
        ledger.Delayed(HostBudgets.KeyOf(start), delay);
        return delay;
    }

    private static List<CrawlAddress> Seeds(Crawl crawl)
    {
        var seeds = new List<CrawlAddress> { new(crawl.Scope.Start, 0, null) };
        if (crawl.Sitemaps is not { } declared) return seeds;
        seeds.Add(new(new Uri(crawl.Scope.Start, "/sitemap.xml"), 1, null, CrawlAddress.Sitemap));
        foreach (var sitemap in declared)
            if (Uri.TryCreate(crawl.Scope.Start, sitemap, out var url) && crawl.Scope.IsHere(url)) seeds.Add(new(CrawlUrl.Normalize(url), 1, "robots.txt", CrawlAddress.Sitemap));
        return seeds;
    }

    private static string? Gap(CrawlRest rest, CrawlLimits limits)
    {
        var gaps = new List<string>();
        if (rest.Waiting > 0) gaps.Add(rest.Fetched >= limits.Pages
            ? $"The crawl stopped at {limits.Pages:N0} pages, with {rest.Waiting:N0} addresses not visited."
            : $"The crawl stopped after {limits.Time.TotalMinutes:N0} minutes, with {rest.Waiting:N0} addresses not visited.");
        if (rest.TooDeep > 0) gaps.Add($"{rest.TooDeep:N0} addresses lie deeper than {limits.Depth:N0} links.");
        if (rest.Trapped > 0) gaps.Add($"{rest.Trapped:N0} addresses look like a trap: too many of one path, or a path that repeats itself.");
        if (rest.Unreached > 0) gaps.Add($"{rest.Unreached:N0} addresses could not be read.");
        return gaps.Count == 0 ? null : string.Join(' ', gaps);
    }
}

/// <summary>What an input says of its site, whoever crawls it.</summary>
/// <param name="Obeys">True where robots.txt is kept to.</param>
internal sealed record SitePlace(SourceSpec Spec, SourceValues Chosen, Uri Start, SiteSignIn SignIn, bool Obeys);

/// <summary>One crawl, with everything that stays the same while it goes on.</summary>
internal sealed record Crawl(WorkInput Input, SourceSpec Spec, CrawlScope Scope, CrawlLimits Limits)
{
    public required SiteSignIn SignIn { get; init; }

    /// <summary>Sitemaps that robots.txt names; null where none are read.</summary>
    public required IReadOnlyList<string>? Sitemaps { get; init; }

    public required Func<Uri, CancellationToken, Task<RobotsRules>> Rules { get; init; }

    /// <summary>Requests a minute; 0 for no limit. A rate of the host's own goes before.</summary>
    public required int PerMinute { get; init; }

    /// <summary>The pause between requests that the site asks for; zero for none.</summary>
    public required TimeSpan Delay { get; init; }
}

namespace Ingestion.Benchmarks;

/// <summary>A crawl beside the bare fetching of the same pages, and what a large frontier costs in memory.</summary>
internal static class CrawlBenchmark
{
    private static readonly string[] Sites = ["crawl-fetch", "crawl-site"];
    private static readonly string[] Frontiers = ["crawl-frontier-10k", "crawl-frontier-100k", "crawl-frontier-1m"];

    public static async Task RunAsync(Plan plan, CancellationToken ct)
    {
        var sites = Sites.Where(plan.Includes).ToList();
        if (sites.Count > 0)
        {
            using var pages = await LoopbackServer.StartAsync(PageServer.Verb, plan.Pages);
            Console.WriteLine($"\nCrawl: {PageServer.Names(plan.Pages).Count} HTML pages of {plan.Pages} over loopback; {Settings.Requests} requests in flight, no pacing");
            var runs = await Measurement.RoundsAsync(sites, plan.Rounds, _ => [$"pages={plan.Pages}", $"page-server={pages.Address}"], ct);
            Report.Table(runs, ["documents"]);
            if (sites.Count == 2) Report.Ratio("crawl-site: pages/s ÷ the same pages fetched and nothing else", Report.Median(runs["crawl-fetch"]) / Report.Median(runs["crawl-site"]), 0.5);
        }
        var frontiers = Frontiers.Where(plan.Includes).ToList();
        if (frontiers.Count == 0) return;
        using var links = await LoopbackServer.StartAsync(LinkServer.Verb);
        Console.WriteLine($"\nFrontier: lists of {LinkServer.LinksOfAList:N0} links, read until all are known and none is visited");
        var sizes = await Measurement.RoundsAsync(frontiers, plan.Rounds, _ => [$"page-server={links.Address}"], ct);
        Report.Table(sizes, ["addresses"]);
        if (sizes.TryGetValue("crawl-frontier-100k", out var few) && sizes.TryGetValue("crawl-frontier-1m", out var many))
            Report.Ratio("peak memory with 100,000 addresses ÷ with 1,000,000", few.Average(r => r.PeakApp) / many.Average(r => r.PeakApp), 1 / 1.3);
    }
}

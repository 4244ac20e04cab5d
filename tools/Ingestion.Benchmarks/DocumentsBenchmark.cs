namespace Ingestion.Benchmarks;

/// <summary>The document path beside its floors, and their ratios.</summary>
internal static class DocumentsBenchmark
{
    private static readonly string[] Names = ["pipeline-local", "pipeline-stub", "fetch", "parse", "embed-local", "embed-stub", "copy"];

    public static async Task RunAsync(Plan plan, CancellationToken ct)
    {
        var names = Names.Where(plan.Includes).ToList();
        if (names.Count == 0) return;
        using var pages = await LoopbackServer.StartAsync(PageServer.Verb, plan.Pages);
        using var embedding = await LoopbackServer.StartAsync(EmbeddingServer.Verb);
        string[] settings = [$"pages={plan.Pages}", $"page-server={pages.Address}", $"embedding-server={embedding.Address}"];

        Console.WriteLine($"\nDocuments: {PageServer.Names(plan.Pages).Count} HTML pages of {plan.Pages} over loopback; max_workers {Settings.Workers}, {Settings.Requests} requests in flight, no pacing, skip_existing on");
        var runs = await Measurement.RoundsAsync(names, plan.Rounds, _ => settings, ct);
        Report.Table(runs, ["documents", "chunks"]);
        foreach (var whole in names.Where(n => n.StartsWith("pipeline", StringComparison.Ordinal)))
        {
            var embed = whole.Replace("pipeline", "embed", StringComparison.Ordinal);
            string[] floors = [.. names.Where(n => n is "fetch" or "parse" or "copy" || n == embed)];
            if (floors.Length == 0) continue;
            var slowest = floors.MaxBy(f => Report.Median(runs[f]))!;
            Report.Ratio($"{whole}: slowest floor ({slowest}) ÷ whole", Report.Median(runs[slowest]) / Report.Median(runs[whole]), 0.5);
            Report.Ratio($"{whole}: floors one after the other ÷ whole", floors.Sum(f => Report.Median(runs[f])) / Report.Median(runs[whole]));
        }
    }
}

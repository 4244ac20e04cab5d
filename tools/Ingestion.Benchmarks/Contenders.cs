using System.Text.Json;

namespace Ingestion.Benchmarks;

/// <summary>Where a contender finds what it works on; given on its command line as <c>name=value</c>.</summary>
internal sealed class Inputs(string[] settings)
{
    private readonly Dictionary<string, string> _values = settings.Select(s => s.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);

    public string Pages => _values["pages"];
    public Uri PageServer => new(_values["page-server"]);
    public Uri EmbeddingServer => new(_values["embedding-server"]);
    public string? List => _values.GetValueOrDefault("list");
    public string? Names => _values.GetValueOrDefault("names");
    public string Column => _values["column"];
    public int Subscribers => int.Parse(_values["subscribers"], System.Globalization.CultureInfo.InvariantCulture);
    public int Items => int.Parse(_values["items"], System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Everything that can be measured, by name; each runs in a child process of this tool.</summary>
internal static class Contenders
{
    public const string Verb = "measure";

    private static readonly Dictionary<string, Func<Inputs, Task<Result>>> All = new()
    {
        ["pipeline-local"] = i => DocumentPath.RunAsync(i, remote: false),
        ["pipeline-stub"] = i => DocumentPath.RunAsync(i, remote: true),
        ["fetch"] = i => DocumentFloors.FetchAsync(i, Settings.WarmUp),
        ["parse"] = DocumentFloors.ParseAsync,
        ["embed-local"] = i => DocumentFloors.EmbedAsync(i, remote: false),
        ["embed-stub"] = i => DocumentFloors.EmbedAsync(i, remote: true),
        ["copy"] = CopyFloor.RunAsync,
        ["queue-1"] = i => QueuePath.RunAsync(i, batches: 1),
        ["queue-8"] = i => QueuePath.RunAsync(i, batches: 8),
        ["queue-after"] = i => QueuePath.RunAsync(i, batches: 1, FinishedTasks.LoadAsync),
        ["queue-silent"] = i => QueuePath.RunAsync(i, batches: 1, hints: false),
        ["queue-watched"] = i => QueuePath.RunAsync(i, batches: 1, watchers: 20),
        ["claims-after"] = ClaimLatency.RunAsync,
        ["enqueue"] = QueuePath.EnqueueAsync,
        ["listed-10k"] = _ => ListedPath.RunAsync(10_000),
        ["listed-100k"] = _ => ListedPath.RunAsync(100_000),
        ["crawl-fetch"] = i => DocumentFloors.FetchAsync(i, warmUp: int.MaxValue),
        ["crawl-site"] = CrawlPath.SiteAsync,
        ["crawl-frontier-10k"] = i => CrawlPath.FrontierAsync(i, 10_000),
        ["crawl-frontier-100k"] = i => CrawlPath.FrontierAsync(i, 100_000),
        ["crawl-frontier-1m"] = i => CrawlPath.FrontierAsync(i, 1_000_000),
        ["resolve"] = ResolveBenchmark.RunAsync,
        ["review-look"] = _ => ReviewPath.LookAsync(),
        ["review-approve"] = _ => ReviewPath.ApproveAsync(),
        ["sql"] = QueueFloor.RunAsync,
        ["followed-none"] = i => SubscribersPath.RunAsync(i, onRunning: true, reading: 0, silent: 0),
        ["followed-idle"] = i => SubscribersPath.RunAsync(i, onRunning: false, reading: i.Subscribers, silent: i.Subscribers / 10),
        ["followed-running"] = i => SubscribersPath.RunAsync(i, onRunning: true, reading: i.Subscribers, silent: i.Subscribers / 10),
        ["followed-unread"] = i => SubscribersPath.RunAsync(i, onRunning: true, reading: 0, silent: Math.Max(1, i.Subscribers / 10)),
    };

    public static async Task<int> RunAsync(string name, string[] settings)
    {
        // The result is all that goes to standard output.
        var output = Console.Out;
        Console.SetOut(Console.Error);
        var result = await All[name](new Inputs(settings));
        await output.WriteLineAsync(JsonSerializer.Serialize(result));
        return 0;
    }
}

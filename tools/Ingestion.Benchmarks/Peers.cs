using System.Diagnostics;
using System.Text.Json;

namespace Ingestion.Benchmarks;

/// <summary>Other software, measured by a kit of its own on the same machine right after ours. Its output goes to the console as it is.</summary>
internal static class Peers
{
    private const string Plain = "graphile-worker, 4 jobs, defaults";

    /// <param name="queue">What the queue benchmark measured, to be set beside theirs; null where it did not run.</param>
    public static async Task RunAsync(string folder, string what, Dictionary<string, List<Run>>? queue, CancellationToken ct)
    {
        string[] parts = what switch { "documents" => ["b2"], "queue" => ["b1"], _ => ["b2", "b1"] };
        foreach (var part in parts)
        {
            Console.WriteLine($"\npeers: {Path.Join(folder, "run")} {part}");
            using var process = Process.Start(new ProcessStartInfo(Path.Join(folder, "run"), [part]) { WorkingDirectory = folder })
                ?? throw new InvalidOperationException($"{folder}/run cannot be started.");
            await process.WaitForExitAsync(ct);
            if (part == "b1" && queue is not null && process.ExitCode == 0) Compare(folder, queue);
        }
    }

    // The kit leaves its figures, per second and round, in a file named after the moment.
    private static void Compare(string folder, Dictionary<string, List<Run>> queue)
    {
        var file = Directory.EnumerateFiles(Path.Join(folder, "results"), "b1-*.json").Order(StringComparer.Ordinal).Last();
        using var json = JsonDocument.Parse(File.ReadAllText(file));
        var theirs = json.RootElement.GetProperty("results");
        double Of(string contender, string figure) => theirs.GetProperty(contender).EnumerateArray().Select(r => r.GetProperty(figure).GetDouble()).Order().ToArray() is var f ? f[f.Length / 2] : 0;
        foreach (var name in (string[])["queue-1", "queue-8"])
            if (queue.TryGetValue(name, out var runs)) Report.Ratio($"{name}: tasks/s ÷ {Plain}", runs[0].Result.Units["tasks"] / Report.Median(runs) / Of(Plain, "drain"), 3);
        if (queue.TryGetValue("enqueue", out var enqueue))
            Report.Ratio($"enqueue: documents/s ÷ {Plain}, batches of 1000", enqueue[0].Result.Units["documents"] / Report.Median(enqueue) / Of(Plain, "enqueue"), 1);
    }
}

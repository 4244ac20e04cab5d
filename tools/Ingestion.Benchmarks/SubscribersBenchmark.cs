using System.Globalization;

namespace Ingestion.Benchmarks;

/// <summary>What it costs ingestion that many follow it, how late they are, and what one costs who never reads.</summary>
internal static class SubscribersBenchmark
{
    private static readonly string[] Names = ["followed-none", "followed-idle", "followed-running", "followed-unread"];

    // Files that a process opens besides its connections.
    private const int Reserve = 1500;

    public static async Task RunAsync(Plan plan, CancellationToken ct)
    {
        var names = Names.Where(plan.Includes).ToList();
        if (names.Count == 0) return;
        var most = OpenFiles() - Reserve;
        // One in eleven comes on top and never reads.
        var subscribers = Math.Min(plan.Subscribers, most * 10 / 11);
        using var pages = await LoopbackServer.StartAsync(PageServer.Verb, plan.Pages);
        Console.WriteLine($"\nSubscribers: {subscribers:N0} connections, half streams and half sockets, and {subscribers / 10:N0} that never read{(subscribers < plan.Subscribers ? $" (the limit of open files allows {most:N0} in a process)" : "")}; {PageServer.Names(plan.Pages).Count} pages; clients in a process of their own");
        var runs = await Measurement.RoundsAsync(names, plan.Rounds, _ => [$"pages={plan.Pages}", $"page-server={pages.Address}", $"subscribers={subscribers}"], ct);
        Report.Table(runs, ["documents"]);
        if (runs.TryGetValue("followed-running", out var running))
        {
            if (runs.TryGetValue("followed-idle", out var idle)) Report.Ratio("documents/s with all following it ÷ with all following an idle batch", Report.Median(idle) / Report.Median(running), 0.8);
            var late = running.Average(r => r.Result.Units["p95"]);
            Report.Ratio("2 s ÷ the 95th percentile of how late readers are", late > 0 ? 2 / late : 0, 1);
        }
        if (runs.TryGetValue("followed-unread", out var unread) && runs.TryGetValue("followed-none", out var none))
        {
            var each = (unread.Average(r => r.Result.Units["memory"]) - none.Average(r => r.Result.Units["memory"])) / Math.Max(1, subscribers / 10);
            Console.WriteLine($"memory of one that never reads: {each / 1024:0} kB (goal: below 100)");
        }
    }

    private static int OpenFiles() => File.ReadLines("/proc/self/limits").First(l => l.StartsWith("Max open files", StringComparison.Ordinal)).Split("  ", StringSplitOptions.RemoveEmptyEntries)[1].Trim() is var soft && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
        ? limit
        : int.MaxValue - 2 * Reserve;
}

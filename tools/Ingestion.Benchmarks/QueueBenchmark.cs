namespace Ingestion.Benchmarks;

/// <summary>The queue beside plain SQL and beside itself under other conditions, and their ratios.</summary>
internal static class QueueBenchmark
{
    private static readonly string[] Names =
        ["queue-1", "queue-8", "sql", "queue-silent", "queue-watched", "queue-after", "claims-after", "enqueue", "listed-10k", "listed-100k"];

    public static async Task<Dictionary<string, List<Run>>?> RunAsync(Plan plan, CancellationToken ct)
    {
        var names = Names.Where(plan.Includes).ToList();
        if (names.Count == 0) return null;
        Console.WriteLine($"\nQueue: {plan.Items:N0} documents of four no-op tasks; {QueuePath.Slots} slots a stage; -after: behind {FinishedTasks.Count:N0} finished tasks");
        var runs = await Measurement.RoundsAsync(names, plan.Rounds, _ => [$"items={plan.Items}"], ct);
        Report.Table(runs, ["tasks", "documents"]);
        Ratio(runs, "tasks/s ÷ plain SQL in batches of fifty", "queue-1", "sql", 0.3);
        Ratio(runs, "tasks/s ÷ plain SQL in batches of fifty", "queue-8", "sql", 0.3);
        Ratio(runs, "tasks/s with hints ÷ without", "queue-1", "queue-silent", 0.85);
        Ratio(runs, "tasks/s with hints and twenty watchers ÷ without", "queue-watched", "queue-silent", 0.85);
        Ratio(runs, "tasks/s behind a million finished tasks ÷ in empty tables", "queue-after", "queue-1", 0.7);
        if (runs.TryGetValue("claims-after", out var claims)) Report.Ratio("claims-after: 50 ms ÷ the 99th percentile of a claim", 50 / claims.Average(r => r.Result.Units["p99"]), 1);
        if (runs.TryGetValue("listed-10k", out var few) && runs.TryGetValue("listed-100k", out var many))
            Report.Ratio("peak memory at 10,000 rows ÷ at 100,000", few.Average(r => r.PeakApp) / many.Average(r => r.PeakApp), 1 / 1.3);
        return runs;
    }

    // Medians of the rounds, which take turns: round by round the two ran one right after the other.
    private static void Ratio(Dictionary<string, List<Run>> runs, string what, string one, string other, double goal)
    {
        if (runs.TryGetValue(one, out var ones) && runs.TryGetValue(other, out var others)) Report.Ratio($"{one}: {what}", Report.Median(others) / Report.Median(ones), goal);
    }
}

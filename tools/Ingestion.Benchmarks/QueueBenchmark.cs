namespace Ingestion.Benchmarks;

/// <summary>The queue beside plain SQL, and their ratios.</summary>
internal static class QueueBenchmark
{
    private const string Floor = "sql";
    private static readonly string[] Names = ["queue-1", "queue-8", Floor];

    public static async Task RunAsync(Plan plan, CancellationToken ct)
    {
        var names = Names.Where(plan.Includes).ToList();
        if (names.Count == 0) return;
        Console.WriteLine($"\nQueue: {plan.Items:N0} documents of four no-op tasks in 1 and in 8 batches; {QueuePath.Slots} slots a stage");
        var runs = await Measurement.RoundsAsync(names, plan.Rounds, _ => [$"items={plan.Items}"], ct);
        Report.Table(runs, ["tasks"]);
        if (!names.Contains(Floor)) return;
        foreach (var name in names.Where(n => n != Floor))
            Report.Ratio($"{name}: tasks/s ÷ plain SQL in batches of fifty", Report.Median(runs[Floor]) / Report.Median(runs[name]), 0.3);
    }
}

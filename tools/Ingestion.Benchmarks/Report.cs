namespace Ingestion.Benchmarks;

/// <summary>Figures as text. Every figure is a median over the rounds, with the extremes beside the time.</summary>
internal static class Report
{
    public static double Median(IEnumerable<Run> runs) => Median(runs.Select(r => r.Result.Seconds));

    public static void Table(Dictionary<string, List<Run>> runs, string[] units)
    {
        Console.WriteLine($"\n{"",-16}{"seconds",8}  {"min – max",-14}{string.Concat(units.Select(u => $"{u + "/s",14}"))}{"app MiB",10}{"parsers",10}{"postgres",10}{"CPU s",8}{"others",8}");
        foreach (var (name, own) in runs)
        {
            var rates = units.Select(u => Median(own.Select(r => r.Result.Units.GetValueOrDefault(u) / r.Result.Seconds)));
            var span = $"{own.Min(r => r.Result.Seconds):0.00} – {own.Max(r => r.Result.Seconds):0.00}";
            Console.WriteLine($"{name,-16}{Median(own),8:0.00}  {span,-14}{string.Concat(rates.Select(r => r > 0 ? $"{r,14:N0}" : $"{"",14}"))}"
                + $"{MiB(own, r => r.PeakApp)}{MiB(own, r => r.PeakChildren)}{MiB(own, r => r.PeakPostgres)}{Median(own.Select(r => r.Cpu)),8:0.0}{Median(own.Select(r => r.Others)),8:0%}");
            foreach (var note in own.SelectMany(r => r.Result.Notes).Distinct()) Console.WriteLine($"{"",16}  {note}");
        }
        Console.WriteLine();
    }

    /// <param name="goal">What the ratio should at least be; null where it only informs.</param>
    public static void Ratio(string what, double ratio, double? goal = null) =>
        Console.WriteLine($"ratio  {what}: {ratio:0.00}{(goal is { } g ? $" (goal {g:0.00}: {(ratio >= g ? "met" : "missed")})" : "")}");

    private static string MiB(List<Run> runs, Func<Run, long> peak) => Median(runs.Select(r => peak(r) / 1048576.0)) is var m and > 0 ? $"{m,10:0}" : $"{"",10}";

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

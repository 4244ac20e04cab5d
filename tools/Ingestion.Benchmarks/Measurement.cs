using System.Diagnostics;
using System.Text.Json;

namespace Ingestion.Benchmarks;

/// <summary>What a contender says of its own run. The clock runs only over the work: starting, warming up and preparing are outside.</summary>
/// <param name="Units">Things done, each by its name: documents, chunks, tasks …</param>
/// <param name="Notes">What else is worth a line under the table.</param>
internal sealed record Result(double Seconds, Dictionary<string, double> Units, List<string> Notes);

/// <summary>A run as seen from outside.</summary>
/// <param name="PeakApp">Bytes; so are the other peaks. See <see cref="ProcessTree"/>.</param>
/// <param name="Cpu">Seconds of processor time of the whole run, starting included.</param>
/// <param name="Others">Share of the machine's processors that other programs used meanwhile, 0 to 1.</param>
internal sealed record Run(Result Result, long PeakApp, long PeakChildren, long PeakPostgres, double Cpu, double Others);

/// <summary>Runs one contender in a process of its own, so that neither heat nor memory of one touches another.</summary>
internal static class Measurement
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(250);

    public static async Task<Run> RunAsync(string contender, IEnumerable<string> settings, CancellationToken ct)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [Contenders.Verb, contender, .. settings])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException($"The contender {contender} cannot be started.");
        try
        {
            var (begun, busy) = (Stopwatch.GetTimestamp(), Machine.Busy());
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var peak = new ProcessTree(0, 0, 0, TimeSpan.Zero);
            using var timer = new PeriodicTimer(SampleEvery);
            do
            {
                var now = ProcessTree.Read(process.Id);
                peak = new(Math.Max(peak.App, now.App), Math.Max(peak.Children, now.Children), Math.Max(peak.Postgres, now.Postgres), now.Cpu > peak.Cpu ? now.Cpu : peak.Cpu);
            } while (!output.IsCompleted && await timer.WaitForNextTickAsync(ct));
            var others = (Machine.Busy() - busy - peak.Cpu) / (Stopwatch.GetElapsedTime(begun) * Environment.ProcessorCount);
            await process.WaitForExitAsync(ct);
            if (process.ExitCode != 0) throw new InvalidOperationException($"The contender {contender} ended with {process.ExitCode}.");
            var result = JsonSerializer.Deserialize<Result>(await output) ?? throw new InvalidOperationException($"The contender {contender} said nothing.");
            return new(result, peak.App, peak.Children, peak.Postgres, peak.Cpu.TotalSeconds, Math.Max(0, others));
        }
        finally
        {
            // Its children watch their pipes to it and end with it.
            if (!process.HasExited) process.Kill();
        }
    }

    /// <summary>Every contender in turn, in the opposite order each second round.</summary>
    public static async Task<Dictionary<string, List<Run>>> RoundsAsync(
        IReadOnlyList<string> contenders, int rounds, Func<string, IEnumerable<string>> settings, CancellationToken ct)
    {
        var runs = contenders.ToDictionary(c => c, _ => new List<Run>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var contender in round % 2 == 0 ? contenders : contenders.Reverse())
            {
                var run = await RunAsync(contender, settings(contender), ct);
                runs[contender].Add(run);
                await Console.Error.WriteLineAsync($"round {round + 1}: {contender} {run.Result.Seconds:0.00} s, others {run.Others:0%}");
            }
        }
        return runs;
    }
}

using System.Diagnostics;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>How long one claim takes, with a million finished tasks in the tables and nobody else at work.</summary>
internal static class ClaimLatency
{
    private const int Helping = 10;

    public static async Task<Result> RunAsync(Inputs inputs)
    {
        await using var rig = await QueuePath.StartAsync();
        await FinishedTasks.LoadAsync(rig);
        var batch = (await QueuePath.SubmitAsync(rig, Rig.Measured, inputs.Items, 1))[0].BatchId;
        // Their jobs are active; the batch is not, so nothing else of the pipeline touches them.
        await rig.AdministerAsync($"DELETE FROM ingestion.import_job WHERE stage = 'resolve' AND batch_id = {batch}; UPDATE ingestion.import_job SET active = true, stage = 'resolve' WHERE batch_id = {batch} AND stage = 'acquire'");
        var times = new List<double>();
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var before = Stopwatch.GetTimestamp();
            await using var connection = await rig.Database.Worker.OpenConnectionAsync();
            if ((await ImportQueue.ClaimAsync(connection, Stage.Resolve, "latency", Helping, TimeSpan.FromMinutes(5), CancellationToken.None)).Count == 0) break;
            times.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            await rig.AdministerAsync($"UPDATE ingestion.import_task_run SET state = 'succeeded', finished_at = now(), lease_until = NULL WHERE batch_id = {batch} AND state = 'running'");
        }
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        times.Sort();
        return new(seconds, new() { ["claims"] = times.Count, ["p99"] = times[(int)(times.Count * 0.99)] },
            [$"{times.Count} claims of {Helping}: median {times[times.Count / 2]:0.0} ms, p99 {times[(int)(times.Count * 0.99)]:0.0} ms, longest {times[^1]:0.0} ms"]);
    }
}

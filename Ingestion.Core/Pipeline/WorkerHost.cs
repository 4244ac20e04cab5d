using Ingestion.Core.Pipeline.Duties;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Quartz;

namespace Ingestion.Core.Pipeline;

/// <summary>Starts this process as a worker: announces it, schedules stages and duties, and keeps its row alive until it stops.</summary>
public sealed class WorkerHost(
    [FromKeyedServices(WorkerHost.Scheduler)] ISchedulerFactory factory, StageRunner runner, StageWaker waker, RunningTasks running,
    IEnumerable<IDuty> duties, PipelineOptions options, NpgsqlDataSource worker) : IHostedService
{
    /// <summary>The name of the scheduler in memory that fires what every process does for itself.</summary>
    public const string Scheduler = "local";

    // More files than this are never flushed at once, and each thread costs memory.
    private const int MostSpareThreads = 32;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        KeepThreads();
        await BeatAsync(worker, running.Worker, cancellationToken);
        var scheduler = await factory.GetScheduler(cancellationToken);
        foreach (var stage in runner.Stages)
            await scheduler.ScheduleJob(StageJob.Detail(stage), StageJob.Poll(stage, options.Poll), cancellationToken: cancellationToken);
        foreach (var duty in duties)
            await scheduler.ScheduleJob(DutyJob.Detail(duty), DutyJob.Trigger(duty), cancellationToken: cancellationToken);
        waker.Attach(scheduler, runner.Stages);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var command = worker.CreateCommand("UPDATE ingestion.worker_process SET stopped_at = ingestion.clock(), last_seen_at = ingestion.clock() WHERE id = $1");
        command.Parameters.Add(new() { Value = running.Worker });
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (Transient.Is(e) || e is ObjectDisposedException)
        {
            // The database stops with us, or did at an earlier stop; the row's last beat tells the same a little later.
            return;
        }
    }

    // Flushing a file blocks its thread, and the pool makes new threads slowly: without some to spare, whoever holds a lock in the
    // database would wait for one before it can go on.
    private void KeepThreads()
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        var wanted = Environment.ProcessorCount + Math.Min(MostSpareThreads, options.Slots.Acquire + options.MaxConcurrentProcessing + options.Slots.Index);
        if (workers < wanted) ThreadPool.SetMinThreads(wanted, completions);
    }

    internal static async Task BeatAsync(NpgsqlDataSource worker, string id, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.worker_process (id, host, pid, role, version, started_at, last_seen_at)
            VALUES ($1, $2, $3, 'worker', $4, ingestion.clock(), ingestion.clock())
            ON CONFLICT (id) DO UPDATE SET last_seen_at = excluded.last_seen_at
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = Environment.MachineName });
        command.Parameters.Add(new() { Value = Environment.ProcessId });
        command.Parameters.Add(new() { Value = typeof(WorkerHost).Assembly.GetName().Version?.ToString(3) ?? "0" });
        await command.ExecuteNonQueryAsync(ct);
    }
}

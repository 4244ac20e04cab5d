using Ingestion.Core.Pipeline.Duties;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Quartz;

namespace Ingestion.Core.Pipeline;

/// <summary>Starts the pipeline of this process: schedules the stages that it serves, and the duties it may be the one to do.</summary>
public sealed class WorkerHost(
    [FromKeyedServices(WorkerHost.Scheduler)] ISchedulerFactory factory, StageRunner runner, StageWaker waker, DutyTurns turns,
    IEnumerable<IDuty> duties, PipelineOptions options) : IHostedService
{
    /// <summary>The name of the scheduler in memory that fires what every process does for itself.</summary>
    public const string Scheduler = "local";

    // More files than this are never flushed at once, and each thread costs memory.
    private const int MostSpareThreads = 32;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        KeepThreads();
        await turns.EnsureAsync(duties, cancellationToken);
        var scheduler = await factory.GetScheduler(cancellationToken);
        foreach (var stage in runner.Stages)
            await scheduler.ScheduleJob(StageJob.Detail(stage), StageJob.Poll(stage, options.Poll), cancellationToken: cancellationToken);
        foreach (var duty in duties)
            await scheduler.ScheduleJob(DutyJob.Detail(duty), DutyJob.Trigger(duty), cancellationToken: cancellationToken);
        waker.Attach(scheduler, runner.Stages);
    }

    // The scheduler is stopped by its own service.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Flushing a file blocks its thread, and the pool makes new threads slowly: without some to spare, whoever holds a lock in the
    // database would wait for one before it can go on.
    private void KeepThreads()
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        var wanted = Environment.ProcessorCount + Math.Min(MostSpareThreads, options.Slots.Acquire + options.MaxConcurrentProcessing + options.Slots.Index);
        if (workers < wanted) ThreadPool.SetMinThreads(wanted, completions);
    }
}

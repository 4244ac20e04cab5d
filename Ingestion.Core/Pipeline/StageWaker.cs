using System.Collections.Concurrent;
using Ingestion.Core.Events;
using Microsoft.Extensions.Hosting;
using Quartz;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Fires a stage's Quartz job at once instead of at its next second: when a task here ended, and when another process hints that a
/// batch changed. Any number of wakes before the job looks count as one.
/// </summary>
public sealed class StageWaker(BatchHub hub) : BackgroundService
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);
    private readonly ConcurrentDictionary<Stage, bool> _pending = new();
    private IScheduler? _scheduler;
    private IReadOnlyList<Stage> _stages = [];

    /// <summary>Later stages first: what is nearly done frees its batch's worker soonest.</summary>
    public void Attach(IScheduler scheduler, IEnumerable<Stage> stages)
    {
        _stages = [.. stages.OrderDescending()];
        _scheduler = scheduler;
    }

    public void WakeAll()
    {
        foreach (var stage in _stages) Wake(stage);
    }

    /// <summary>Called by the job as it starts to look: a wake after this moment needs another firing.</summary>
    internal void Looking(Stage stage) => _pending[stage] = false;

    public void Wake(Stage stage)
    {
        if (_scheduler is not { } scheduler) return;
        if (_pending.TryGetValue(stage, out var already) && already) return;
        _pending[stage] = true;
        _ = FireAsync(scheduler, stage);
    }

    private async Task FireAsync(IScheduler scheduler, Stage stage)
    {
        try
        {
            await scheduler.TriggerJob(StageJob.KeyOf(stage));
        }
        catch (SchedulerException)
        {
            // It is shutting down, or not up yet: the poll every second is the fallback.
            _pending[stage] = false;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var hints = hub.Subscribe(BatchHub.Work);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await hints.WaitAsync(Timeout.InfiniteTimeSpan, stoppingToken)) WakeAll();
                await Task.Delay(Rest, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Events;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>The spine: claim, run, settle, until nothing is due. One per process; each stage has its own slots.</summary>
public sealed class StageRunner(
    NpgsqlDataSource worker, IEnumerable<IStage> stages, TaskSettler settler, RunningTasks running, StageWaker waker, Hints hints,
    PipelineOptions options, TimeProvider time, ILogger<StageRunner> log)
{
    // How soon a service that failed is asked again where it did not say itself.
    private static readonly TimeSpan ServicePause = TimeSpan.FromSeconds(5);

    private readonly Dictionary<Stage, IStage> _stages = stages.ToDictionary(s => s.Stage);
    private readonly ConcurrentDictionary<Stage, Slots> _slots = new();

    /// <summary>Those that this process serves.</summary>
    public IEnumerable<Stage> Stages => _stages.Keys.Where(options.Serves);

    /// <summary>Claims and starts tasks of a stage as slots come free; returns when nothing is due. The tasks go on by themselves.</summary>
    public async Task DrainAsync(Stage stage, CancellationToken ct)
    {
        var slots = _slots.GetOrAdd(stage, s => new Slots(options.SlotsOf(s)));
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, running.Stopping);
        ct = both.Token;
        while (!running.Stopping.IsCancellationRequested)
        {
            var (free, smallOnly) = await slots.TakeAsync(ct);
            running.BeginClaim();
            try
            {
                IReadOnlyList<ClaimedTask> claimed = [];
                try
                {
                    claimed = await ClaimAsync(stage, free, smallOnly, ct);
                }
                finally
                {
                    slots.Claimed(free, claimed);
                }
                // Nothing is due, or all of it is held back by a limit. Whatever changes that wakes this stage again.
                if (claimed.Count == 0) return;
                FaultPoints.Reach(FaultPoints.AfterClaim, stage.Word());
                Start(claimed, slots);
                // Less than asked for, and no other tenant's share was kept back: looking again would find nothing.
                if (claimed.Count < free && claimed[0].Alone) return;
            }
            finally
            {
                running.EndClaim();
            }
        }
    }

    private async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(Stage stage, int free, bool smallOnly, CancellationToken ct)
    {
        try
        {
            await using var connection = await worker.OpenConnectionAsync(ct);
            return await ImportQueue.ClaimAsync(connection, stage, running.Worker, free, options.Lease, ct, smallOnly);
        }
        catch (Exception e) when (Transient.Is(e))
        {
            log.ClaimFailed(stage.Word(), e.Message);
            return [];
        }
    }

    private void Start(IReadOnlyList<ClaimedTask> claimed, Slots slots)
    {
        // Held before anything is read, so that their leases are kept from the first moment on.
        var held = claimed.Select(running.Add).ToList();
        var works = Work.LoadAsync(worker, claimed, running.Stopping);
        foreach (var work in held) _ = RunAndFreeAsync(work, works, slots);
        if (FaultPoints.Doubles(claimed[0].Stage.Word()))
            foreach (var task in claimed) _ = RunAndFreeAsync(running.Twin(task), works, null);
    }

    private async Task RunAndFreeAsync(RunningTask work, Task<IReadOnlyDictionary<long, Lazy<Work>>> works, Slots? slots)
    {
        using var held = work;
        var task = held.Task;
        // Off the claiming thread: a stage that computes before its first await must not hold up the next claim.
        await Task.Yield();
        try
        {
            await RunAsync(task, held, works);
        }
        catch (Exception e)
        {
            log.SettleFailed(e, task.Id, task.Stage.Word());
        }
        finally
        {
            // All stages have to look where the batch used up its workers, or where it is not known what was opened. Else the next one has a
            // task more, and this one, which has its own freed slot while it looks, may have one that was kept for small batches.
            var wanted = slots?.Release(task) == true;
            if (task.Stage == Stage.Discover || running.MayHoldUp(held)) waker.WakeAll();
            else
            {
                if (StageOrder.After(task.Stage) is { } next) waker.Wake(next);
                if (wanted) waker.Wake(task.Stage);
            }
        }
    }

    private async Task RunAsync(ClaimedTask task, RunningTask held, Task<IReadOnlyDictionary<long, Lazy<Work>>> works)
    {
        var retries = 0;
        try
        {
            if ((await works.WaitAsync(held.Token)).GetValueOrDefault(task.Id)?.Value is not { } work) return;
            retries = work.Options.Retries;
            held.BatchWorkers = work.Options.Workers;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(held.Token);
            // The stages keep finer limits of their own; this one holds where they do not. Discovery reads whole sources and has none.
            if (task.Stage != Stage.Discover) limit.CancelAfter(work.Options.Timeout * 1.2 + TimeSpan.FromSeconds(5));
            var context = new StageContext(task, work, worker, hints, time);
            var outcome = await _stages[task.Stage].RunAsync(context, limit.Token);
            if (await settler.SettleAsync(task, outcome, CancellationToken.None) && outcome is StageOutcome.Done { After: { } after })
                await FollowAsync(task, after);
        }
        catch (LeaseLostException)
        {
            await settler.LostAsync(task);
        }
        catch (OperationCanceledException) when (held.Token.IsCancellationRequested)
        {
            // Taken away, cancelled, or stopping: whoever took it decides what becomes of it.
            if (!running.Stopping.IsCancellationRequested) await settler.LostAsync(task);
        }
        catch (OperationCanceledException)
        {
            await settler.FailAsync(task, new(ErrorCodes.StageTimeout, $"The stage {task.Stage.Word()} took longer than the time allowed for one document."), null, retries, CancellationToken.None);
        }
        catch (IngestionException e) when (e.Code.WaitReason is { } reason)
        {
            log.AttemptFailed(task.Id, task.Stage.Word(), task.Attempt, e.Code.Code, e.Message);
            await settler.SettleAsync(task, new StageOutcome.RetryLater(e.RetryAfter ?? ServicePause, reason), CancellationToken.None);
        }
        catch (IngestionException e)
        {
            await settler.FailAsync(task, e, e.InnerException is { } inner ? Details(inner) : null, retries, CancellationToken.None);
        }
        catch (Exception e) when (Transient.Is(e))
        {
            log.AttemptFailed(task.Id, task.Stage.Word(), task.Attempt, ErrorCodes.DatabaseBusy.Code, e.Message);
            await settler.SettleAsync(task, new StageOutcome.RetryLater(TimeSpan.FromSeconds(2), WaitReasons.Unavailable), CancellationToken.None);
        }
        catch (IOException e) when (DiskSpace.IsExhausted(e))
        {
            await settler.SettleAsync(task, new StageOutcome.RetryLater(TimeSpan.FromSeconds(15), WaitReasons.StorageFull), CancellationToken.None);
        }
        catch (Exception e)
        {
            log.TaskFault(e, task.Id, task.Stage.Word());
            await settler.FailAsync(task, new(ErrorCodes.Internal, $"An unexpected fault in the stage {task.Stage.Word()}.", e), Details(e), retries, CancellationToken.None);
        }
    }

    // The claim is gone with the settling, so only a stop may interrupt what follows, and a failure of it is not the task's.
    private async Task FollowAsync(ClaimedTask task, Func<CancellationToken, Task> after)
    {
        try
        {
            await after(running.Stopping);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.AfterFailed(task.Id, task.Stage.Word(), e.Message);
        }
    }

    private static string Details(Exception e) => JsonSerializer.Serialize(new { type = e.GetType().FullName, message = ItemFailures.OneLine(e.Message), trace = e.StackTrace });
}

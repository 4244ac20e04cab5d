using System.Text.Json;
using Ingestion.Core.Events;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Ends an attempt: task, stage output, next task, item, event and, where it was the last, the batch, in one transaction under the
/// fence. Where the lease is gone, or the batch is to be cancelled, it writes nothing and says false.
/// </summary>
public sealed class TaskSettler(NpgsqlDataSource worker, Hints hints, RetryPolicy policy, RunningTasks running, ILogger<TaskSettler> log)
{
    private const int Tries = 6;
    private readonly SettlingQueues _queues = new(worker, log);

    public Task<bool> SettleAsync(ClaimedTask task, StageOutcome outcome, CancellationToken ct) => outcome switch
    {
        StageOutcome.Done done when task.ItemId is null => InTransactionAsync(task, c => ListedAsync(c, task, done, ct), ct),
        StageOutcome.Done done => DoneAsync(new(task, done), ct),
        StageOutcome.Skipped skipped => InTransactionAsync(task, c => SkippedAsync(c, task, skipped, ct), ct),
        StageOutcome.RetryLater later => InTransactionAsync(task, c => ImportQueue.PostponeAsync(c, task, later.After, later.Reason, ct), ct),
        StageOutcome.Blocked blocked => InTransactionAsync(task, c => BlockedAsync(c, task, blocked, ct), ct),
        _ => throw new InvalidOperationException($"unknown outcome {outcome.GetType().Name}"),
    };

    /// <summary>Ends an attempt that failed: another follows after a pause, or the item ends with the error.</summary>
    /// <param name="details">A JSON object for operators.</param>
    public Task<bool> FailAsync(ClaimedTask task, IngestionException error, string? details, int maxRetries, CancellationToken ct)
    {
        var (code, message) = (error.Code, ItemFailures.OneLine(error.Message));
        log.AttemptFailed(task.Id, task.Stage.Word(), task.Attempt, code.Code, message);
        var pause = policy.Next(task.Stage, code, task.Failures, maxRetries, error.RetryAfter);
        return InTransactionAsync(task, c => pause is { } after
            ? RetryAsync(c, task, error, message, after, ct)
            : FailForGoodAsync(c, task, code, message, details, ct), ct);
    }

    // Light ones go in company; where that did not come about, for whatever reason, each is settled on its own.
    private async Task<bool> DoneAsync(DoneTask done, CancellationToken ct)
    {
        var together = done.Outcome.IsLight ? await _queues.TryAsync(done) : null;
        if (together is { } ours) return ours ? Settled(done.Task) : await LostAsync(done.Task);
        return await RepeatedAsync(done.Task, async c => (await DoneTasks.SettleAsync(c, done.Task.BatchId, [done], ct)).Count == 1, inDoubt: done.Outcome.IsLight, ct);
    }

    private static async Task<bool> ListedAsync(NpgsqlConnection connection, ClaimedTask task, StageOutcome.Done done, CancellationToken ct)
    {
        if (!await ImportQueue.SucceedAsync(connection, task, ct)) return false;
        if (done.Save is { } save) await save(connection, ct);
        await ItemMoves.EndInputAsync(connection, task.InputId!.Value, ItemState.Done, null, null, ct);
        await ImportEvents.AppendAsync(connection, task.BatchId,
            [new(EventKinds.StageDone, null, task.Id, task.Stage.Word(), done.Data), new(EventKinds.InputDone, Data: $$"""{"input":{{task.InputId}}}""")], ct);
        await BatchSize.NoteAsync(connection, task.BatchId, ct);
        await BatchCompletion.TryCompleteAsync(connection, task.BatchId, ct);
        return true;
    }

    private static async Task<bool> SkippedAsync(NpgsqlConnection connection, ClaimedTask task, StageOutcome.Skipped skipped, CancellationToken ct)
    {
        if (!await ImportQueue.SucceedAsync(connection, task, ct)) return false;
        if (skipped.Save is { } save) await save(connection, ct);
        await ItemMoves.EndAsync(connection, task.ItemId!.Value, ItemState.Skipped, skipped.Reason, ct);
        await ImportEvents.AppendAsync(connection, task.BatchId,
            [new(EventKinds.StageDone, task.ItemId, task.Id, task.Stage.Word()), new(EventKinds.ItemSkipped, task.ItemId, Data: Json("reason", skipped.Reason))], ct);
        await BatchCompletion.TryCompleteAsync(connection, task.BatchId, ct);
        return true;
    }

    private static async Task<bool> BlockedAsync(NpgsqlConnection connection, ClaimedTask task, StageOutcome.Blocked blocked, CancellationToken ct)
    {
        if (!await ImportQueue.BlockAsync(connection, task, ct)) return false;
        await blocked.Save(connection, ct);
        await ImportEvents.AppendAsync(connection, task.BatchId, [new(EventKinds.ReviewRequested, task.ItemId, task.Id, task.Stage.Word())], ct);
        await BatchCompletion.TryCompleteAsync(connection, task.BatchId, ct);
        return true;
    }

    private static async Task<bool> RetryAsync(NpgsqlConnection connection, ClaimedTask task, IngestionException error, string message, TimeSpan after, CancellationToken ct)
    {
        var reason = error.Code.Class == ErrorClass.Throttled ? WaitReasons.HostPaused : WaitReasons.Retry;
        if (!await ImportQueue.RetryAsync(connection, task, error.Code.Code, message, after, reason, ct)) return false;
        await ImportEvents.AppendAsync(connection, task.BatchId, [new(EventKinds.AttemptFailed, task.ItemId, task.Id, task.Stage.Word(), ItemFailures.Json(error.Code.Code, message, task.Attempt))], ct);
        return true;
    }

    private static async Task<bool> FailForGoodAsync(NpgsqlConnection connection, ClaimedTask task, ErrorCode code, string message, string? details, CancellationToken ct)
    {
        if (!await ImportQueue.FailAsync(connection, task, code.Code, message, ct)) return false;
        var failed = await ItemFailures.WriteAsync(connection, task.Id, task.ItemId, task.InputId, task.Stage, code.Code, message, details, task.Attempt, ct);
        await ImportEvents.AppendAsync(connection, task.BatchId, [failed], ct);
        await BatchCompletion.TryCompleteAsync(connection, task.BatchId, ct);
        return true;
    }

    private Task<bool> InTransactionAsync(ClaimedTask task, Func<NpgsqlConnection, Task<bool>> settle, CancellationToken ct) => RepeatedAsync(task, async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (!await settle(connection)) return false;
        await transaction.CommitAsync(ct);
        return true;
    }, inDoubt: false, ct);

    // A deadlock or a serialisation failure says nothing about the document: the whole settling is done again, so a save can run twice.
    // A database that is away is waited for: the work is done, and the fence decides whether it still counts.
    // In doubt is whether an earlier try was committed: its reply may have been lost.
    private async Task<bool> RepeatedAsync(ClaimedTask task, Func<NpgsqlConnection, Task<bool>> settle, bool inDoubt, CancellationToken ct)
    {
        var conflicts = 0;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await worker.OpenConnectionAsync(ct);
                if (await settle(connection)) return Settled(task);
                return inDoubt && await ImportQueue.HasSucceededAsync(connection, task, ct) ? Settled(task) : await LostAsync(task, connection);
            }
            catch (Exception e) when (Transient.Is(e) && !running.Stopping.IsCancellationRequested && (e is not PostgresException || ++conflicts < Tries))
            {
                inDoubt = true;
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20, 60) * Math.Pow(2, Math.Min(attempt, 5))), ct);
            }
        }
    }

    private bool Settled(ClaimedTask task)
    {
        FaultPoints.Reach(FaultPoints.AfterCommit, task.Stage.Word());
        hints.Progressed(task.BatchId);
        return true;
    }

    /// <summary>Says that a claim is gone and nothing of it was written; quietly where somebody cancelled the task. Always false.</summary>
    public async Task<bool> LostAsync(ClaimedTask task)
    {
        await using var connection = await worker.OpenConnectionAsync();
        return await LostAsync(task, connection);
    }

    private async Task<bool> LostAsync(ClaimedTask task, NpgsqlConnection connection)
    {
        if (await ImportQueue.IsCancelledAsync(connection, task, CancellationToken.None)) log.CancelledUnderWay(task.Id, task.Attempt);
        else log.LeaseLost(task.Id, task.Attempt);
        return false;
    }

    private static string Json(string name, string value) => JsonSerializer.Serialize(new Dictionary<string, string> { [name] = value });
}

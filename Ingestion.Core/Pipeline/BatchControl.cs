using Ingestion.Core.Access;
using Ingestion.Core.Events;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Who asks, and why if they said.</summary>
public sealed record Actor(string TenantId, string Name, string? Reason = null)
{
    /// <summary>The network address the wish came from; null where it came from the machine itself.</summary>
    public string? Address { get; init; }

    /// <summary>What people call the actor, for the log that they read; null where the name says it.</summary>
    public string? DisplayName { get; init; }

    /// <summary>How much of the tenant the actor reaches.</summary>
    public Narrowing Narrowing { get; init; } = Narrowing.None;

    /// <summary>What the actor sees.</summary>
    public Scope Scope => new(TenantId, Name, Narrowing);
}

/// <summary>What came of an act. Not done means a conflict with the batch's state, said in the message; nothing was changed.</summary>
public sealed record ControlResult(bool Done, string Message);

/// <summary>
/// What people ask of batches: start, pause, resume, cancel. The wish is written in a commit of its own; tasks follow in slices. Locks
/// are taken in one order everywhere: event numbers, batch, tasks. Each act is an event and an audit entry.
/// </summary>
public sealed class BatchControl(NpgsqlDataSource worker, Hints hints, StageWaker waker, ILogger<BatchControl> log)
{
    public Task<ControlResult> StartAsync(Actor actor, long batchId, CancellationToken ct) => ChangeAsync(actor, batchId, "start", batch => batch switch
    {
        { Draft: true } => new("This batch is still a draft; finish it in the wizard."),
        { State: BatchState.Pending } => new(BatchState.Queued, DesiredState.Run, EventKinds.BatchStarted, "The batch is queued."),
        { State: BatchState.Paused } => new("The batch is paused; resume it."),
        _ => new($"The batch is {batch.State.Word()} already."),
    }, ct);

    public Task<ControlResult> PauseAsync(Actor actor, long batchId, CancellationToken ct) => ChangeAsync(actor, batchId, "pause", batch => batch switch
    {
        { DesiredState: DesiredState.Cancel } => new("The batch is being cancelled."),
        { State: BatchState.Queued or BatchState.Running or BatchState.Retrying } => new(BatchState.Paused, DesiredState.Pause, EventKinds.BatchPaused, "Paused. What runs comes to its end; nothing new starts."),
        { State: BatchState.Paused } => new("The batch is paused already."),
        _ => new($"A batch that is {batch.State.Word()} cannot be paused."),
    }, ct);

    public Task<ControlResult> ResumeAsync(Actor actor, long batchId, CancellationToken ct) => ChangeAsync(actor, batchId, "resume", batch => batch switch
    {
        { DesiredState: DesiredState.Cancel } => new("The batch is being cancelled."),
        { State: BatchState.Paused } => new(BatchState.Queued, DesiredState.Run, EventKinds.BatchResumed, "Resumed."),
        { State: BatchState.Queued or BatchState.Running or BatchState.Retrying } => new("The batch is running already."),
        _ => new($"A batch that is {batch.State.Word()} cannot be resumed."),
    }, ct);

    /// <summary>Ends what is open: claims are taken away, their work is interrupted, and the fence refuses what it would still write.</summary>
    public async Task<ControlResult> CancelAsync(Actor actor, long batchId, CancellationToken ct)
    {
        var result = await ChangeAsync(actor, batchId, "cancel", batch => batch switch
        {
            { DesiredState: DesiredState.Cancel } when !batch.State.IsFinal() => new("The batch is being cancelled already."),
            { State: BatchState.Completed or BatchState.Failed or BatchState.Cancelled } => new($"The batch is {batch.State.Word()} already."),
            { Draft: true } => new("A draft is discarded, not cancelled."),
            _ => new(batch.State, DesiredState.Cancel, EventKinds.CancelRequested, "Cancelled."),
        }, ct);
        if (result.Done) await FinishCancelAsync(batchId, ct);
        return result;
    }

    /// <summary>Carries a wanted cancel to its end, slice by slice; safe to call again after a crash, from any process.</summary>
    public async Task FinishCancelAsync(long batchId, CancellationToken ct)
    {
        // A settling that a slice waited for may have opened the next task behind it: then another round follows.
        do
        {
            for (long? after = 0; after is not null;)
            {
                var from = after.Value;
                after = await Conflicts.RepeatAsync(token => CancelSliceAsync(batchId, from, token), ct);
                hints.Changed(batchId);
            }
        }
        while (!await Conflicts.RepeatAsync(token => EndCancelledAsync(batchId, token), ct));
    }

    // False where a task is still open. The lock on the event numbers makes that exact: a settling under way waits for it, and its task
    // still looks as if it ran.
    private async Task<bool> EndCancelledAsync(long batchId, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, null, ct) is not { DesiredState: DesiredState.Cancel } batch || batch.State.IsFinal()) return true;
        await using var open = new NpgsqlCommand("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE batch_id = @batch AND state IN ('ready', 'running', 'blocked'))", connection) { Parameters = { new("batch", batchId) } };
        if ((bool)(await open.ExecuteScalarAsync(ct))!) return false;
        await ExecuteAsync(connection, "UPDATE ingestion.import_input SET state = 'cancelled', completed_at = ingestion.clock() WHERE batch_id = @batch AND state = 'open'", batchId, ct);
        var counts = await BatchCounts.ReadAsync(connection, batchId, ct);
        await using var end = new NpgsqlCommand("""
            UPDATE ingestion.import_batch SET state = 'cancelled', completed_at = ingestion.clock(), final_counts = @counts WHERE id = @batch
            """, connection) { Parameters = { new("batch", batchId), new("counts", NpgsqlDbType.Jsonb) { Value = counts.ToJson() } } };
        await end.ExecuteNonQueryAsync(ct);
        await ImportEvents.AppendAsync(connection, batchId, [new(EventKinds.BatchCancelled, Data: $$"""{"counts":{{counts.ToJson()}}}""")], ct);
        await transaction.CommitAsync(ct);
        log.BatchState(batchId, "cancelled");
        hints.Changed(batchId);
        return true;
    }

    private async Task<long?> CancelSliceAsync(long batchId, long after, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var last = await CancelTasks.OfBatchAsync(connection, batchId, after, ct);
        await transaction.CommitAsync(ct);
        return last;
    }

    private async Task<ControlResult> ChangeAsync(Actor actor, long batchId, string action, Func<BatchRow, Change> decide, CancellationToken ct)
    {
        var (result, to) = await Conflicts.RepeatAsync(token => TryChangeAsync(actor, batchId, action, decide, token), ct);
        if (to is not { } state) return result;
        log.BatchState(batchId, state.Word());
        hints.Changed(batchId);
        waker.WakeAll();
        return result;
    }

    private async Task<(ControlResult Result, BatchState? To)> TryChangeAsync(Actor actor, long batchId, string action, Func<BatchRow, Change> decide, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { } batch) return (new(false, "There is no such batch."), null);
        var change = decide(batch);
        if (change.To is not { } to) return (new(false, change.Message), null);
        await using (var update = new NpgsqlCommand("""
            WITH b AS (UPDATE ingestion.import_batch SET state = @state, desired_state = @desired WHERE id = @batch)
            UPDATE ingestion.import_job SET active = false WHERE batch_id = @batch AND active
            """, connection) { Parameters = { new("batch", batchId), new("state", to.Word()), new("desired", change.Desired.Word()) } })
            await update.ExecuteNonQueryAsync(ct);
        await AuditLog.WriteAsync(connection, actor, action, $"batch {batch.PublicId}", ct);
        await ImportEvents.AppendAsync(connection, batchId, [new(change.Event, Data: ActData.Json(actor))], ct);
        await transaction.CommitAsync(ct);
        return (new(true, change.Message), to);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, long batchId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record Change(BatchState? To, DesiredState Desired, string Event, string Message)
    {
        public Change(string refusal) : this(null, default, "", refusal)
        {
        }
    }
}

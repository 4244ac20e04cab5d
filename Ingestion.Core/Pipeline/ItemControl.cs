using Ingestion.Core.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// What people ask of single documents of a batch, or of a selection of them, besides running them again (<see cref="BatchRetry"/>):
/// to cancel them, and to try at once what waits for a pause of ours.
/// </summary>
public sealed class ItemControl(NpgsqlDataSource worker, Hints hints, StageWaker waker)
{
    // Rounds in a row that found nothing to cancel.
    private const int IdleRounds = 5;

    /// <summary>
    /// Ends the open ones among these items: claims are taken away, their work is interrupted, and the fence refuses what it would still
    /// write. Up to a thousand at a time are one transaction.
    /// </summary>
    public async Task<ControlResult> CancelAsync(Actor actor, long batchId, IReadOnlyList<long> items, CancellationToken ct)
    {
        if (await Conflicts.RepeatAsync(token => BeginCancelAsync(actor, batchId, items, token), ct) is { } refused) return new(false, refused);
        var (cancelled, open, idle) = (0, 0, 0);
        // A settling that a slice waited for may have moved its item on: then another round follows. One that has no task at all, which
        // must not be, would be looked for for ever.
        do
        {
            var before = cancelled;
            foreach (var slice in CancelTasks.Slices(items))
                cancelled += await Conflicts.RepeatAsync(token => CancelSliceAsync(batchId, slice, token), ct);
            open = await CountOpenAsync(batchId, items, ct);
            idle = cancelled == before ? idle + 1 : 0;
        }
        while (open > 0 && idle < IdleRounds);
        hints.Changed(batchId);
        waker.WakeAll();
        if (open > 0) return new(false, $"{cancelled:N0} documents are cancelled; {open:N0} would not end. Run the self-check: it says what is wrong with them.");
        return new(true, cancelled switch
        {
            0 => "They ended before they could be cancelled.",
            1 => "1 document is cancelled.",
            _ => $"{cancelled:N0} documents are cancelled.",
        });
    }

    /// <summary>
    /// Lets what waits for a pause of ours go on at once: after a failed attempt, a lost worker, or a service that did not answer. Turns
    /// at hosts stay as they are: they are promises to others.
    /// </summary>
    /// <param name="items">Only these; null for the whole batch.</param>
    public async Task<ControlResult> TryNowAsync(Actor actor, long batchId, IReadOnlyList<long>? items, CancellationToken ct)
    {
        var result = await Conflicts.RepeatAsync(token => EndWaitsAsync(actor, batchId, items, token), ct);
        if (!result.Done) return result;
        hints.Changed(batchId);
        waker.WakeAll();
        return result;
    }

    // Null where it may go on; else why not.
    private async Task<string?> BeginCancelAsync(Actor actor, long batchId, IReadOnlyList<long> items, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { } batch) return "There is no such batch.";
        if (batch.DesiredState == DesiredState.Cancel && !batch.State.IsFinal()) return "The batch is being cancelled.";
        var open = await CountOpenAsync(connection, batchId, items, ct);
        if (open == 0) return "Nothing to cancel: none of these documents is open.";
        await AuditLog.WriteAsync(connection, actor, "cancel_items", $"batch {batch.PublicId}", ct, $$"""{"items":{{open}}}""");
        await ImportEvents.AppendAsync(connection, batchId, [new(EventKinds.CancelRequested, Data: ActData.Json(actor, ("items", open)))], ct);
        await transaction.CommitAsync(ct);
        return null;
    }

    private async Task<int> CancelSliceAsync(long batchId, long[] items, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var events = await CancelTasks.OfItemsAsync(connection, batchId, items, "This document was cancelled.", ct);
        if (events.Count == 0) return 0;
        await ImportEvents.AppendAsync(connection, batchId, events, ct);
        await BatchCompletion.TryCompleteAsync(connection, batchId, ct);
        await transaction.CommitAsync(ct);
        return events.Count;
    }

    private async Task<ControlResult> EndWaitsAsync(Actor actor, long batchId, IReadOnlyList<long>? items, CancellationToken ct)
    {
        const string sql = """
            WITH waiting AS (
                SELECT id FROM ingestion.import_task_run
                WHERE batch_id = @batch AND state = 'ready' AND scheduled_at > ingestion.clock() AND wait_reason = ANY(@reasons)
                  AND (@items IS NULL OR item_id = ANY(@items))
                ORDER BY id
                FOR NO KEY UPDATE
            )
            UPDATE ingestion.import_task_run t SET scheduled_at = ingestion.clock(), wait_reason = NULL FROM waiting WHERE t.id = waiting.id
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { } batch) return new(false, "There is no such batch.");
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("batch", batchId), new("reasons", WaitReasons.OurPauses.ToArray()), Ids("items", items) },
        };
        var count = await command.ExecuteNonQueryAsync(ct);
        if (count == 0) return new(false, "Nothing waits for a pause that could be cut short.");
        await AuditLog.WriteAsync(connection, actor, "try_now", $"batch {batch.PublicId}", ct, $$"""{"items":{{count}}}""");
        await ImportEvents.AppendAsync(connection, batchId, [new(EventKinds.WaitsEnded, Data: ActData.Json(actor, ("items", count)))], ct);
        await transaction.CommitAsync(ct);
        return new(true, count == 1 ? "1 document is tried at once." : $"{count:N0} documents are tried at once.");
    }

    private async Task<int> CountOpenAsync(long batchId, IReadOnlyList<long> items, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        return await CountOpenAsync(connection, batchId, items, ct);
    }

    private static async Task<int> CountOpenAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<long> items, CancellationToken ct)
    {
        const string sql = "SELECT count(*)::int FROM ingestion.import_item WHERE batch_id = @batch AND state = 'open' AND id = ANY(@items)";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), Ids("items", items) } };
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static NpgsqlParameter Ids(string name, IReadOnlyList<long>? ids) =>
        new(name, NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)ids?.ToArray() ?? DBNull.Value };
}

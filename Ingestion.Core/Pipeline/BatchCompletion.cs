using Ingestion.Core.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Ends a batch when nothing but review is left, in the transaction of whoever settled last.</summary>
internal static class BatchCompletion
{
    /// <summary>
    /// Call after the event number was taken: that lock orders the settlings of a batch, so of two last ones the second sees the first.
    /// Freezes the counts and writes the event. A batch that is to be cancelled is left to the cancel. Returns the state the batch ended in, or null where it goes on.
    /// </summary>
    public static async Task<BatchState?> TryCompleteAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        await using var look = new NpgsqlBatch(connection) { BatchCommands = { WorkLeft(batchId) } };
        return (bool)(await look.ExecuteScalarAsync(ct))! ? null : await CompleteAsync(connection, batchId, ct);
    }

    /// <summary>Asks whether a task of the batch is still to be done or at work.</summary>
    public static NpgsqlBatchCommand WorkLeft(long batchId) =>
        new("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE batch_id = @batch AND state IN ('ready', 'running'))") { Parameters = { new("batch", batchId) } };

    /// <summary>The end itself, for a caller that has asked for work left, after the number, and found none.</summary>
    public static async Task<BatchState?> CompleteAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        FaultPoints.Reach(FaultPoints.Completing);
        var counts = await BatchCounts.ReadAsync(connection, batchId, ct);
        var (state, message) = Judge(counts);
        const string sql = """
            WITH ended AS (
                UPDATE ingestion.import_batch
                SET state = @state, completed_at = ingestion.clock(), started_at = coalesce(started_at, ingestion.clock()), final_counts = @counts, message = @message
                WHERE id = @batch AND NOT draft AND state NOT IN ('completed', 'failed', 'cancelled') AND desired_state <> 'cancel'
                RETURNING id
            )
            UPDATE ingestion.import_job j SET active = false FROM ended WHERE j.batch_id = ended.id
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("state", state.Word()),
                new("counts", NpgsqlDbType.Jsonb) { Value = counts.ToJson() },
                new("message", NpgsqlDbType.Text) { Value = (object?)message ?? DBNull.Value },
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
        {
            await FreezeAgainAsync(connection, batchId, counts, ct);
            return null;
        }
        await ImportEvents.AppendAsync(connection, batchId, [new(EventKinds.BatchCompleted, Data: $$"""{"state":"{{state.Word()}}","counts":{{counts.ToJson()}}}""")], ct);
        return state;
    }

    // What is decided after the end changes the counts and never the word: they are frozen again when the last of it is done.
    private static async Task FreezeAgainAsync(NpgsqlConnection connection, long batchId, BatchCounts counts, CancellationToken ct)
    {
        const string sql = """
            WITH ended AS (
                UPDATE ingestion.import_batch
                SET final_counts = @counts, message = CASE WHEN message LIKE '%for review.' OR message IS NULL THEN @message ELSE message END
                WHERE id = @batch AND state IN ('completed', 'failed', 'cancelled') AND final_counts IS DISTINCT FROM @counts
                RETURNING id
            )
            UPDATE ingestion.import_job j SET active = false FROM ended WHERE j.batch_id = ended.id AND j.active
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("counts", NpgsqlDbType.Jsonb) { Value = counts.ToJson() },
                new("message", NpgsqlDbType.Text) { Value = (object?)Remark(counts) ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Lets what a decision sent on be claimed although the batch has ended; its counts are live until that is done. For a batch that is held under lock.</summary>
    public static async Task ThawAsync(NpgsqlConnection connection, BatchRow batch, CancellationToken ct)
    {
        if (!batch.State.IsFinal()) return;
        await using var command = new NpgsqlCommand("""
            UPDATE ingestion.import_batch SET final_counts = NULL, desired_state = 'run' WHERE id = @batch;
            UPDATE ingestion.import_job SET active = true, served_at = ingestion.clock() WHERE batch_id = @batch AND NOT active
            """, connection) { Parameters = { new("batch", batch.Id) } };
        await command.ExecuteNonQueryAsync(ct);
    }

    // What the word of an end that went well does not say. What waits stands last: by it the message is known again when the counts change.
    private static string? Remark(BatchCounts counts)
    {
        var failed = counts.FailedInputs switch { 0 => "", 1 => "1 source failed. ", var n => $"{n} sources failed. " };
        var waiting = counts.AwaitingReview switch { 0 => "", 1 => "1 document waits for review.", var n => $"{n} documents wait for review." };
        return failed.Length + waiting.Length == 0 ? null : (failed + waiting).TrimEnd();
    }

    private static (BatchState State, string? Message) Judge(BatchCounts c) => c switch
    {
        { Total: 0, FailedInputs: > 0 } => (BatchState.Failed, "Nothing could be discovered; see the failed inputs."),
        { Total: 0 } => (BatchState.Completed, "Nothing was found to ingest."),
        { Done: 0, Skipped: 0, Open: 0, Failed: 0, Rejected: 0 } => (BatchState.Completed, "Every document was cancelled."),
        { Done: 0, Skipped: 0, Open: 0, Failed: 0, Cancelled: 0 } => (BatchState.Completed, "Every document was rejected."),
        { Done: 0, Skipped: 0, Open: 0, Cancelled: > 0 } => (BatchState.Failed, "No document was published: each failed or was cancelled."),
        { Done: 0, Skipped: 0, Open: 0 } => (BatchState.Failed, "Every document failed."),
        _ => (BatchState.Completed, Remark(c)),
    };
}

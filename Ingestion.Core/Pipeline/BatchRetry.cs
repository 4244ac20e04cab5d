using System.Text.Json;
using Ingestion.Core.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Which items of a batch run again.</summary>
public enum RetryScope
{
    /// <summary>Those that failed or were cancelled.</summary>
    Failed,
    /// <summary>Every item that ended, also those that ended well.</summary>
    All,
}

/// <summary>
/// Runs ended items again: a new task run at the stage where each ended (at parsing, where options changed and the bytes are here).
/// Old task runs stay as they are, with their attempts and errors.
/// </summary>
public sealed class BatchRetry(NpgsqlDataSource worker, Hints hints, StageWaker waker)
{
    /// <param name="items">Only these items; null for the whole batch, with the inputs whose listing failed.</param>
    /// <param name="options">New options for the batch from here on; null keeps them.</param>
    /// <param name="seenOptions">
    /// The batch's options as the person saw them when choosing new ones, as JSON: where somebody changed them since, nothing is done.
    /// Null overwrites whatever stands.
    /// </param>
    public async Task<ControlResult> RetryAsync(
        Actor actor, long batchId, RetryScope scope, IReadOnlyList<long>? items, ProcessingOptions? options, CancellationToken ct, string? seenOptions = null)
    {
        var result = await Conflicts.RepeatAsync(token => TryRetryAsync(actor, batchId, scope, items, options, seenOptions, token), ct);
        if (!result.Done) return result;
        hints.Changed(batchId);
        waker.WakeAll();
        return result;
    }

    private async Task<ControlResult> TryRetryAsync(
        Actor actor, long batchId, RetryScope scope, IReadOnlyList<long>? items, ProcessingOptions? options, string? seenOptions, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { } batch) return new(false, "There is no such batch.");
        if (batch.Draft || batch.State == BatchState.Pending) return new(false, "The batch has not been started.");
        if (batch.DesiredState == DesiredState.Cancel && !batch.State.IsFinal()) return new(false, "The batch is being cancelled.");
        if (options is not null && seenOptions is not null && seenOptions != batch.Options)
            return new(false, "Somebody changed the batch's options meanwhile. Look at them, then choose again.");
        var changed = options is not null && JsonSerializer.Serialize(options) != JsonSerializer.Serialize(ProcessingOptions.Read(JsonDocument.Parse(batch.Options).RootElement, new()));
        if (changed) await SetOptionsAsync(connection, batchId, options!, ct);

        var inputs = items is null ? await ReopenInputsAsync(connection, batchId, ct) : 0;
        var reopened = await ReopenAsync(connection, batchId, scope, items, changed, ct);
        if (reopened.Count == 0 && inputs == 0)
            return new(false, scope == RetryScope.All ? "Nothing to run again: none of these documents has ended." : "Nothing to retry: no item failed.");

        await AuditLog.WriteAsync(connection, actor, "retry", $"batch {batch.PublicId}", ct, JsonSerializer.Serialize(new { items = reopened.Count, options_changed = changed }));
        if (batch.State.IsFinal())
        {
            await using var update = new NpgsqlCommand("""
                UPDATE ingestion.import_batch SET state = 'retrying', desired_state = 'run', completed_at = NULL, final_counts = NULL, message = NULL WHERE id = @batch;
                UPDATE ingestion.import_job SET active = true, served_at = ingestion.clock() WHERE batch_id = @batch
                """, connection) { Parameters = { new("batch", batchId) } };
            await update.ExecuteNonQueryAsync(ct);
        }
        var events = new List<NewEvent> { new(EventKinds.BatchRetried, Data: ActData.Json(actor, ("items", reopened.Count), ("inputs", inputs))) };
        events.AddRange(reopened.Select(i => new NewEvent(EventKinds.ItemRetried, i.Item, null, i.Stage)));
        await ImportEvents.AppendAsync(connection, batchId, events, ct);
        await transaction.CommitAsync(ct);
        return new(true, Message(reopened.Count, inputs));
    }

    private static string Message(int items, int inputs) => (items, inputs) switch
    {
        (0, _) => inputs == 1 ? "1 input is listed again." : $"{inputs} inputs are listed again.",
        (_, > 0) => $"{items} items run again and {inputs} inputs are listed again.",
        (1, _) => "1 item runs again.",
        _ => $"{items} items run again.",
    };

    private static async Task<List<(long Item, string Stage)>> ReopenAsync(NpgsqlConnection connection, long batchId, RetryScope scope, IReadOnlyList<long>? items, bool changed, CancellationToken ct)
    {
        const string sql = """
            WITH again AS (
                SELECT i.id,
                       CASE WHEN i.source_version_id IS NULL THEN 'acquire'
                            WHEN @changed OR i.state IN ('done', 'skipped') THEN 'parse'
                            ELSE i.stage END AS stage
                FROM ingestion.import_item i
                WHERE i.batch_id = @batch AND (@items IS NULL OR i.id = ANY(@items))
                  AND (i.state IN ('failed', 'cancelled') OR (@all AND i.state IN ('done', 'skipped')))
                ORDER BY i.id
                FOR UPDATE
            ), reopened AS (
                UPDATE ingestion.import_item i
                SET state = 'open', stage = again.stage, step = 'pending', progress_current = 0, progress_total = NULL, progress_message = NULL,
                    error_code = NULL, error_message = NULL, error_details = NULL, completed_at = NULL
                FROM again WHERE i.id = again.id
                RETURNING i.id, i.tenant_id, i.batch_id, i.stage
            ), tasks AS (
                INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
                SELECT r.tenant_id, r.batch_id, j.id, r.id, r.stage, 'ready', 0, 0, 0, ingestion.clock()
                FROM reopened r JOIN ingestion.import_job j ON j.batch_id = r.batch_id AND j.stage = r.stage
                ORDER BY r.id
            )
            SELECT id, stage FROM reopened ORDER BY id
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("changed", changed), new("all", scope == RetryScope.All),
                new("items", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)items?.ToArray() ?? DBNull.Value },
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var reopened = new List<(long, string)>();
        while (await r.ReadAsync(ct)) reopened.Add((r.GetInt64(0), r.GetString(1)));
        return reopened;
    }

    private static async Task<int> ReopenInputsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        // A listing that ended well is not listed again: its items are here, and they are what is retried.
        const string sql = """
            WITH again AS (
                UPDATE ingestion.import_input SET state = 'open', completed_at = NULL, error_code = NULL, error_message = NULL
                WHERE batch_id = @batch AND state IN ('failed', 'cancelled')
                RETURNING id, tenant_id, batch_id
            )
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, input_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT a.tenant_id, a.batch_id, j.id, a.id, 'discover', 'ready', 0, 0, 0, ingestion.clock()
            FROM again a JOIN ingestion.import_job j ON j.batch_id = a.batch_id AND j.stage = 'discover'
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        return await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task SetOptionsAsync(NpgsqlConnection connection, long batchId, ProcessingOptions options, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE ingestion.import_batch SET options = @options WHERE id = @batch;
            UPDATE ingestion.import_job SET max_workers = @workers WHERE batch_id = @batch
            """, connection)
        {
            Parameters = { new("batch", batchId), new("options", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(options) }, new("workers", options.Workers) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}

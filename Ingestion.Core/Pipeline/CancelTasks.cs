using Ingestion.Core.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// The statement by which people end tasks: task, item and the content it carried, in one transaction with the events. Tasks are locked
/// before event numbers, as a settling does it: one that is under way comes to its end first, and what it opened is met by another round.
/// </summary>
internal static class CancelTasks
{
    private const int Slice = 1000;

    /// <summary>Cancels open tasks of a batch that is to be cancelled, after a number; the last one's, or null where there was none.</summary>
    public static async Task<long?> OfBatchAsync(NpgsqlConnection connection, long batchId, long after, CancellationToken ct)
    {
        // One snapshot: a batch that was cancelled, ended and retried meanwhile has tasks that this statement does not see.
        var events = await RunAsync(connection, """
            t.batch_id = @batch AND t.id > @after AND (SELECT b.desired_state = 'cancel' FROM ingestion.import_batch b WHERE b.id = @batch)
            """, "The batch was cancelled.", [new("batch", batchId), new("after", after)], ct);
        if (events.Count == 0) return null;
        await ImportEvents.AppendAsync(connection, batchId, events, ct);
        return events[^1].TaskId;
    }

    /// <summary>Cancels the open tasks of at most <see cref="Slice"/> items and returns the events, for the caller to append last.</summary>
    public static Task<List<NewEvent>> OfItemsAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<long> items, string message, CancellationToken ct) =>
        RunAsync(connection, "t.batch_id = @batch AND t.item_id = ANY(@items)", message, [new("batch", batchId), new("items", items.ToArray())], ct);

    /// <summary>Items in parts that one transaction takes.</summary>
    public static IEnumerable<long[]> Slices(IReadOnlyList<long> items) => items.Order().Chunk(Slice);

    private static async Task<List<NewEvent>> RunAsync(NpgsqlConnection connection, string which, string message, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        // A statement of its own: it waits for what running tasks are just writing, and only the next one sees that, such as a claim on content.
        var open = new List<long>();
        await using (var hold = new NpgsqlCommand($"""
            SELECT t.id FROM ingestion.import_task_run t
            WHERE {which} AND t.state IN ('ready', 'running', 'blocked')
            ORDER BY t.id
            LIMIT {Slice}
            FOR NO KEY UPDATE OF t
            """, connection))
        {
            hold.Parameters.AddRange(parameters);
            await using var held = await hold.ExecuteReaderAsync(ct);
            while (await held.ReadAsync(ct)) open.Add(held.GetInt64(0));
        }
        if (open.Count == 0) return [];
        const string end = """
            WITH tasks AS (
                UPDATE ingestion.import_task_run t SET state = 'cancelled', finished_at = ingestion.clock(), lease_until = NULL, error_code = 'cancelled'
                WHERE t.id = ANY(@open)
                RETURNING t.id, t.item_id, t.stage
            ), items AS (
                UPDATE ingestion.import_item i SET state = 'cancelled', step = 'finished', error_code = 'cancelled', error_message = @message, progress_message = NULL, completed_at = ingestion.clock()
                FROM tasks WHERE i.id = tasks.item_id AND i.state = 'open'
            ), freed AS (
                DELETE FROM ingestion.content_claim c USING tasks WHERE c.item_id = tasks.item_id
            ), withdrawn AS (
                UPDATE ingestion.review_item r SET state = 'withdrawn', version = r.version + 1, decided_at = ingestion.clock(), decision_reason = @message
                FROM tasks WHERE r.item_id = tasks.item_id AND r.state = 'open'
            )
            SELECT id, item_id, stage FROM tasks ORDER BY id
            """;
        await using var command = new NpgsqlCommand(end, connection) { Parameters = { new("message", NpgsqlDbType.Text) { Value = message }, new("open", open.ToArray()) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var events = new List<NewEvent>();
        while (await r.ReadAsync(ct))
            events.Add(new(EventKinds.ItemCancelled, r.IsDBNull(1) ? null : r.GetInt64(1), r.GetInt64(0), r.GetString(2)));
        return events;
    }
}

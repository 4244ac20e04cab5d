using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>How tasks of items end well, one or many of a batch in one statement: task, item, next task, events.</summary>
public static partial class ImportQueue
{
    // Locked in the order of numbers, as everybody locks tasks who locks several. By task and attempt: a late attempt may stand in one
    // group with the one that took its place. Cancelled meanwhile: what a cancel finds running it ends itself.
    private const string OwnTasks = """
        FROM mine
        JOIN ingestion.import_task_run t ON t.id = mine.id AND t.attempt = mine.attempt AND t.state = 'running'
        WHERE @held OR NOT EXISTS (SELECT FROM ingestion.import_batch b WHERE b.id = @batch AND b.desired_state = 'cancel')
        ORDER BY t.id
        FOR NO KEY UPDATE OF t
        """;

    // A document that waits for a person, perhaps for days, keeps no other from carrying the same content: freed. Each part feeds the next, so the row of the event numbers is locked last. What must not be (another task for an item that is final,
    // a stage that the batch has no job for) comes out as NULL, which fails the whole settling.
    private const string Settle = $"""
        WITH mine AS MATERIALIZED (
            SELECT * FROM unnest(@ids, @attempts, @nexts, @datas) WITH ORDINALITY AS m (id, attempt, next, data, ord)
        ), held AS MATERIALIZED (
            SELECT t.id, mine.next, mine.data, mine.ord
            {OwnTasks}
        ), done AS (
            UPDATE ingestion.import_task_run t
            SET state = 'succeeded', finished_at = ingestion.clock(), lease_until = NULL, error_code = NULL, error_message = NULL
            FROM held
            WHERE t.id = held.id
            RETURNING t.id, t.attempt, t.item_id, t.stage, held.next, held.data, held.ord
        ), freed AS (
            DELETE FROM ingestion.content_claim WHERE item_id IN (SELECT item_id FROM done WHERE next IS NULL OR next = 'review')
        ), moved AS (
            UPDATE ingestion.import_item i
            SET stage = coalesce(d.next, i.stage),
                state = CASE WHEN d.next IS NULL THEN 'done' WHEN i.state = 'open' THEN 'open' END,
                step = CASE WHEN d.next IS NULL THEN 'finished' WHEN d.next = 'review' THEN 'reviewing' ELSE 'pending' END,
                progress_current = 0, progress_total = NULL, progress_message = NULL,
                completed_at = CASE WHEN d.next IS NULL THEN ingestion.clock() END,
                started_at = coalesce(i.started_at, ingestion.clock())
            FROM done d
            WHERE i.id = d.item_id AND (i.state = 'open' OR d.next IS NOT NULL)
            RETURNING i.id, d.next
        ), opened AS (
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT j.tenant_id, j.batch_id, j.id, m.id, m.next, CASE WHEN m.next = 'review' THEN 'blocked' ELSE 'ready' END, 0, 0, 0, ingestion.clock()
            FROM moved m
            LEFT JOIN ingestion.import_job j ON j.batch_id = @batch AND j.stage = m.next
            WHERE m.next IS NOT NULL
            ORDER BY m.id
            RETURNING id
        ), facts AS MATERIALIZED (
            SELECT row_number() OVER (ORDER BY d.ord, k.part) AS n, k.kind, d.item_id, k.task_id, k.stage, k.data
            FROM done d
            CROSS JOIN LATERAL (VALUES (1, 'stage_done', d.id, d.stage, d.data), (2, 'item_done', NULL, NULL, NULL), (3, 'review_requested', NULL, 'review', d.data)) AS k (part, kind, task_id, stage, data)
            WHERE k.part = 1 OR (k.part = 2 AND d.next IS NULL) OR (k.part = 3 AND d.next = 'review')
        ), taken AS (
            UPDATE ingestion.import_batch_seq s
            SET seq = s.seq + n.count
            FROM (SELECT count(*) AS count FROM facts WHERE (SELECT count(*) FROM opened) >= 0) n
            WHERE s.batch_id = @batch AND n.count > 0
            RETURNING s.seq - n.count AS start, s.tenant_id
        ), written AS (
            INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, at, kind, item_id, task_id, stage, data)
            SELECT @batch, taken.start + f.n, taken.tenant_id, ingestion.clock() + (clock_timestamp() - now()), f.kind, f.item_id, f.task_id, f.stage, f.data::jsonb
            FROM taken, facts f
        )
        SELECT id, attempt FROM done
        """;

    private const string Hold = $"""
        WITH mine AS MATERIALIZED (SELECT * FROM unnest(@ids, @attempts) AS m (id, attempt))
        SELECT t.id, t.attempt
        {OwnTasks}
        """;

    /// <summary>
    /// Locks those of a batch's tasks that are still ours until the transaction ends, and says which: for the others nothing may be
    /// written. None where the batch is to be cancelled.
    /// </summary>
    internal static async Task<HashSet<(long Task, int Attempt)>> HoldAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<DoneTask> tasks, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Hold, connection);
        Name(command.Parameters, batchId, tasks, held: false);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await ReadHeldAsync(reader, ct);
    }

    /// <summary>Ends tasks of one batch well, moves their items on and tells it; returns a row for each that was still ours.</summary>
    /// <param name="held">They are locked already: nobody can have taken them, and a cancel that comes now finds what they open.</param>
    internal static NpgsqlBatchCommand SettleDone(long batchId, IReadOnlyList<DoneTask> tasks, bool held)
    {
        var command = new NpgsqlBatchCommand(Settle);
        Name(command.Parameters, batchId, tasks, held);
        command.Parameters.Add(new("nexts", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = tasks.Select(t => t.Next?.Word()).ToArray() });
        command.Parameters.Add(new("datas", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = tasks.Select(t => t.Outcome.Data).ToArray() });
        return command;
    }

    internal static async Task<HashSet<(long Task, int Attempt)>> ReadHeldAsync(NpgsqlDataReader reader, CancellationToken ct)
    {
        var held = new HashSet<(long, int)>();
        while (await reader.ReadAsync(ct)) held.Add((reader.GetInt64(0), reader.GetInt32(1)));
        return held;
    }

    private static void Name(NpgsqlParameterCollection parameters, long batchId, IReadOnlyList<DoneTask> tasks, bool held) => parameters.AddRange(new NpgsqlParameter[]
    {
        new("batch", batchId), new("held", held),
        new("ids", tasks.Select(t => t.Task.Id).ToArray()), new("attempts", tasks.Select(t => t.Task.Attempt).ToArray()),
    });
}

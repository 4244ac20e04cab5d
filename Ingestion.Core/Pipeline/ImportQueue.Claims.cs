using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>How tasks are taken: fairly, in large helpings, and never more of a batch than it may have at work.</summary>
public static partial class ImportQueue
{
    // The first half of the advisory locks by which claims of one batch take turns; the second half is the batch.
    private const int ClaimGate = 0x436C61;

    // The first statement makes claims of other stages and processes wait that look at the same batches; the second has a snapshot of
    // its own, taken after that wait, and so sees what they claimed: max_workers holds over all stages. Locks are taken in the order of
    // batches, so claims cannot deadlock. The laterals with LIMIT keep the planner to one index probe a job, whatever its statistics say.
    private const string TakeTurns = """
        WITH due AS MATERIALIZED (
            SELECT DISTINCT j.batch_id
            FROM ingestion.import_job j
            CROSS JOIN LATERAL (
                SELECT 1 FROM ingestion.import_task_run t
                WHERE t.job_id = j.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                ORDER BY t.scheduled_at
                LIMIT 1) first
            WHERE j.active AND j.stage = @stage AND (j.small OR NOT @small)
            ORDER BY j.batch_id
        ), held AS MATERIALIZED (
            SELECT batch_id, pg_advisory_xact_lock(@gate, (batch_id % 2147483647)::int) FROM due
        )
        SELECT set_config('ingestion.claiming', coalesce(string_agg(batch_id::text, ','), ''), true) FROM held;
        """;

    // A tenant's turn comes when it was served longest ago, however many batches it has, and within a turn its batches have theirs; no
    // tenant takes more than its share of one helping while others wait. FOR NO KEY UPDATE: a settling that opens a task references the
    // job's key and must not make the claim skip it.
    private const string Take = """
        WITH waiting AS MATERIALIZED (
            SELECT j.id, j.tenant_id, j.served_at + j.turn_shift - CASE WHEN j.small THEN @head_start ELSE interval '0' END AS turn, j.max_workers - r.running AS free
            FROM ingestion.import_job j
            CROSS JOIN LATERAL (SELECT count(*) AS running FROM ingestion.import_task_run x WHERE x.batch_id = j.batch_id AND x.state = 'running') r
            CROSS JOIN LATERAL (
                SELECT 1 FROM ingestion.import_task_run t
                WHERE t.job_id = j.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                ORDER BY t.scheduled_at
                LIMIT 1) first
            WHERE j.active AND j.stage = @stage AND (j.small OR NOT @small) AND r.running < j.max_workers
              AND j.batch_id = ANY(string_to_array(current_setting('ingestion.claiming'), ',')::bigint[])
        ), tenants AS MATERIALIZED (
            SELECT tenant_id, max(served_at) AS served FROM ingestion.import_job WHERE active AND stage = @stage GROUP BY tenant_id
        ), turns AS MATERIALIZED (
            SELECT w.id, least(w.free, ceil(@limit::float8 / (SELECT count(DISTINCT tenant_id) FROM waiting))) AS free, w.turn, n.served,
                   row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.turn, w.id) AS round
            FROM waiting w
            JOIN tenants n ON n.tenant_id = w.tenant_id
        ), eligible AS (
            SELECT j.id, j.small, w.free
            FROM turns w
            JOIN ingestion.import_job j ON j.id = w.id
            WHERE j.active
            ORDER BY w.round, w.served, w.turn, j.id
            LIMIT @limit
            FOR NO KEY UPDATE OF j SKIP LOCKED
        ), picked AS (
            SELECT p.id, p.wait_reason, e.id AS job_id, e.small
            FROM eligible e
            CROSS JOIN LATERAL (
                SELECT t.id, t.wait_reason
                FROM ingestion.import_task_run t
                WHERE t.job_id = e.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                ORDER BY t.scheduled_at, t.id
                LIMIT e.free
                FOR NO KEY UPDATE SKIP LOCKED
            ) p
            LIMIT @limit
        ), served AS (
            UPDATE ingestion.import_job SET served_at = ingestion.clock() WHERE id IN (SELECT job_id FROM picked)
        )
        UPDATE ingestion.import_task_run t
        SET state = 'running', attempt = t.attempt + 1, worker = @worker, claimed_at = ingestion.clock(),
            lease_until = ingestion.clock() + @lease, wait_reason = NULL
        FROM picked
        WHERE t.id = picked.id
        RETURNING t.id, t.attempt, t.tenant_id, t.batch_id, t.job_id, t.item_id, t.input_id, t.failures, t.crashes, picked.wait_reason, picked.small,
                  (SELECT count(DISTINCT tenant_id) FROM waiting) = 1
        """;

    /// <summary>A small batch is served as if it had waited so much longer.</summary>
    private static readonly TimeSpan SmallHeadStart = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes up to <paramref name="limit"/> due tasks of a stage: tenants in the order of least recently served, of each its jobs in the
    /// same order (shifted by priority), of each job as many as its batch has free workers. With several tenants waiting it may take fewer
    /// than there are (<see cref="ClaimedTask.Alone"/> is false then). Two statements in one round trip and one transaction.
    /// </summary>
    /// <param name="smallOnly">True where only small batches may have what is free.</param>
    public static async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(
        NpgsqlConnection connection, Stage stage, string worker, int limit, TimeSpan lease, CancellationToken ct, bool smallOnly = false)
    {
        await using var command = new NpgsqlCommand(TakeTurns + Take, connection)
        {
            Parameters =
            {
                new("stage", stage.Word()), new("small", smallOnly), new("gate", ClaimGate),
                new("worker", worker), new("limit", limit), new("lease", lease), new("head_start", SmallHeadStart),
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        var claimed = new List<ClaimedTask>();
        while (await reader.ReadAsync(ct))
            claimed.Add(new(reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2), reader.GetInt64(3), reader.GetInt64(4),
                reader.IsDBNull(5) ? null : reader.GetInt64(5), reader.IsDBNull(6) ? null : reader.GetInt64(6),
                stage, reader.GetInt32(7), reader.GetInt32(8), reader.IsDBNull(9) ? null : reader.GetString(9), reader.GetBoolean(10), reader.GetBoolean(11)));
        return claimed;
    }
}

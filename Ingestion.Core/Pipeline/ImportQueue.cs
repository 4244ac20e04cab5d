using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Every statement by which the pipeline moves a task. Whoever reads this file knows every way a task can move, but for what people
/// ask (<see cref="BatchControl"/>). Every write after a claim names id, attempt and <c>running</c>: the fence.
/// </summary>
public static class ImportQueue
{
    // The first half of the advisory locks by which claims of one batch take turns; the second half is the batch.
    private const int ClaimGate = 0x436C61;

    // Ours still, and nobody has asked to cancel: what a cancel finds running it ends itself.
    private const string Fence = """
        WHERE id = @id AND attempt = @attempt AND state = 'running'
          AND NOT EXISTS (SELECT FROM ingestion.import_batch b WHERE b.id = batch_id AND b.desired_state = 'cancel')
        """;

    /// <summary>
    /// Takes up to <paramref name="limit"/> due tasks of a stage: jobs in the order of least recently served (shifted by priority),
    /// each up to its batch's free workers. Two statements in one round trip and one transaction; claims no more than can start now.
    /// </summary>
    public static async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(
        NpgsqlConnection connection, Stage stage, string worker, int limit, TimeSpan lease, CancellationToken ct)
    {
        // The first statement makes claims of other stages and processes wait that look at the same batches; the second has a snapshot of
        // its own, taken after that wait, and so sees what they claimed: max_workers holds over all stages. Locks are taken in the order of
        // batches, so claims cannot deadlock. FOR NO KEY UPDATE: a settling that opens a task references the job's key and must not make
        // the claim skip it. The laterals with LIMIT keep the planner to one index probe a job, whatever its statistics say.
        const string sql = """
            WITH due AS MATERIALIZED (
                SELECT DISTINCT j.batch_id
                FROM ingestion.import_job j
                CROSS JOIN LATERAL (
                    SELECT 1 FROM ingestion.import_task_run t
                    WHERE t.job_id = j.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                    ORDER BY t.scheduled_at
                    LIMIT 1) first
                WHERE j.active AND j.stage = @stage
                ORDER BY j.batch_id
            ), held AS MATERIALIZED (
                SELECT batch_id, pg_advisory_xact_lock(@gate, (batch_id % 2147483647)::int) FROM due
            )
            SELECT set_config('ingestion.claiming', coalesce(string_agg(batch_id::text, ','), ''), true) FROM held;

            WITH eligible AS (
                SELECT j.id, j.max_workers - r.running AS free
                FROM ingestion.import_job j
                CROSS JOIN LATERAL (SELECT count(*) AS running FROM ingestion.import_task_run x WHERE x.batch_id = j.batch_id AND x.state = 'running') r
                CROSS JOIN LATERAL (
                    SELECT 1 FROM ingestion.import_task_run t
                    WHERE t.job_id = j.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                    ORDER BY t.scheduled_at
                    LIMIT 1) first
                WHERE j.active AND j.stage = @stage AND r.running < j.max_workers
                  AND j.batch_id = ANY(string_to_array(current_setting('ingestion.claiming'), ',')::bigint[])
                ORDER BY j.served_at + j.turn_shift, j.id
                LIMIT @limit
                FOR NO KEY UPDATE OF j SKIP LOCKED
            ), picked AS (
                SELECT p.id, p.wait_reason, e.id AS job_id
                FROM eligible e
                CROSS JOIN LATERAL (
                    SELECT t.id, t.wait_reason
                    FROM ingestion.import_task_run t
                    WHERE t.job_id = e.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                    ORDER BY t.scheduled_at, t.id
                    LIMIT least(e.free, @limit)
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
            RETURNING t.id, t.attempt, t.tenant_id, t.batch_id, t.job_id, t.item_id, t.input_id, t.failures, t.crashes, picked.wait_reason
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("stage", stage.Word()), new("worker", worker), new("limit", limit), new("lease", lease), new("gate", ClaimGate) },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        var claimed = new List<ClaimedTask>();
        while (await reader.ReadAsync(ct))
            claimed.Add(new(reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2), reader.GetInt64(3), reader.GetInt64(4),
                reader.IsDBNull(5) ? null : reader.GetInt64(5), reader.IsDBNull(6) ? null : reader.GetInt64(6),
                stage, reader.GetInt32(7), reader.GetInt32(8), reader.IsDBNull(9) ? null : reader.GetString(9)));
        return claimed;
    }

    /// <summary>
    /// Locks the task under the fence and says what is wanted of its batch; null where the task is not ours any more or the batch is to
    /// be cancelled.
    /// </summary>
    public static async Task<DesiredState?> HoldAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct)
    {
        const string sql = """
            SELECT b.desired_state
            FROM ingestion.import_task_run t
            JOIN ingestion.import_batch b ON b.id = t.batch_id
            WHERE t.id = @id AND t.attempt = @attempt AND t.state = 'running' AND b.desired_state <> 'cancel'
            FOR NO KEY UPDATE OF t
            """;
        await using var command = Fenced(sql, connection, task);
        return await command.ExecuteScalarAsync(ct) is string word ? StateWords.Parse<DesiredState>(word) : null;
    }

    /// <summary>Ends a task well. False where it is not ours any more: then nothing may be written.</summary>
    public static Task<bool> SucceedAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct) => MoveAsync($"""
        UPDATE ingestion.import_task_run
        SET state = 'succeeded', finished_at = ingestion.clock(), lease_until = NULL, error_code = NULL, error_message = NULL
        {Fence}
        """, connection, task, [], ct);

    /// <summary>
    /// Ends tasks of one batch well, each under its own fence, and returns those that were still ours: for the others nothing may be
    /// written. By task and attempt: a late attempt may stand in one group with the one that took its place. In the order of numbers,
    /// as everybody locks tasks who locks several.
    /// </summary>
    public static async Task<HashSet<(long Task, int Attempt)>> SucceedAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<ClaimedTask> tasks, CancellationToken ct)
    {
        const string sql = """
            WITH held AS (
                SELECT t.id
                FROM unnest(@ids, @attempts) AS mine (id, attempt)
                JOIN ingestion.import_task_run t ON t.id = mine.id AND t.attempt = mine.attempt AND t.state = 'running'
                WHERE NOT EXISTS (SELECT FROM ingestion.import_batch b WHERE b.id = @batch AND b.desired_state = 'cancel')
                ORDER BY t.id
                FOR NO KEY UPDATE OF t
            )
            UPDATE ingestion.import_task_run t
            SET state = 'succeeded', finished_at = ingestion.clock(), lease_until = NULL, error_code = NULL, error_message = NULL
            FROM held
            WHERE t.id = held.id
            RETURNING t.id, t.attempt
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("ids", tasks.Select(t => t.Id).ToArray()), new("attempts", tasks.Select(t => t.Attempt).ToArray()), new("batch", batchId) },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var held = new HashSet<(long, int)>();
        while (await reader.ReadAsync(ct)) held.Add((reader.GetInt64(0), reader.GetInt32(1)));
        return held;
    }

    /// <summary>True where this very attempt ended well: the answer to a commit whose reply was lost.</summary>
    public static async Task<bool> HasSucceededAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct)
    {
        const string sql = "SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE id = @id AND attempt = @attempt AND state = 'succeeded')";
        await using var command = Fenced(sql, connection, task);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Ends a task that failed for good; the last failure is charged.</summary>
    public static Task<bool> FailAsync(NpgsqlConnection connection, ClaimedTask task, string code, string message, CancellationToken ct) => MoveAsync($"""
        UPDATE ingestion.import_task_run
        SET state = 'failed', finished_at = ingestion.clock(), lease_until = NULL, failures = failures + 1, error_code = @code, error_message = @message
        {Fence}
        """, connection, task, [new("code", code), new("message", message)], ct);

    /// <summary>Charges a failure and makes the task ready again after a pause. Its worker lived: crashes are counted in a row.</summary>
    public static Task<bool> RetryAsync(NpgsqlConnection connection, ClaimedTask task, string code, string message, TimeSpan after, string reason, CancellationToken ct) => MoveAsync($"""
        UPDATE ingestion.import_task_run
        SET state = 'ready', lease_until = NULL, failures = failures + 1, crashes = 0, scheduled_at = ingestion.clock() + @after, wait_reason = @reason,
            error_code = @code, error_message = @message
        {Fence}
        """, connection, task, [new("code", code), new("message", message), new("after", after), new("reason", reason)], ct);

    /// <summary>Makes the task ready again later without charging anything. Its worker lived: crashes are counted in a row.</summary>
    public static Task<bool> PostponeAsync(NpgsqlConnection connection, ClaimedTask task, TimeSpan after, string reason, CancellationToken ct) => MoveAsync($"""
        UPDATE ingestion.import_task_run
        SET state = 'ready', lease_until = NULL, crashes = 0, scheduled_at = ingestion.clock() + @after, wait_reason = @reason
        {Fence}
        """, connection, task, [new("after", after), new("reason", reason)], ct);

    /// <summary>Hands the task to a person.</summary>
    public static Task<bool> BlockAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct) => MoveAsync($"""
        UPDATE ingestion.import_task_run SET state = 'blocked', lease_until = NULL
        {Fence}
        """, connection, task, [], ct);

    /// <summary>Opens tasks of items at a stage; they are ready at once. A final item, or a batch without such a job, is refused by the table.</summary>
    internal static NpgsqlBatchCommand Open(IReadOnlyList<long> items, Stage stage)
    {
        // What must not be comes out as NULL, which fails the whole settling.
        const string sql = """
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT i.tenant_id, i.batch_id, j.id, i.id, @stage, CASE i.state WHEN 'open' THEN 'ready' END, 0, 0, 0, ingestion.clock()
            FROM ingestion.import_item i
            LEFT JOIN ingestion.import_job j ON j.batch_id = i.batch_id AND j.stage = @stage
            WHERE i.id = ANY(@items)
            ORDER BY i.id
            """;
        return new(sql) { Parameters = { new("items", items.ToArray()), new("stage", stage.Word()) } };
    }

    /// <summary>Extends the leases of what this process still holds. Rows that somebody is just settling are left alone.</summary>
    public static async Task RenewAsync(NpgsqlConnection connection, string worker, IReadOnlyList<long> tasks, TimeSpan lease, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.import_task_run SET lease_until = ingestion.clock() + @lease
            WHERE id IN (
                SELECT id FROM ingestion.import_task_run
                WHERE id = ANY(@tasks) AND worker = @worker AND state = 'running'
                ORDER BY id
                FOR UPDATE SKIP LOCKED)
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("lease", lease), new("tasks", tasks.ToArray()), new("worker", worker) } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Which of these claims still stand, by task and attempt.</summary>
    public static async Task<HashSet<(long Task, int Attempt)>> StandingAsync(NpgsqlConnection connection, string worker, IReadOnlyList<long> tasks, CancellationToken ct)
    {
        const string sql = "SELECT id, attempt FROM ingestion.import_task_run WHERE id = ANY(@tasks) AND worker = @worker AND state = 'running'";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tasks", tasks.ToArray()), new("worker", worker) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var standing = new HashSet<(long, int)>();
        while (await reader.ReadAsync(ct)) standing.Add((reader.GetInt64(0), reader.GetInt32(1)));
        return standing;
    }

    /// <summary>Gives back what this process holds, at a stop: ready at once, nothing charged.</summary>
    public static async Task<IReadOnlyList<long>> ReleaseAsync(NpgsqlConnection connection, string worker, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.import_task_run SET state = 'ready', lease_until = NULL, scheduled_at = ingestion.clock(), wait_reason = NULL
            WHERE id IN (SELECT id FROM ingestion.import_task_run WHERE worker = @worker AND state = 'running' ORDER BY id FOR UPDATE)
            RETURNING batch_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("worker", worker) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var batches = new List<long>();
        while (await reader.ReadAsync(ct)) batches.Add(reader.GetInt64(0));
        return batches;
    }

    /// <summary>
    /// Takes back expired tasks of one batch: ready again after a moment that grows with each crash (so that the one that kills its
    /// worker soon runs beside other neighbours), or quarantined after the third. Only rows still running, expired and not locked.
    /// </summary>
    /// <param name="everything">True when no other process can be alive: leases are not waited for.</param>
    public static async Task<IReadOnlyList<RescuedTask>> RescueAsync(NpgsqlConnection connection, long batchId, bool everything, CancellationToken ct)
    {
        const string sql = """
            WITH lost AS (
                SELECT id FROM ingestion.import_task_run
                WHERE batch_id = @batch AND state = 'running' AND (@everything OR lease_until < ingestion.clock())
                ORDER BY id
                LIMIT 1000
                FOR UPDATE SKIP LOCKED
            )
            UPDATE ingestion.import_task_run t
            SET crashes = t.crashes + 1,
                lease_until = NULL,
                state = CASE WHEN t.crashes + 1 >= @quarantine THEN 'failed' ELSE 'ready' END,
                finished_at = CASE WHEN t.crashes + 1 >= @quarantine THEN ingestion.clock() END,
                error_code = CASE WHEN t.crashes + 1 >= @quarantine THEN @code ELSE t.error_code END,
                error_message = CASE WHEN t.crashes + 1 >= @quarantine THEN @message ELSE t.error_message END,
                scheduled_at = ingestion.clock() + t.crashes * (0.5 + random()) * interval '1 second',
                wait_reason = CASE WHEN t.crashes + 1 >= @quarantine THEN NULL ELSE @reason END
            FROM lost
            WHERE t.id = lost.id
            RETURNING t.id, t.item_id, t.input_id, t.stage, t.worker, t.attempt, t.crashes, t.state = 'failed'
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("everything", everything), new("quarantine", MaxCrashes), new("reason", WaitReasons.WorkerLost),
                new("code", ErrorCodes.CrashedWorker.Code), new("message", CrashedMessage),
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rescued = new List<RescuedTask>();
        while (await reader.ReadAsync(ct))
            rescued.Add(new(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetInt64(2),
                StateWords.Parse<Stage>(reader.GetString(3)), reader.IsDBNull(4) ? null : reader.GetString(4), reader.GetInt32(5), reader.GetInt32(6), reader.GetBoolean(7)));
        return rescued;
    }

    /// <summary>Crashes in a row of one task that quarantine it.</summary>
    public const int MaxCrashes = 3;

    internal const string CrashedMessage = "This document crashed the worker 3 times and is quarantined.";

    private static async Task<bool> MoveAsync(string sql, NpgsqlConnection connection, ClaimedTask task, NpgsqlParameter[] more, CancellationToken ct)
    {
        await using var command = Fenced(sql, connection, task);
        foreach (var p in more) command.Parameters.Add(p);
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    private static NpgsqlCommand Fenced(string sql, NpgsqlConnection connection, ClaimedTask task) => new(sql, connection)
    {
        Parameters = { new("id", NpgsqlDbType.Bigint) { Value = task.Id }, new("attempt", NpgsqlDbType.Integer) { Value = task.Attempt } },
    };
}

/// <summary>A task taken back from a worker that did not answer.</summary>
public sealed record RescuedTask(long Id, long? ItemId, long? InputId, Stage Stage, string? Worker, int Attempt, int Crashes, bool Quarantined);

using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Every statement by which the pipeline moves a task. Whoever reads this file knows every way a task can move, but for what people
/// ask (<see cref="BatchControl"/>). Claims and the settling of what ended well have files of their own. Every write after a claim names id, attempt and <c>running</c>: the fence.
/// </summary>
public static partial class ImportQueue
{
    // Ours still, and nobody has asked to cancel: what a cancel finds running it ends itself.
    private const string Fence = """
        WHERE id = @id AND attempt = @attempt AND state = 'running'
          AND NOT EXISTS (SELECT FROM ingestion.import_batch b WHERE b.id = batch_id AND b.desired_state = 'cancel')
        """;

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

    /// <summary>True where a person ended the task, or is ending its batch.</summary>
    public static async Task<bool> IsCancelledAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct)
    {
        const string sql = """
            SELECT EXISTS (SELECT FROM ingestion.import_task_run t JOIN ingestion.import_batch b ON b.id = t.batch_id
                           WHERE t.id = @id AND t.attempt = @attempt AND (t.state = 'cancelled' OR b.desired_state = 'cancel'))
            """;
        await using var command = Fenced(sql, connection, task);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
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

    /// <summary>
    /// Forgets the crashes of a task that is held and whose next attempt goes on from here: a long listing that dies now and then, and
    /// each time further on, is no poison. One that dies at the same place makes no progress and is quarantined all the same.
    /// </summary>
    public static async Task ForgiveAsync(NpgsqlConnection connection, ClaimedTask task, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("UPDATE ingestion.import_task_run SET crashes = 0 WHERE id = $1 AND crashes > 0", connection);
        command.Parameters.Add(new() { Value = task.Id });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Makes due what waits for a crawl of the crawling service. Returns the batches in which something did.</summary>
    /// <param name="cursors">Patterns of LIKE: the cursors of the inputs that list it.</param>
    public static async Task<IReadOnlyList<long>> WakeCrawlAsync(NpgsqlConnection connection, string[] cursors, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.import_task_run t
            SET scheduled_at = ingestion.clock(), wait_reason = NULL
            FROM ingestion.import_input n
            WHERE n.state = 'open' AND n.cursor LIKE ANY (@cursors)
              AND t.input_id = n.id AND t.state = 'ready' AND t.wait_reason = @reason AND t.scheduled_at > ingestion.clock()
            RETURNING t.batch_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("cursors", cursors), new("reason", WaitReasons.Crawler) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var batches = new List<long>();
        while (await r.ReadAsync(ct)) batches.Add(r.GetInt64(0));
        return batches;
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

using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Why an open item is where it is: one reason from a closed set.</summary>
/// <param name="Reason">A word of <see cref="WaitReasons"/> or <see cref="HoldReasons"/>.</param>
/// <param name="Until">When it changes by itself; null where that is not known.</param>
/// <param name="Subject">What it waits for: a host, a worker, a number; null where the reason says all.</param>
public sealed record Waiting(long ItemId, string Reason, DateTimeOffset? Until, string? Subject);

/// <summary>Items of a batch that wait for the same reason.</summary>
/// <param name="First">When the first of them goes on, and <paramref name="Last"/> the last; null where not known.</param>
public sealed record WaitingGroup(string Reason, string? Subject, int Count, DateTimeOffset? First, DateTimeOffset? Last);

/// <summary>Reasons that lie with the batch, the workers or a person rather than with the task's own schedule.</summary>
public static class HoldReasons
{
    /// <summary>A worker holds it; the subject is the worker.</summary>
    public const string Running = "running";
    /// <summary>The batch has not been started.</summary>
    public const string NotStarted = "batch_not_started";
    /// <summary>Somebody paused the batch.</summary>
    public const string BatchPaused = "batch_paused";
    /// <summary>The batch is being cancelled.</summary>
    public const string Cancelling = "batch_cancelling";
    /// <summary>As many batches are active as are allowed; the subject is their number.</summary>
    public const string BatchQueued = "batch_queued";
    /// <summary>A person decides.</summary>
    public const string Review = "waiting_for_review";
    /// <summary>The batch runs as many tasks as it may; the subject is their number.</summary>
    public const string BatchWorkers = "batch_workers_busy";
    /// <summary>No process that serves its stage is alive; the subject is the stage.</summary>
    public const string NoWorker = "no_worker";
    /// <summary>It is due and will be claimed when a worker has a free slot for its stage; the subject is the stage.</summary>
    public const string StageBusy = "stage_busy";

    public static IReadOnlyList<string> All { get; } = [Running, NotStarted, BatchPaused, Cancelling, BatchQueued, Review, BatchWorkers, NoWorker, StageBusy];
}

/// <summary>Computes reasons in one statement, from the rows that the claim itself looks at: no open item is without one.</summary>
public sealed class WhyWaiting(Database database, PipelineOptions options)
{
    // The order of the cases is the order in which the claim is kept away from a task.
    internal const string Reasons = """
        SELECT t.item_id, t.input_id,
               CASE
                   WHEN b.desired_state = 'cancel' THEN 'batch_cancelling'
                   WHEN t.state = 'running' THEN 'running'
                   WHEN t.state = 'blocked' THEN 'waiting_for_review'
                   WHEN b.state = 'pending' THEN 'batch_not_started'
                   WHEN b.state = 'paused' THEN 'batch_paused'
                   WHEN b.state = 'queued' THEN 'batch_queued'
                   WHEN t.scheduled_at > ingestion.clock() THEN coalesce(t.wait_reason, 'retry')
                   WHEN NOT t.stage = ANY(live.stages) THEN 'no_worker'
                   WHEN coalesce(held.running, 0) >= j.max_workers THEN 'batch_workers_busy'
                   ELSE 'stage_busy'
               END AS reason,
               CASE
                   WHEN t.state = 'running' THEN t.lease_until
                   WHEN t.state = 'ready' AND b.state IN ('running', 'retrying') AND t.scheduled_at > ingestion.clock() THEN t.scheduled_at
               END AS until,
               CASE
                   WHEN t.state = 'running' THEN t.worker
                   WHEN t.state = 'blocked' OR b.state IN ('pending', 'paused') OR b.desired_state = 'cancel' THEN NULL
                   WHEN b.state = 'queued' THEN @active::text
                   WHEN t.scheduled_at > ingestion.clock() AND t.wait_reason IN ('host_pacing', 'host_paused') THEN substring(i.source_key FROM '^https?://([^/?#]+)')
                   WHEN t.stage = ANY(live.stages) AND coalesce(held.running, 0) >= j.max_workers THEN j.max_workers::text
                   ELSE t.stage
               END AS subject
        FROM ingestion.import_task_run t
        JOIN ingestion.import_batch b ON b.id = t.batch_id
        JOIN ingestion.import_job j ON j.id = t.job_id
        LEFT JOIN ingestion.import_item i ON i.id = t.item_id
        LEFT JOIN (SELECT x.batch_id, count(*) AS running FROM ingestion.import_task_run x WHERE x.state = 'running' GROUP BY x.batch_id) held ON held.batch_id = t.batch_id
        CROSS JOIN (
            SELECT coalesce(array_agg(DISTINCT served.stage), '{}') AS stages
            FROM ingestion.worker_process w, jsonb_object_keys(w.slots) AS served (stage)
            WHERE w.stopped_at IS NULL AND w.last_seen_at > ingestion.clock() - @silence
        ) live
        WHERE t.state IN ('ready', 'running', 'blocked')
        """;

    /// <summary>The reason of each of these items that is open.</summary>
    public async Task<IReadOnlyDictionary<long, Waiting>> ForItemsAsync(Scope scope, IReadOnlyCollection<long> items, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = Command($"{Reasons} AND t.item_id = ANY(@items)", connection);
        command.Parameters.Add(new("items", items.ToArray()));
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new Dictionary<long, Waiting>();
        while (await r.ReadAsync(ct))
            found[r.GetInt64(0)] = new(r.GetInt64(0), r.GetString(2), Time(r, 3), r.IsDBNull(4) ? null : r.GetString(4));
        return found;
    }

    /// <summary>What a batch's open items and inputs wait for, largest group first.</summary>
    public async Task<IReadOnlyList<WaitingGroup>> ForBatchAsync(Scope scope, long batchId, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = Command($"""
            SELECT reason, CASE WHEN reason = 'running' THEN NULL ELSE subject END, count(*)::int, min(until), max(until)
            FROM ({Reasons} AND t.batch_id = @batch) w
            GROUP BY 1, 2
            ORDER BY 3 DESC, 1, 2
            LIMIT 50
            """, connection);
        command.Parameters.Add(new("batch", batchId));
        await using var r = await command.ExecuteReaderAsync(ct);
        var groups = new List<WaitingGroup>();
        while (await r.ReadAsync(ct))
            groups.Add(new(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetInt32(2), Time(r, 3), Time(r, 4)));
        return groups;
    }

    private NpgsqlCommand Command(string sql, NpgsqlConnection connection) => new(sql, connection)
    {
        Parameters = { new("active", options.MaxConcurrentJobs), new("silence", NpgsqlDbType.Interval) { Value = options.Silence } },
    };

    private static DateTimeOffset? Time(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetFieldValue<DateTimeOffset>(i);
}

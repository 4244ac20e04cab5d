using System.Text.Json;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>Processes, queues and duties of the whole installation, over all tenants. One reading serves everybody in this process who looks.</summary>
public sealed class Workers(NpgsqlDataSource worker, Shared<WorkersView> shared, PipelineOptions options)
{
    // Those that stopped or fell silent are shown for a day: long enough to see in the morning what happened at night.
    private const string Processes = """
        SELECT w.id, w.host, w.pid, w.role, w.version, w.started_at, w.last_seen_at, w.stopped_at, w.slots::text, w.connections,
               w.last_seen_at > ingestion.clock() - @silence, coalesce(h.held, '{}')::text
        FROM ingestion.worker_process w
        LEFT JOIN (
            SELECT worker, jsonb_object_agg(stage, n) AS held
            FROM (SELECT worker, stage, count(*) AS n FROM ingestion.import_task_run WHERE state = 'running' GROUP BY worker, stage) x
            GROUP BY worker
        ) h ON h.worker = w.id
        WHERE w.last_seen_at > ingestion.clock() - interval '1 day' OR h.held IS NOT NULL
        ORDER BY w.stopped_at IS NOT NULL, w.last_seen_at <= ingestion.clock() - @silence, w.host, w.started_at, w.id
        LIMIT 200
        """;

    private const string Queues = """
        SELECT s.stage, coalesce(q.due, 0), coalesce(q.later, 0), coalesce(r.running, 0), q.oldest
        FROM unnest(@stages) AS s (stage)
        LEFT JOIN (
            SELECT j.stage, count(*) FILTER (WHERE j.active AND t.scheduled_at <= ingestion.clock())::int AS due,
                   count(*) FILTER (WHERE NOT j.active OR t.scheduled_at > ingestion.clock())::int AS later,
                   ingestion.clock() - min(t.scheduled_at) FILTER (WHERE j.active AND t.scheduled_at <= ingestion.clock()) AS oldest
            FROM ingestion.import_task_run t JOIN ingestion.import_job j ON j.id = t.job_id
            WHERE t.state = 'ready'
            GROUP BY j.stage
        ) q ON q.stage = s.stage
        LEFT JOIN (SELECT stage, count(*)::int AS running FROM ingestion.import_task_run WHERE state = 'running' GROUP BY stage) r ON r.stage = s.stage
        """;

    private const string Duties = "SELECT name, purpose, interval, next_due, last_started_at, last_finished_at, last_error, worker FROM ingestion.duty ORDER BY name";

    public Task<WorkersView> ReadAsync(CancellationToken ct) => shared.GetAsync("", 0, async () =>
    {
        await using var batch = worker.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT ingestion.clock()"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Processes) { Parameters = { new("silence", options.Silence) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Queues) { Parameters = { new("stages", StageOrder.Standard.Select(s => s.Word()).ToArray()) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Duties));
        await using var r = await batch.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var at = r.GetFieldValue<DateTimeOffset>(0);
        var processes = await NextAsync(r, ReadProcess, ct);
        var alive = processes.Where(p => p.State == ProcessState.Alive).ToList();
        var stages = (await NextAsync(r, row => ReadQueue(row, alive), ct)).OrderBy(s => s.Stage).ToList();
        var duties = await NextAsync(r, row => new DutyView(row.GetString(0), row.GetString(1), row.GetFieldValue<TimeSpan>(2), row.GetFieldValue<DateTimeOffset>(3),
            Time(row, 4), Time(row, 5), row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : row.GetString(7)), ct);
        return new WorkersView(at, processes, stages, duties);
    });

    /// <summary>What a process holds of one tenant's items, longest held first; at most <paramref name="take"/>.</summary>
    public async Task<IReadOnlyList<HeldItem>> HeldAsync(string tenantId, string process, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT i.id, b.public_id, i.name, t.stage, t.claimed_at
            FROM ingestion.import_task_run t
            JOIN ingestion.import_item i ON i.id = t.item_id
            JOIN ingestion.import_batch b ON b.id = t.batch_id
            WHERE t.worker = @process AND t.state = 'running' AND t.tenant_id = @tenant
            ORDER BY t.claimed_at, t.id
            LIMIT @take
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("process", process));
        command.Parameters.Add(new("tenant", tenantId));
        command.Parameters.Add(new("take", take));
        await using var r = await command.ExecuteReaderAsync(ct);
        var held = new List<HeldItem>();
        while (await r.ReadAsync(ct)) held.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), StateWords.Parse<Stage>(r.GetString(3)), r.GetFieldValue<DateTimeOffset>(4)));
        return held;
    }

    private static async Task<List<T>> NextAsync<T>(NpgsqlDataReader r, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await r.NextResultAsync(ct);
        var rows = new List<T>();
        while (await r.ReadAsync(ct)) rows.Add(read(r));
        return rows;
    }

    private static ProcessView ReadProcess(NpgsqlDataReader r)
    {
        var stopped = Time(r, 7);
        var state = stopped is not null ? ProcessState.Stopped : r.GetBoolean(10) ? ProcessState.Alive : ProcessState.Silent;
        return new(r.GetString(0), r.GetString(1), r.GetInt32(2), r.GetString(3), r.GetString(4), state, r.GetFieldValue<DateTimeOffset>(5), r.GetFieldValue<DateTimeOffset>(6), stopped,
            ByStage(r.GetString(8)), ByStage(r.GetString(11)), r.GetInt32(9));
    }

    private static StageQueue ReadQueue(NpgsqlDataReader r, List<ProcessView> alive)
    {
        var stage = StateWords.Parse<Stage>(r.GetString(0));
        var serving = alive.Where(p => p.Slots.ContainsKey(stage)).ToList();
        return new(stage, r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.IsDBNull(4) ? null : r.GetFieldValue<TimeSpan>(4), serving.Count, serving.Sum(p => p.Slots[stage]));
    }

    private static Dictionary<Stage, int> ByStage(string json) => JsonSerializer.Deserialize<Dictionary<string, int>>(json)!.ToDictionary(p => StateWords.Parse<Stage>(p.Key), p => p.Value);

    private static DateTimeOffset? Time(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetFieldValue<DateTimeOffset>(i);
}

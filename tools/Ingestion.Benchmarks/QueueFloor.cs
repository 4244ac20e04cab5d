using System.Diagnostics;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Benchmarks;

/// <summary>
/// What plain SQL reaches with the rows the queue writes: two connections that claim fifty tasks of a stage in one commit and settle them
/// in another (tasks, items, next tasks, numbered events), with nobody else and no fairness, limits, leases to renew or fences to heed.
/// </summary>
internal static class QueueFloor
{
    private const int Connections = 2;
    private static readonly string[] Stages = ["acquire", "parse", "embed", "index"];

    private const string Claim = """
        WITH picked AS (
            SELECT id FROM ingestion.import_task_run WHERE job_id = $1 AND state = 'ready' AND scheduled_at <= now() ORDER BY scheduled_at, id LIMIT 50 FOR UPDATE SKIP LOCKED
        )
        UPDATE ingestion.import_task_run t
        SET state = 'running', attempt = attempt + 1, worker = 'floor', claimed_at = now(), lease_until = now() + interval '5 minutes'
        FROM picked WHERE t.id = picked.id
        RETURNING t.id, t.item_id
        """;

    // The next task is opened from what the first part returns: an item has one open task at any time, within a statement too.
    private const string Settle = """
        WITH done AS (
            UPDATE ingestion.import_task_run SET state = 'succeeded', finished_at = now(), lease_until = NULL
            WHERE id = ANY($1) AND attempt = 1 AND state = 'running'
            RETURNING item_id
        ), moved AS (
            UPDATE ingestion.import_item
            SET stage = coalesce($4, stage), step = CASE WHEN $4 IS NULL THEN 'finished' ELSE 'pending' END,
                state = CASE WHEN $4 IS NULL THEN 'done' ELSE state END, completed_at = CASE WHEN $4 IS NULL THEN now() END, started_at = coalesce(started_at, now())
            WHERE id = ANY($2)
        ), opened AS (
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT 'default', $3, $5, item_id, $4, 'ready', 0, 0, 0, now() FROM done WHERE $4 IS NOT NULL
        ), taken AS (
            UPDATE ingestion.import_batch_seq SET seq = seq + cardinality($1) WHERE batch_id = $3 RETURNING seq - cardinality($1) AS start
        )
        INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, at, kind, item_id, task_id, stage)
        SELECT $3, taken.start + e.ord, 'default', now(), 'stage_done', e.item, e.task, $6
        FROM taken, unnest($2, $1) WITH ORDINALITY AS e (item, task, ord)
        """;

    public static async Task<Result> RunAsync(Inputs inputs)
    {
        await using var rig = await QueuePath.StartAsync();
        var batch = (await QueuePath.SubmitAsync(rig, Rig.Measured, inputs.Items, 1))[0].BatchId;
        var begun = Stopwatch.GetTimestamp();
        for (var stage = 0; stage < Stages.Length; stage++)
        {
            var number = stage;
            await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => DrainAsync(rig.Database, batch, number)));
        }
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var tasks = await rig.CountAsync("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'succeeded'");
        if (tasks != 4L * inputs.Items) throw new InvalidOperationException($"{tasks} of {4L * inputs.Items} tasks succeeded.");
        return new(seconds, new() { ["tasks"] = tasks, ["documents"] = inputs.Items }, []);
    }

    private static async Task DrainAsync(Database database, long batch, int stage)
    {
        await using var connection = await database.Worker.OpenConnectionAsync();
        var job = await JobAsync(connection, batch, Stages[stage]);
        var next = stage + 1 < Stages.Length ? Stages[stage + 1] : null;
        var nextJob = next is null ? job : await JobAsync(connection, batch, next);
        await using var claim = new NpgsqlCommand(Claim, connection) { Parameters = { new() { Value = job } } };
        await claim.PrepareAsync();
        while (true)
        {
            var (tasks, items) = (new List<long>(), new List<long>());
            await using (var reader = await claim.ExecuteReaderAsync())
            {
                while (await reader.ReadAsync())
                {
                    tasks.Add(reader.GetInt64(0));
                    items.Add(reader.GetInt64(1));
                }
            }
            if (tasks.Count == 0) return;
            await using var settle = new NpgsqlCommand(Settle, connection)
            {
                Parameters =
                {
                    new() { Value = tasks.ToArray() }, new() { Value = items.ToArray() }, new() { Value = batch },
                    new() { Value = (object?)next ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text }, new() { Value = nextJob }, new() { Value = Stages[stage] },
                },
            };
            await settle.ExecuteNonQueryAsync();
        }
    }

    private static async Task<long> JobAsync(NpgsqlConnection connection, long batch, string stage)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM ingestion.import_job WHERE batch_id = $1 AND stage = $2", connection) { Parameters = { new() { Value = batch }, new() { Value = stage } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

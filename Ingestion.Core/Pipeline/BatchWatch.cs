using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>What pages that follow a batch ask besides its counts. Shared per batch in this process, as the counts are.</summary>
public sealed class BatchWatch(Database database, Shared<BatchLive> shared, WhyWaiting why, PipelineOptions options, IOptionsMonitor<AcquireOptions> acquire)
{
    private const string Stages = """
        SELECT coalesce(i.stage, t.stage), coalesce(i.open, 0), coalesce(t.running, 0), coalesce(i.ended, 0), coalesce(i.failed, 0), coalesce(i.cancelled, 0)
        FROM (
            SELECT stage,
                   count(*) FILTER (WHERE state = 'open')::int AS open,
                   count(*) FILTER (WHERE state <> 'open')::int AS ended,
                   count(*) FILTER (WHERE state = 'failed')::int AS failed,
                   count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled
            FROM ingestion.import_item WHERE batch_id = @batch GROUP BY stage
        ) i
        FULL JOIN (
            SELECT stage, count(*)::int AS running FROM ingestion.import_task_run WHERE batch_id = @batch AND state = 'running' GROUP BY stage
        ) t ON t.stage = i.stage;
        """;

    private const string Pace = """
        SELECT count(*) FILTER (WHERE i.completed_at > ingestion.clock() - interval '1 minute')::int,
               count(*)::int,
               coalesce(extract(epoch FROM ingestion.clock() - min(i.completed_at)) / 60, 0)::float8,
               coalesce(sum(i.chunk_count), 0)::bigint,
               coalesce(sum(i.size), 0)::bigint
        FROM ingestion.import_batch b
        JOIN ingestion.import_item i ON i.batch_id = b.id
        WHERE (b.id = @batch OR @batch = 0 AND (b.completed_at IS NULL OR b.completed_at > ingestion.clock() - interval '5 minutes'))
          AND i.state IN ('done', 'skipped', 'failed', 'rejected') AND i.completed_at > ingestion.clock() - interval '5 minutes';
        """;

    private const string Workers = """
        SELECT count(*)::int
        FROM ingestion.worker_process WHERE role <> 'web' AND stopped_at IS NULL AND last_seen_at > ingestion.clock() - interval '1 minute'
        """;

    public Task<BatchLive> LiveAsync(Scope scope, long batchId, CancellationToken ct) => shared.GetAsync(scope.TenantId, batchId, async () =>
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        var stages = new List<StageLoad>();
        BatchPace pace;
        int workers;
        await using (var command = new NpgsqlCommand(Stages + Pace + Workers, connection) { Parameters = { new("batch", batchId) } })
        await using (var r = await command.ExecuteReaderAsync(ct))
        {
            while (await r.ReadAsync(ct)) stages.Add(new(StateWords.Parse<Stage>(r.GetString(0)), r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4), r.GetInt32(5)));
            await r.NextResultAsync(ct);
            pace = await ReadPaceAsync(r, ct);
            await r.NextResultAsync(ct);
            await r.ReadAsync(ct);
            workers = r.GetInt32(0);
        }
        var outlook = await BatchOutlook.ReadAsync(connection, batchId, acquire.CurrentValue.RequestsPerMinutePerHost, options.SlotsOf, workers, ct);
        return new(stages, await why.ForBatchAsync(scope, batchId, ct), pace, workers) { Outlook = outlook };
    });

    /// <summary>The pace of all the tenant's batches together, and the workers; no stages and no waits.</summary>
    public Task<BatchLive> TenantAsync(Scope scope, CancellationToken ct) => shared.GetAsync(scope.Shared, 0, async () =>
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(Pace + Workers, connection) { Parameters = { new("batch", NpgsqlDbType.Bigint) { Value = 0L } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var pace = await ReadPaceAsync(r, ct);
        await r.NextResultAsync(ct);
        await r.ReadAsync(ct);
        return new([], [], pace, r.GetInt32(0));
    });

    /// <summary>What failed since a moment, grouped by batch and code, newest first; at most <paramref name="take"/> groups.</summary>
    public async Task<IReadOnlyList<RecentFailure>> RecentFailuresAsync(Scope scope, DateTimeOffset since, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT b.public_id, b.name, i.error_code, count(*)::int, max(i.completed_at)
            FROM ingestion.import_batch b
            JOIN ingestion.import_item i ON i.batch_id = b.id
            WHERE b.deleted_at IS NULL AND (b.completed_at IS NULL OR b.completed_at > @since) AND i.state = 'failed' AND i.completed_at > @since
            GROUP BY b.id, i.error_code
            ORDER BY 5 DESC, 1, 3
            LIMIT @take
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("since", since), new("take", take) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var failures = new List<RecentFailure>();
        while (await r.ReadAsync(ct)) failures.Add(new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetFieldValue<DateTimeOffset>(4)));
        return failures;
    }

    private static async Task<BatchPace> ReadPaceAsync(NpgsqlDataReader r, CancellationToken ct)
    {
        await r.ReadAsync(ct);
        return new(r.GetInt32(0), r.GetInt32(1), r.GetDouble(2), r.GetInt64(3), r.GetInt64(4));
    }
}

/// <summary>Items of one batch that ended with one code.</summary>
public sealed record RecentFailure(string BatchPublicId, string BatchName, string Code, int Count, DateTimeOffset Last);

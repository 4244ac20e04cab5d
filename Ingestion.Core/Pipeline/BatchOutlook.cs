using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>Open documents at one stage, and what is known of their size.</summary>
/// <param name="Sized">Those whose bytes are known, together <paramref name="Bytes"/>.</param>
/// <param name="Chunked">Those whose chunks are known, together <paramref name="Chunks"/>.</param>
public sealed record StageLeft(Stage Stage, int Items, int Sized, long Bytes, int Chunked, long Chunks);

/// <summary>Tasks of one stage that ended well of late: seconds at work, and what they carried.</summary>
public sealed record StageSample(Stage Stage, int Tasks, double Seconds, long Bytes, long Chunks);

/// <summary>Pages still to be fetched from one host.</summary>
/// <param name="PerMinute">Requests a minute that the host allows, or that we allow ourselves; 0 for no limit.</param>
/// <param name="PausedUntil">The host asked us to stay away until then; null where it did not, or that is over.</param>
public sealed record HostLeft(string Host, int Pages, int PerMinute, DateTimeOffset? PausedUntil)
{
    /// <summary>The least that the host's own pace takes from a moment on; zero where it sets no limit.</summary>
    public TimeSpan Takes(DateTimeOffset now) =>
        (PerMinute > 0 ? TimeSpan.FromMinutes((double)Pages / PerMinute) : TimeSpan.Zero) + (PausedUntil > now ? PausedUntil.Value - now : TimeSpan.Zero);
}

/// <summary>Documents that can be at work at once.</summary>
/// <param name="Batch">Of the batch, over all stages.</param>
/// <param name="Stages">Of each stage, in all processes that live.</param>
public sealed record WorkPlaces(int Batch, IReadOnlyDictionary<Stage, int> Stages);

/// <summary>What the open documents of a batch have before them, and how fast such work went of late.</summary>
/// <param name="Measured">The last tasks of this batch.</param>
/// <param name="Prior">The last tasks of the batches before it: what to expect of stages that this one has not come to.</param>
/// <param name="Hosts">The hosts with most pages left, at most a hundred.</param>
public sealed record BatchOutlook(
    IReadOnlyList<StageLeft> Left, IReadOnlyList<StageSample> Measured, IReadOnlyList<StageSample> Prior, IReadOnlyList<HostLeft> Hosts, WorkPlaces Places)
{
    public static readonly BatchOutlook None = new([], [], [], [], new(0, new Dictionary<Stage, int>()));

    // The last events name the tasks that ended last without reading all that ever did.
    private const string Sql = """
        SELECT stage, count(*)::int, count(size)::int, coalesce(sum(size), 0)::bigint, count(chunk_count)::int, coalesce(sum(chunk_count), 0)::bigint
        FROM ingestion.import_item
        WHERE batch_id = @batch AND state = 'open' AND stage <> 'review'
        GROUP BY stage;

        SELECT last.own, t.stage, count(*)::int, coalesce(sum(extract(epoch FROM t.finished_at - t.claimed_at)), 0)::float8, coalesce(sum(i.size), 0)::bigint, coalesce(sum(i.chunk_count), 0)::bigint
        FROM (
            SELECT b.id = @batch AS own, e.task_id
            FROM (
                (SELECT id FROM ingestion.import_batch WHERE id = @batch)
                UNION ALL
                (SELECT id FROM ingestion.import_batch WHERE id < @batch AND completed_at IS NOT NULL ORDER BY id DESC LIMIT 3)
            ) b
            JOIN ingestion.import_batch_seq s ON s.batch_id = b.id
            CROSS JOIN LATERAL (
                SELECT x.task_id FROM ingestion.import_event x WHERE x.batch_id = b.id AND x.seq > s.seq - 1000 AND x.kind = 'stage_done'
            ) e
        ) last
        JOIN ingestion.import_task_run t ON t.id = last.task_id AND t.state = 'succeeded'
        JOIN ingestion.import_item i ON i.id = t.item_id
        GROUP BY 1, 2;

        SELECT substring(source_key FROM '^https?://[^/?#]+'), count(*)::int
        FROM ingestion.import_item
        WHERE batch_id = @batch AND state = 'open' AND stage = 'acquire' AND source_key ~ '^https?://[^/?#]'
        GROUP BY 1
        ORDER BY 2 DESC
        LIMIT 100;

        SELECT coalesce(max(max_workers), 0) FROM ingestion.import_job WHERE batch_id = @batch;
        """;

    private const string Budgets = """
        SELECT host, requests_per_minute, CASE WHEN paused_until > ingestion.clock() THEN paused_until END
        FROM ingestion.host_budget
        WHERE host = ANY(@hosts) AND (requests_per_minute IS NOT NULL OR paused_until > ingestion.clock())
        """;

    /// <param name="perMinute">Requests a minute that the installation allows itself at a host without a rate of its own; 0 for no limit.</param>
    /// <param name="slots">Tasks of a stage at once in one process.</param>
    /// <param name="processes">Processes that work.</param>
    internal static async Task<BatchOutlook> ReadAsync(NpgsqlConnection connection, long batchId, int perMinute, Func<Stage, int> slots, int processes, CancellationToken ct)
    {
        var (left, samples, pages) = (new List<StageLeft>(), new List<(bool Own, StageSample Sample)>(), new List<(string Origin, int Count)>());
        int workers;
        await using (var command = new NpgsqlCommand(Sql, connection) { Parameters = { new("batch", batchId) } })
        await using (var r = await command.ExecuteReaderAsync(ct))
        {
            while (await r.ReadAsync(ct)) left.Add(new(StateWords.Parse<Stage>(r.GetString(0)), r.GetInt32(1), r.GetInt32(2), r.GetInt64(3), r.GetInt32(4), r.GetInt64(5)));
            await r.NextResultAsync(ct);
            while (await r.ReadAsync(ct)) samples.Add((r.GetBoolean(0), new(StateWords.Parse<Stage>(r.GetString(1)), r.GetInt32(2), r.GetDouble(3), r.GetInt64(4), r.GetInt64(5))));
            await r.NextResultAsync(ct);
            while (await r.ReadAsync(ct)) pages.Add((r.GetString(0), r.GetInt32(1)));
            await r.NextResultAsync(ct);
            await r.ReadAsync(ct);
            workers = r.GetInt32(0);
        }
        var places = StageOrder.Standard.ToDictionary(s => s, s => slots(s) * processes);
        return new(left, [.. samples.Where(s => s.Own).Select(s => s.Sample)], [.. samples.Where(s => !s.Own).Select(s => s.Sample)],
            await HostsAsync(connection, pages, perMinute, ct), new(workers, places));
    }

    private static async Task<IReadOnlyList<HostLeft>> HostsAsync(NpgsqlConnection connection, IReadOnlyList<(string Origin, int Count)> pages, int perMinute, CancellationToken ct)
    {
        var hosts = pages.Where(p => Uri.TryCreate(p.Origin, UriKind.Absolute, out _)).Select(p => (Url: new Uri(p.Origin), p.Count))
            .GroupBy(p => HostBudgets.KeyOf(p.Url)).Select(g => (g.Key, Name: g.First().Url.IdnHost, Count: g.Sum(p => p.Count))).ToList();
        if (hosts.Count == 0) return [];
        var budgets = new Dictionary<string, (int? PerMinute, DateTimeOffset? Paused)>();
        await using (var command = new NpgsqlCommand(Budgets, connection) { Parameters = { new("hosts", hosts.Select(h => h.Key).ToArray()) } })
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) budgets[r.GetString(0)] = (r.IsDBNull(1) ? null : r.GetInt32(1), r.IsDBNull(2) ? null : r.GetFieldValue<DateTimeOffset>(2));
        return [.. hosts.Select(h =>
        {
            var (own, paused) = budgets.GetValueOrDefault(h.Key);
            return new HostLeft(h.Name, h.Count, own ?? perMinute, paused);
        })];
    }
}

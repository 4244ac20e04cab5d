using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>An address that a crawl has found.</summary>
/// <param name="Kind"><c>page</c> or <c>sitemap</c>.</param>
/// <param name="FoundOn">The page that names it; null where nothing does.</param>
internal sealed record CrawlAddress(Uri Url, int Depth, string? FoundOn, string Kind = CrawlAddress.Page)
{
    public const string Page = "page";
    public const string Sitemap = "sitemap";
}

/// <summary>An address whose turn has come.</summary>
internal sealed record CrawlRow(long Id, string Kind, Uri Url, int Depth, int Tries, string? FoundOn)
{
    /// <summary>The version that is held of it; null for none.</summary>
    public KnownVersion? Known { get; init; }
}

/// <summary>What became of an address.</summary>
/// <param name="State"><c>document</c>, <c>redirect</c>, <c>canonical</c>, <c>other</c>, <c>stopped</c>, <c>failed</c>, or <c>waiting</c> for another try.</param>
internal sealed record CrawlEnd(long Id, string State, string? Code = null, string? Message = null, TimeSpan? After = null);

/// <summary>How far a crawl may go.</summary>
internal sealed record CrawlLimits(int Pages, int Depth, TimeSpan Time, int Variants);

/// <summary>What is left of a crawl that found nothing due.</summary>
/// <param name="Waiting">Addresses not visited.</param>
/// <param name="NextDue">Until the first of them is due; null where none will be within the limits.</param>
internal sealed record CrawlRest(int Waiting, TimeSpan? NextDue, int Fetched, int TooDeep, int Trapped, int Unreached);

/// <summary>
/// The frontier of a crawl, in the database: memory does not grow with it, and whoever goes on after an interruption goes on where it
/// stood. The limits are in the statement that hands addresses out.
/// </summary>
internal static class CrawlFrontier
{
    // By the states that count, so that the index finds them however many addresses wait.
    private const string Visited = """
        (SELECT count(*) FROM (SELECT FROM ingestion.crawl_page d WHERE d.input_id = @input AND d.kind = 'page' AND d.state IN ('document', 'redirect', 'canonical', 'other', 'failed') LIMIT @pages) f)::int
        """;

    private const string InTime = "(SELECT r.started_at FROM ingestion.sync_run r WHERE r.input_id = @input) + @time > ingestion.clock()";

    public static async Task<bool> IsEmptyAsync(NpgsqlDataSource worker, long input, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT NOT EXISTS (SELECT FROM ingestion.crawl_page WHERE input_id = $1)");
        command.Parameters.Add(new() { Value = input });
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Pages that were asked for, which is what the limit of pages counts; no more than the limit.</summary>
    public static async Task<int> VisitedAsync(NpgsqlDataSource worker, long input, CrawlLimits limits, CancellationToken ct)
    {
        await using var command = worker.CreateCommand($"SELECT {Visited}");
        command.Parameters.Add(new("input", input));
        command.Parameters.Add(new("pages", limits.Pages));
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The next addresses, nearest to the first page first; none where the time is over or nothing is due.</summary>
    /// <param name="take">As many at most; the limit of pages is the caller's to keep.</param>
    /// <param name="underWay">Those that are being visited: they are not handed out again.</param>
    public static async Task<IReadOnlyList<CrawlRow>> NextAsync(NpgsqlDataSource worker, long input, CrawlLimits limits, int take, long[] underWay, CancellationToken ct)
    {
        const string sql = $"""
            SELECT p.id, p.kind, p.url, p.depth, p.tries, p.found_on
            FROM ingestion.crawl_page p
            WHERE p.input_id = @input AND p.state = 'waiting' AND p.due_at <= ingestion.clock() AND p.id <> ALL (@busy) AND (SELECT {InTime})
            ORDER BY p.depth, p.id
            LIMIT @take
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("busy", underWay));
        command.Parameters.Add(new("input", input));
        command.Parameters.Add(new("take", take));
        command.Parameters.Add(new("time", limits.Time));
        await using var r = await command.ExecuteReaderAsync(ct);
        var rows = new List<CrawlRow>();
        while (await r.ReadAsync(ct)) rows.Add(new(r.GetInt64(0), r.GetString(1), new Uri(r.GetString(2)), r.GetInt32(3), r.GetInt32(4), r.IsDBNull(5) ? null : r.GetString(5)));
        return rows;
    }

    /// <summary>What is left, once nothing more is handed out.</summary>
    public static async Task<CrawlRest> RestAsync(NpgsqlDataSource worker, long input, CrawlLimits limits, CancellationToken ct)
    {
        const string sql = $"""
            SELECT count(*) FILTER (WHERE p.state = 'waiting')::int,
                   CASE WHEN @pages > {Visited} AND {InTime} THEN min(p.due_at) FILTER (WHERE p.state = 'waiting') - ingestion.clock() END,
                   count(*) FILTER (WHERE p.kind = 'page' AND p.state NOT IN ('waiting', 'stopped'))::int,
                   count(*) FILTER (WHERE p.state = 'stopped' AND p.code = 'depth')::int,
                   count(*) FILTER (WHERE p.state = 'stopped' AND p.code = 'trap')::int,
                   count(*) FILTER (WHERE p.state = 'failed' AND p.code NOT IN ('not_found', 'gone'))::int
            FROM ingestion.crawl_page p
            WHERE p.input_id = @input
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("input", input));
        command.Parameters.Add(new("pages", limits.Pages));
        command.Parameters.Add(new("time", limits.Time));
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.GetInt32(0), r.IsDBNull(1) ? null : r.GetFieldValue<TimeSpan>(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4), r.GetInt32(5));
    }

    /// <summary>Which of these addresses call another one their own.</summary>
    public static async Task<IReadOnlySet<string>> CopiesAsync(NpgsqlDataSource worker, long input, IReadOnlyCollection<Uri> urls, CancellationToken ct)
    {
        const string sql = """
            SELECT x.url FROM unnest($2) AS x (url)
            WHERE EXISTS (SELECT FROM ingestion.crawl_page p WHERE p.input_id = $1 AND ingestion.key_hash(p.url) = ingestion.key_hash(x.url) AND p.state = 'canonical')
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = input });
        command.Parameters.Add(new() { Value = urls.Select(u => u.AbsoluteUri).ToArray() });
        await using var r = await command.ExecuteReaderAsync(ct);
        var copies = new HashSet<string>(StringComparer.Ordinal);
        while (await r.ReadAsync(ct)) copies.Add(r.GetString(0));
        return copies;
    }

    /// <summary>Adds what is not known yet. What lies too deep, or is one variant too many of its path, is kept as stopped.</summary>
    public static async Task AddAsync(NpgsqlConnection connection, WorkInput input, CrawlLimits limits, IReadOnlyList<CrawlAddress> found, CancellationToken ct)
    {
        if (found.Count == 0) return;
        const string sql = """
            INSERT INTO ingestion.crawl_page (tenant_id, batch_id, input_id, kind, url, path_hash, depth, found_on, due_at, state, code, message)
            SELECT @tenant, @batch, @input, v.kind, v.url, v.path_hash, v.depth, v.found_on, ingestion.clock(),
                   CASE WHEN v.stop IS NULL THEN 'waiting' ELSE 'stopped' END, v.stop,
                   CASE v.stop WHEN 'depth' THEN 'It lies deeper than the crawl goes.' WHEN 'trap' THEN 'Too many addresses differ from it in their query alone, or its path repeats itself.' END
            FROM (
                SELECT n.*,
                       CASE WHEN n.depth > @depth THEN 'depth'
                            WHEN n.repeats OR n.queried AND n.nth + (SELECT count(*) FROM (SELECT FROM ingestion.crawl_page p WHERE p.input_id = @input AND p.path_hash = n.path_hash LIMIT @variants) k) > @variants THEN 'trap'
                       END AS stop
                FROM (
                    SELECT x.*, ingestion.key_hash(x.path) AS path_hash, row_number() OVER (PARTITION BY x.path, x.queried ORDER BY x.ord) AS nth
                    FROM unnest(@urls, @paths, @kinds, @depths, @places, @queried, @repeats) WITH ORDINALITY AS x (url, path, kind, depth, found_on, queried, repeats, ord)
                    WHERE NOT EXISTS (SELECT FROM ingestion.crawl_page k WHERE k.input_id = @input AND ingestion.key_hash(k.url) = ingestion.key_hash(x.url))
                ) n
            ) v
            ORDER BY v.ord
            ON CONFLICT (input_id, ingestion.key_hash(url)) DO NOTHING
            """;
        var rows = found.DistinctBy(f => f.Url.AbsoluteUri).ToList();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", input.TenantId), new("batch", input.BatchId), new("input", input.InputId), new("depth", limits.Depth), new("variants", limits.Variants),
                new("urls", rows.Select(f => f.Url.AbsoluteUri).ToArray()), new("paths", rows.Select(f => CrawlUrl.WithoutQuery(f.Url)).ToArray()),
                new("kinds", rows.Select(f => f.Kind).ToArray()), new("depths", rows.Select(f => f.Depth).ToArray()),
                new("places", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = rows.Select(f => f.FoundOn).ToArray() },
                new("queried", rows.Select(f => f.Url.Query.Length > 1).ToArray()), new("repeats", rows.Select(f => CrawlUrl.IsRepeating(f.Url)).ToArray()),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Notes what became of addresses.</summary>
    public static async Task EndAsync(NpgsqlConnection connection, IReadOnlyList<CrawlEnd> ends, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.crawl_page p
            SET state = x.state, code = x.code, message = x.message, tries = p.tries + 1, due_at = ingestion.clock() + x.pause
            FROM unnest(@ids, @states, @codes, @messages, @pauses) AS x (id, state, code, message, pause)
            WHERE p.id = x.id
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("ids", ends.Select(e => e.Id).ToArray()), new("states", ends.Select(e => e.State).ToArray()),
                new("codes", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = ends.Select(e => e.Code).ToArray() },
                new("messages", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = ends.Select(e => e.Message).ToArray() },
                new("pauses", ends.Select(e => e.After ?? TimeSpan.Zero).ToArray()),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Notes addresses that somebody else crawled in vain; those known already stay as they are.</summary>
    public static async Task FailedAsync(NpgsqlConnection connection, WorkInput input, IReadOnlyList<(string Url, string Code, string Message)> failed, CancellationToken ct)
    {
        if (failed.Count == 0) return;
        const string sql = """
            INSERT INTO ingestion.crawl_page (tenant_id, batch_id, input_id, kind, url, path_hash, depth, due_at, state, code, message)
            SELECT @tenant, @batch, @input, 'page', x.url, ingestion.key_hash(x.url), 0, ingestion.clock(), 'failed', x.code, x.message
            FROM unnest(@urls, @codes, @messages) WITH ORDINALITY AS x (url, code, message, ord)
            ORDER BY x.ord
            ON CONFLICT (input_id, ingestion.key_hash(url)) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", input.TenantId), new("batch", input.BatchId), new("input", input.InputId), new("urls", failed.Select(f => f.Url).ToArray()),
                new("codes", failed.Select(f => f.Code).ToArray()), new("messages", failed.Select(f => f.Message).ToArray()),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Forgets all that was found, so that the input can be crawled from its beginning: what is left of another crawl would pass for the whole.</summary>
    public static async Task ForgetAsync(NpgsqlConnection connection, long input, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("DELETE FROM ingestion.crawl_page WHERE input_id = $1", connection) { Parameters = { new() { Value = input } } };
        await command.ExecuteNonQueryAsync(ct);
    }
}

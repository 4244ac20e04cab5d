using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>What of a page of a listing has to be fetched.</summary>
/// <param name="Wanted">New and changed, in the order of the listing.</param>
internal sealed record SiftedPage(IReadOnlyList<ListedItem> Wanted, int Added, int Changed, int Unchanged);

/// <summary>
/// Statements of a source's memory: what it held when it was listed last, and what became of it. They run in the listing's own
/// checkpoints, under its fence. A document that is missing from a whole listing is marked, and from two in a row is a candidate for
/// removal, which people decide. A listing that is not whole, or misses too much, marks nothing.
/// </summary>
internal static class SyncState
{
    // So few may be missing whatever share of a small source they are.
    private const int AlwaysMarked = 3;

    // What a row s of the memory stands for is published in the collection.
    private const string Held = """
        EXISTS (
            SELECT
            FROM ingestion.import_item i
            JOIN ingestion.source_version mine ON mine.id = i.source_version_id
            JOIN ingestion.source_version v ON v.tenant_id = mine.tenant_id AND v.sha256 = mine.sha256
            JOIN ingestion.source o ON o.id = v.source_id AND o.collection_id = @collection
            JOIN ingestion.document_version d ON d.source_version_id = v.id
            WHERE i.id = s.item_id AND i.state IN ('done', 'skipped') AND ingestion.published_version(d.id))
        """;

    /// <summary>
    /// Finds or makes the source of a listing, and this run of it. The feed is null where something has to be listed whatever it says: a
    /// document that is missing, or never came as far as being published.
    /// </summary>
    public static async Task<(long Source, string? Feed)> OpenAsync(NpgsqlConnection connection, WorkInput input, string scope, string title, CancellationToken ct)
    {
        const string sql = $"""
            WITH made AS (
                INSERT INTO ingestion.sync_source (tenant_id, collection_id, source_type, connection_id, scope, title, created_at)
                VALUES (@tenant, @collection, @type, @connection, @scope, left(@title, 500), ingestion.clock())
                ON CONFLICT (tenant_id, collection_id, source_type, connection_id, scope) DO UPDATE SET title = excluded.title
                RETURNING id, feed
            ), run AS (
                INSERT INTO ingestion.sync_run (tenant_id, sync_source_id, input_id, batch_id, started_at)
                SELECT @tenant, id, @input, @batch, ingestion.clock() FROM made
                ON CONFLICT (input_id) DO UPDATE SET ended_at = NULL, note = NULL
            )
            SELECT m.id, CASE WHEN m.feed IS NOT NULL AND NOT EXISTS (
                SELECT FROM ingestion.source_sync_state s WHERE s.sync_source_id = m.id AND (s.absent_runs > 0 OR NOT {Held})) THEN m.feed END
            FROM made m
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", input.TenantId), new("collection", input.CollectionId), new("type", input.SourceType), new("connection", input.ConnectionId ?? ""),
                new("scope", scope), new("title", title), new("input", input.InputId), new("batch", input.BatchId),
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return (r.GetInt64(0), r.IsDBNull(1) ? null : r.GetString(1));
    }

    /// <summary>Notes that all that is known of the source is still there, as its feed of changes tells.</summary>
    public static async Task<SiftedPage> UnchangedAsync(NpgsqlConnection connection, WorkInput input, long source, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("UPDATE ingestion.source_sync_state SET seen_input = @input WHERE sync_source_id = @source", connection)
        {
            Parameters = { new("source", source), new("input", input.InputId) },
        };
        return new([], 0, 0, await command.ExecuteNonQueryAsync(ct));
    }

    /// <summary>
    /// Notes what was seen and says what has to be fetched: what is new, what the source says has changed, and what never came as far as
    /// being published. With <paramref name="skipUnchanged"/> false all of it is fetched again.
    /// </summary>
    public static async Task<SiftedPage> SiftAsync(NpgsqlConnection connection, WorkInput input, long source, IReadOnlyList<ListedItem> listed, bool skipUnchanged, CancellationToken ct)
    {
        const string sql = $"""
            WITH listed AS (
                SELECT x.*, ingestion.key_hash(x.key) AS key_hash FROM unnest(@keys, @rows, @fingerprints) WITH ORDINALITY AS x (key, row, fingerprint, ord)
            ), known AS (
                SELECT l.ord, s.seen_input = @input AS again,
                       s.fingerprint = l.fingerprint AND {Held} AS held
                FROM listed l
                JOIN ingestion.source_sync_state s ON s.sync_source_id = @source AND s.key_hash = l.key_hash AND s.row = l.row
            ), noted AS (
                INSERT INTO ingestion.source_sync_state AS s (sync_source_id, tenant_id, key_hash, row, source_key, fingerprint, seen_input)
                SELECT @source, @tenant, l.key_hash, l.row, l.key, l.fingerprint, @input FROM listed l ORDER BY l.key_hash, l.row
                ON CONFLICT (sync_source_id, key_hash, row) DO UPDATE SET fingerprint = excluded.fingerprint, seen_input = excluded.seen_input, absent_runs = 0, absent_since = NULL
            )
            SELECT k.ord IS NULL, coalesce(k.again, false), coalesce(k.held, false)
            FROM listed l LEFT JOIN known k ON k.ord = l.ord
            ORDER BY l.ord
            """;
        var keys = Keys(input, listed);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("source", source), new("tenant", input.TenantId), new("input", input.InputId), new("collection", input.CollectionId),
                new("keys", keys), new("rows", listed.Select(i => i.Row).ToArray()),
                new("fingerprints", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = listed.Select(i => i.Fingerprint).ToArray() },
            },
        };
        var wanted = new List<ListedItem>(listed.Count);
        int added = 0, changed = 0, unchanged = 0;
        await using (var r = await command.ExecuteReaderAsync(ct))
            foreach (var item in listed)
            {
                await r.ReadAsync(ct);
                var (isNew, again, held) = (r.GetBoolean(0), r.GetBoolean(1), r.GetBoolean(2));
                if (!held || !skipUnchanged) wanted.Add(item);
                // Listed a second time by this very run, after an interruption: it is counted already.
                if (again) continue;
                if (isNew) added++;
                else if (held) unchanged++;
                else changed++;
            }
        return new(wanted, added, changed, unchanged);
    }

    /// <summary>Remembers which items the page became, and counts it.</summary>
    public static async Task CountAsync(NpgsqlConnection connection, WorkInput input, long source, SiftedPage page, IReadOnlyList<LaunchedItem> launched, CancellationToken ct)
    {
        const string sql = """
            WITH counted AS (
                UPDATE ingestion.sync_run SET listed = listed + @added + @changed + @unchanged, added = added + @added, changed = changed + @changed, unchanged = unchanged + @unchanged
                WHERE input_id = @input
            )
            UPDATE ingestion.source_sync_state s SET item_id = x.id
            FROM unnest(@ids, @hashes, @rows) AS x (id, key_hash, row)
            WHERE s.sync_source_id = @source AND s.key_hash = x.key_hash AND s.row = x.row
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("source", source), new("input", input.InputId), new("added", page.Added), new("changed", page.Changed), new("unchanged", page.Unchanged),
                new("ids", launched.Select(i => i.Id).ToArray()), new("hashes", launched.Select(i => i.KeyHash).ToArray()), new("rows", launched.Select(i => i.Row).ToArray()),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Ends the run: marks what was not seen, where the listing was whole.</summary>
    /// <param name="gap">Why the listing is not whole; null where it is.</param>
    /// <param name="feed">Where the feed of changes stood before it; kept where the listing is believed.</param>
    public static async Task EndAsync(NpgsqlConnection connection, WorkInput input, long source, string? gap, string? feed, double maxShare, CancellationToken ct)
    {
        const string look = "SELECT count(*)::int, count(*) FILTER (WHERE seen_input <> @input)::int FROM ingestion.source_sync_state WHERE sync_source_id = @source";
        int total, absent;
        await using (var counting = new NpgsqlCommand(look, connection) { Parameters = { new("source", source), new("input", input.InputId) } })
        await using (var r = await counting.ExecuteReaderAsync(ct))
        {
            await r.ReadAsync(ct);
            (total, absent) = (r.GetInt32(0), r.GetInt32(1));
        }
        var tooMany = absent > AlwaysMarked && absent > total * maxShare;
        var note = gap is not null ? $"{gap} Nothing was marked as gone."
            : tooMany ? $"{absent:N0} of {total:N0} documents are missing from this listing, more than the share that is believed: nothing was marked as gone."
            : null;
        const string mark = """
            WITH missed AS (
                UPDATE ingestion.source_sync_state SET absent_runs = absent_runs + 1, absent_since = coalesce(absent_since, ingestion.clock())
                WHERE @act AND sync_source_id = @source AND seen_input <> @input
                RETURNING absent_runs
            ), kept AS (
                UPDATE ingestion.sync_source SET feed = CASE WHEN @act THEN @feed END WHERE id = @source
            )
            UPDATE ingestion.sync_run
            SET ended_at = ingestion.clock(), note = @note, gone = (SELECT count(*) FROM missed), candidates = (SELECT count(*) FROM missed WHERE absent_runs > 1)
            WHERE input_id = @input
            """;
        await using var command = new NpgsqlCommand(mark, connection)
        {
            Parameters =
            {
                new("source", source), new("input", input.InputId), new("act", note is null),
                new("note", NpgsqlDbType.Text) { Value = (object?)note ?? DBNull.Value }, new("feed", NpgsqlDbType.Text) { Value = (object?)feed ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    // As the items keep them: addresses composed, all else to the letter.
    private static string[] Keys(WorkInput input, IReadOnlyList<ListedItem> items) =>
        SourceKinds.Find(input.SourceType) is { ByAddress: true } ? [.. items.Select(i => i.SourceKey.Normalize())] : [.. items.Select(i => i.SourceKey)];
}

using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>One listing of a source, as people see it.</summary>
/// <param name="State"><c>running</c>, <c>done</c> or <c>failed</c>.</param>
/// <param name="Listed">Documents that the source named.</param>
/// <param name="Gone">Missing from it that were there before.</param>
/// <param name="Candidates">Of those, missing twice or more in a row.</param>
/// <param name="Note">What there is to say of it, in a sentence; null for nothing.</param>
public sealed record SyncRunView(
    long Id, string BatchId, string SourceType, string Title, string Collection, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string State,
    int Listed, int Added, int Changed, int Unchanged, int Gone, int Candidates, string? Note)
{
    public int ItemsFetched { get; init; }
    public int ItemsIngested { get; init; }
    public int ItemsFailed { get; init; }
}

/// <summary>A document that its source does not list any more.</summary>
/// <param name="Runs">Whole listings in a row that it was missing from.</param>
public sealed record GoneDocument(string SourceKey, int Runs, DateTimeOffset Since);

/// <summary>An address that a crawl could not take, with the page that names it.</summary>
public sealed record DeadLink(string Url, string? FoundOn, string Code, string Message);

/// <summary>Syncs of connections: begun, told of, and what is to become of documents that are gone.</summary>
public sealed class Syncs(Database database, SourceConnections connections, Submission submission)
{
    /// <summary>Submits a batch that takes everything the connection lists; null where there is none in reach. Throws <c>invalid_option</c>.</summary>
    public async Task<Submitted?> StartAsync(Actor actor, string key, string? collection, CancellationToken ct)
    {
        if (await connections.FindAsync(actor.Scope, key, ct) is not { } view) return null;
        return await submission.SubmitAsync(actor, new($"Sync of {view.Name}") { Collection = collection ?? view.Collection ?? Data.Collection.DefaultKey, Sources = [new(view.Kind, key)] }, null, ct);
    }

    /// <summary>Newest first.</summary>
    public async Task<IReadOnlyList<SyncRunView>> RunsAsync(Scope scope, string key, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT r.id, b.public_id, s.source_type, s.title, c.key, r.started_at, r.ended_at,
                   CASE WHEN n.state = 'failed' THEN 'failed' WHEN n.state = 'cancelled' THEN 'cancelled' WHEN r.ended_at IS NULL THEN 'running' ELSE 'done' END,
                   r.listed, r.added, r.changed, r.unchanged, r.gone, r.candidates, coalesce(r.note, n.error_message),
                   count(i.id) FILTER (WHERE i.source_version_id IS NOT NULL)::int, count(i.id) FILTER (WHERE i.state = 'done')::int, count(i.id) FILTER (WHERE i.state = 'failed')::int
            FROM ingestion.sync_run r
            JOIN ingestion.sync_source s ON s.id = r.sync_source_id
            JOIN ingestion.collection c ON c.id = s.collection_id
            JOIN ingestion.import_input n ON n.id = r.input_id
            JOIN ingestion.import_batch b ON b.id = r.batch_id
            LEFT JOIN ingestion.import_item i ON i.batch_id = r.batch_id AND i.input_id = r.input_id
            WHERE s.connection_id = @key
            GROUP BY r.id, b.public_id, s.source_type, s.title, c.key, n.state, n.error_message
            ORDER BY r.id DESC
            LIMIT @take
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("key", key), new("take", take) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var runs = new List<SyncRunView>();
        while (await r.ReadAsync(ct))
            runs.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetFieldValue<DateTimeOffset>(5), r.IsDBNull(6) ? null : r.GetFieldValue<DateTimeOffset>(6),
                r.GetString(7), r.GetInt32(8), r.GetInt32(9), r.GetInt32(10), r.GetInt32(11), r.GetInt32(12), r.GetInt32(13), r.IsDBNull(14) ? null : r.GetString(14))
            {
                ItemsFetched = r.GetInt32(15), ItemsIngested = r.GetInt32(16), ItemsFailed = r.GetInt32(17),
            });
        return runs;
    }

    /// <summary>Documents that were missing from the last whole listing, the longest missing first.</summary>
    public async Task<IReadOnlyList<GoneDocument>> GoneAsync(Scope scope, string key, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT t.source_key, t.absent_runs, t.absent_since
            FROM ingestion.source_sync_state t JOIN ingestion.sync_source s ON s.id = t.sync_source_id
            WHERE s.connection_id = @key AND t.absent_runs > 0
            ORDER BY t.absent_runs DESC, t.source_key
            LIMIT @take
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("key", key), new("take", take) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var gone = new List<GoneDocument>();
        while (await r.ReadAsync(ct)) gone.Add(new(r.GetString(0), r.GetInt32(1), r.GetFieldValue<DateTimeOffset>(2)));
        return gone;
    }

    /// <summary>
    /// Takes documents out of search that were missing from two whole listings in a row. Returns how many; null where there is no such
    /// connection in reach.
    /// </summary>
    public async Task<int?> RemoveGoneAsync(Actor actor, string key, CancellationToken ct)
    {
        if (await connections.FindAsync(actor.Scope, key, ct) is null) return null;
        const string sql = """
            WITH lost AS (
                DELETE FROM ingestion.source_sync_state t USING ingestion.sync_source s
                WHERE t.sync_source_id = s.id AND s.tenant_id = @tenant AND s.connection_id = @key AND t.absent_runs > 1 AND (@reach IS NULL OR s.collection_id = ANY (@reach))
                RETURNING s.collection_id, s.source_type, t.key_hash
            ), places AS (
                SELECT o.id FROM lost l
                JOIN ingestion.source o ON o.tenant_id = @tenant AND o.collection_id = l.collection_id AND o.connection_id = @key
                 AND o.source_type = CASE WHEN l.source_type = ANY (@addresses) THEN 'url' ELSE l.source_type END AND ingestion.key_hash(o.source_key) = l.key_hash
            ), revoked AS (
                UPDATE ingestion.publication p SET revoked_at = ingestion.clock()
                FROM ingestion.document d, places
                WHERE d.id = p.document_id AND d.source_id = places.id AND p.revoked_at IS NULL
                RETURNING p.document_id
            )
            SELECT count(DISTINCT document_id)::int FROM revoked
            """;
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("key", key), new("addresses", SourceKinds.All.Where(k => k.ByAddress).Select(k => k.Word).ToArray()),
                new("reach", NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Bigint) { Value = (object?)actor.Narrowing.Collections?.ToArray() ?? DBNull.Value },
            },
        };
        var removed = (int)(await command.ExecuteScalarAsync(ct))!;
        await AuditLog.WriteAsync(connection, actor, "remove_gone", $"connection {key}", ct, $$"""{"documents":{{removed}}}""");
        await transaction.CommitAsync(ct);
        return removed;
    }

    /// <summary>What the crawls of a batch could not take, in the order in which it was found.</summary>
    public async Task<IReadOnlyList<DeadLink>> DeadLinksAsync(Scope scope, long batchId, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT p.url, p.found_on, p.code, coalesce(p.message, '') FROM ingestion.crawl_page p
            WHERE p.input_id IN (SELECT n.id FROM ingestion.import_input n WHERE n.batch_id = @batch) AND p.state = 'failed'
            ORDER BY p.id
            LIMIT @take
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), new("take", take) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var dead = new List<DeadLink>();
        while (await r.ReadAsync(ct)) dead.Add(new(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetString(2), r.GetString(3)));
        return dead;
    }
}

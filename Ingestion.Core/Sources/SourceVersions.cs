using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>Whether this item may carry its content into the collection.</summary>
internal enum ContentClaim { Ours, Published, InProgress }

/// <summary>A version as it was fetched last.</summary>
/// <param name="RawUri">Where its bytes lie.</param>
internal sealed record KnownVersion(long Id, string? ETag, DateTimeOffset? LastModified, string Sha256, string RawUri, string? MediaType, string? Charset);

/// <summary>Statements of the acquire stage: sources, their versions, and the claim on a content.</summary>
internal static class SourceVersions
{
    public static string Key(long id) => id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The source of an item, made if new. Outside the fence: it names a place and says nothing of the work.</summary>
    public static Task<long> SourceAsync(NpgsqlDataSource worker, WorkItem item, CancellationToken ct) =>
        SourceAsync(worker, item.TenantId, item.CollectionId, item.SourceType, item.ConnectionId, item.SourceKey, ct);

    /// <inheritdoc cref="SourceAsync(NpgsqlDataSource, WorkItem, CancellationToken)"/>
    public static async Task<long> SourceAsync(NpgsqlDataSource worker, string tenantId, long collectionId, string sourceType, string? connectionId, string key, CancellationToken ct)
    {
        const string sql = """
            WITH made AS (
                INSERT INTO ingestion.source (tenant_id, collection_id, source_type, connection_id, source_key, created_at)
                VALUES (@tenant, @collection, @type, @connection, @key, ingestion.clock())
                ON CONFLICT (tenant_id, collection_id, source_type, connection_id, ingestion.key_hash(source_key)) DO NOTHING
                RETURNING id
            )
            SELECT id FROM made
            UNION ALL
            SELECT id FROM ingestion.source
            WHERE tenant_id = @tenant AND collection_id = @collection AND source_type = @type AND connection_id = @connection
              AND ingestion.key_hash(source_key) = ingestion.key_hash(@key)
            LIMIT 1
            """;
        for (var attempt = 0; ; attempt++)
        {
            await using var command = worker.CreateCommand(sql);
            command.Parameters.AddRange(new NpgsqlParameter[]
            {
                new("tenant", tenantId), new("collection", collectionId), new("type", PlaceType(sourceType)), new("connection", connectionId ?? ""), new("key", key),
            });
            if (await command.ExecuteScalarAsync(ct) is long id) return id;
            // Another transaction was inserting it and had not committed when this statement began; the next one sees it.
            if (attempt == 5) throw new InvalidOperationException($"a source of the kind {sourceType} was neither made nor found");
        }
    }

    /// <summary>The kind of the place: a manifest's row and a site's page are at their address, the same as if it had been pasted.</summary>
    public static string PlaceType(string sourceType) => SourceKinds.Find(sourceType) is { ByAddress: true } ? SourceTypes.Url : sourceType;

    public static async Task<KnownVersion?> NewestAsync(NpgsqlDataSource worker, long source, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT id, etag, last_modified, sha256, raw_uri, media_type, charset FROM ingestion.source_version WHERE source_id = $1 ORDER BY id DESC LIMIT 1");
        command.Parameters.Add(new() { Value = source });
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? new(r.GetInt64(0), r.IsDBNull(1) ? null : r.GetString(1), r.IsDBNull(2) ? null : r.GetFieldValue<DateTimeOffset>(2), r.GetString(3), r.GetString(4),
            r.IsDBNull(5) ? null : r.GetString(5), r.IsDBNull(6) ? null : r.GetString(6)) : null;
    }

    public static async Task<long?> FindAsync(NpgsqlDataSource worker, long source, string sha256, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT id FROM ingestion.source_version WHERE source_id = $1 AND sha256 = $2");
        command.Parameters.Add(new() { Value = source });
        command.Parameters.Add(new() { Value = sha256 });
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    /// <summary>A number for the version to be, so that its file can be written before its row.</summary>
    public static async Task<long> ReserveAsync(NpgsqlDataSource worker, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT nextval(pg_get_serial_sequence('ingestion.source_version', 'id'))");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Keeps the fetched version for the item, under the fence. Two items that fetch one source at once end with one version.</summary>
    public static async Task<long> SaveAsync(StageContext context, long source, long id, FetchedDocument fetched, WrittenArtifact raw, CancellationToken ct)
    {
        var kept = id;
        await context.CheckpointAsync(async (connection, token) =>
        {
            kept = await InsertAsync(connection, context.Item.TenantId, source, id, fetched, raw, token);
            await SetOnItemAsync(connection, context.Item.ItemId, kept, fetched, token);
        }, [], ct);
        return kept;
    }

    /// <summary>Writes the version's row and makes its file live; returns the version of these bytes that is there, this one or an earlier.</summary>
    public static async Task<long> InsertAsync(NpgsqlConnection connection, string tenantId, long source, long id, FetchedDocument fetched, WrittenArtifact raw, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.source_version (id, tenant_id, source_id, sha256, length, media_type, charset, final_url, etag, last_modified, raw_uri, fetched_at)
            OVERRIDING SYSTEM VALUE
            VALUES (@id, @tenant, @source, @sha, @length, @media, @charset, @url, @etag, @modified, @uri, ingestion.clock())
            ON CONFLICT (source_id, sha256) DO NOTHING
            """;
        await using var insert = new NpgsqlCommand(sql, connection);
        insert.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("id", id), new("tenant", tenantId), new("source", source), new("sha", fetched.Sha256), new("length", fetched.Length),
            Text("media", fetched.MediaType), Text("charset", fetched.Charset), Text("url", fetched.FinalUrl?.AbsoluteUri), Text("etag", fetched.ETag),
            new("modified", NpgsqlDbType.TimestampTz) { Value = fetched.LastModified is { } m ? m.UtcDateTime : DBNull.Value }, new("uri", raw.Uri.AbsoluteUri),
        });
        if (await insert.ExecuteNonQueryAsync(ct) == 1)
        {
            await ArtifactWriter.MakeLiveAsync(connection, raw, ct);
            return id;
        }
        await using var find = new NpgsqlCommand("SELECT id FROM ingestion.source_version WHERE source_id = $1 AND sha256 = $2", connection) { Parameters = { new() { Value = source }, new() { Value = fetched.Sha256 } } };
        return (long)(await find.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Gives the item a version that we hold already.</summary>
    public static async Task<long> ReuseAsync(StageContext context, long version, FetchedDocument fetched, CancellationToken ct)
    {
        await context.CheckpointAsync((connection, token) => SetOnItemAsync(connection, context.Item.ItemId, version, fetched, token), [], ct);
        return version;
    }

    /// <summary>
    /// Takes the right to carry this content into the collection, then looks whether it is there already: whoever held the right before
    /// has published or given up by now. Content that is there under another name does not excuse a source that still shows something
    /// else: that one gets its new version.
    /// </summary>
    public static async Task<ContentClaim> ClaimContentAsync(StageContext context, long version, CancellationToken ct)
    {
        const string take = """
            INSERT INTO ingestion.content_claim (tenant_id, collection_id, sha256, item_id)
            SELECT @tenant, @collection, v.sha256, @item FROM ingestion.source_version v WHERE v.id = @version
            ON CONFLICT (tenant_id, collection_id, sha256) DO UPDATE SET item_id = excluded.item_id WHERE content_claim.item_id = excluded.item_id
            """;
        const string look = """
            SELECT EXISTS (
                SELECT 1
                FROM ingestion.source_version mine
                JOIN ingestion.source_version v ON v.tenant_id = mine.tenant_id AND v.sha256 = mine.sha256
                JOIN ingestion.source s ON s.id = v.source_id AND s.collection_id = @collection
                JOIN ingestion.document_version d ON d.source_version_id = v.id
                WHERE mine.id = @version AND ingestion.published_version(d.id))
            AND NOT EXISTS (
                SELECT 1
                FROM ingestion.source_version mine
                JOIN ingestion.source_version v ON v.source_id = mine.source_id AND v.id <> mine.id
                JOIN ingestion.document_version d ON d.source_version_id = v.id
                WHERE mine.id = @version AND ingestion.published_version(d.id))
            """;
        var result = ContentClaim.InProgress;
        await context.CheckpointAsync(async (connection, token) =>
        {
            NpgsqlParameter[] Parameters() => [new("tenant", context.Item.TenantId), new("collection", context.Item.CollectionId), new("item", context.Item.ItemId), new("version", version)];
            await using var claim = new NpgsqlCommand(take, connection);
            claim.Parameters.AddRange(Parameters());
            if (await claim.ExecuteNonQueryAsync(token) == 0)
            {
                result = ContentClaim.InProgress;
                return;
            }
            await using var published = new NpgsqlCommand(look, connection);
            published.Parameters.AddRange(Parameters());
            result = (bool)(await published.ExecuteScalarAsync(token))! ? ContentClaim.Published : ContentClaim.Ours;
        }, [], ct);
        return result;
    }

    private static async Task SetOnItemAsync(NpgsqlConnection connection, long item, long version, FetchedDocument fetched, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            UPDATE ingestion.import_item i SET source_version_id = v.id, size = v.length, metadata = $3 || i.metadata FROM ingestion.source_version v WHERE i.id = $1 AND v.id = $2
            """, connection)
        {
            Parameters = { new() { Value = item }, new() { Value = version }, new() { Value = JsonSerializer.Serialize(fetched.Metadata), NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter Text(string name, string? value) => new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };
}

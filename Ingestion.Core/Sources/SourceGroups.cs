using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>A source, and what a version of these bytes is to be called.</summary>
/// <param name="NewVersion">The number of the version to be; null where these bytes are held already.</param>
internal sealed record SourcePlace(long Source, long? NewVersion);

/// <summary>A version whose file is written and whose row is not.</summary>
internal sealed record NewVersion(long Id, long Source, FetchedDocument Fetched, WrittenArtifact Raw);

/// <summary>What <see cref="SourceVersions"/> does for one document, for many of a listing in one statement each.</summary>
internal static class SourceGroups
{
    private const int MostLooks = 5;

    /// <summary>The newest versions of those that have one, by their keys.</summary>
    public static async Task<IReadOnlyDictionary<string, KnownVersion>> NewestAsync(NpgsqlDataSource worker, WorkInput input, string[] keys, CancellationToken ct)
    {
        const string sql = """
            SELECT x.key, v.id, v.etag, v.last_modified, v.sha256, v.raw_uri, v.media_type, v.charset
            FROM unnest(@keys) AS x (key)
            CROSS JOIN LATERAL (
                SELECT s.id FROM ingestion.source s
                WHERE s.tenant_id = @tenant AND s.collection_id = @collection AND s.source_type = @type AND s.connection_id = @connection
                  AND ingestion.key_hash(s.source_key) = ingestion.key_hash(x.key)
                LIMIT 1) s
            CROSS JOIN LATERAL (
                SELECT n.* FROM ingestion.source_version n WHERE n.source_id = s.id ORDER BY n.id DESC LIMIT 1) v
            """;
        await using var command = worker.CreateCommand(sql);
        Describe(command, input, keys);
        await using var r = await command.ExecuteReaderAsync(ct);
        var known = new Dictionary<string, KnownVersion>(StringComparer.Ordinal);
        while (await r.ReadAsync(ct))
            known[r.GetString(0)] = new(r.GetInt64(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : r.GetFieldValue<DateTimeOffset>(3), r.GetString(4), r.GetString(5),
                r.IsDBNull(6) ? null : r.GetString(6), r.IsDBNull(7) ? null : r.GetString(7));
        return known;
    }

    /// <summary>The sources of documents, made where they are new, in the documents' order. Outside the fence: they name places and say nothing of the work.</summary>
    /// <param name="documents">The key, and the SHA-256 of the bytes in lower-case hexadecimal.</param>
    public static async Task<IReadOnlyList<SourcePlace>> PlaceAsync(NpgsqlDataSource worker, WorkInput input, IReadOnlyList<(string Key, string Sha256)> documents, CancellationToken ct)
    {
        // Made in the order of the index, so that two listings never wait for each other in a circle.
        const string sql = """
            WITH x AS (
                SELECT * FROM unnest(@keys, @hashes) WITH ORDINALITY AS x (key, sha256, ord)
            ), made AS (
                INSERT INTO ingestion.source (tenant_id, collection_id, source_type, connection_id, source_key, created_at)
                SELECT @tenant, @collection, @type, @connection, x.key, ingestion.clock() FROM x ORDER BY ingestion.key_hash(x.key)
                ON CONFLICT (tenant_id, collection_id, source_type, connection_id, ingestion.key_hash(source_key)) DO NOTHING
                RETURNING id, source_key
            )
            SELECT s.id, CASE WHEN s.id IS NOT NULL AND v.id IS NULL THEN nextval(pg_get_serial_sequence('ingestion.source_version', 'id')) END
            FROM x
            LEFT JOIN LATERAL (
                SELECT m.id FROM made m WHERE m.source_key = x.key
                UNION ALL
                SELECT s.id FROM ingestion.source s
                WHERE s.tenant_id = @tenant AND s.collection_id = @collection AND s.source_type = @type AND s.connection_id = @connection
                  AND ingestion.key_hash(s.source_key) = ingestion.key_hash(x.key)
                LIMIT 1) s ON true
            LEFT JOIN LATERAL (
                SELECT v.id FROM ingestion.source_version v WHERE v.source_id = s.id AND v.sha256 = x.sha256 LIMIT 1) v ON true
            ORDER BY x.ord
            """;
        if (documents.Count == 0) return [];
        for (var look = 1; ; look++)
        {
            await using var command = worker.CreateCommand(sql);
            Describe(command, input, [.. documents.Select(d => d.Key)]);
            command.Parameters.Add(new("hashes", documents.Select(d => d.Sha256).ToArray()));
            var places = new List<SourcePlace>(documents.Count);
            await using (var r = await command.ExecuteReaderAsync(ct))
                while (await r.ReadAsync(ct))
                    if (!r.IsDBNull(0)) places.Add(new(r.GetInt64(0), r.IsDBNull(1) ? null : r.GetInt64(1)));
            if (places.Count == documents.Count) return places;
            // Another transaction was inserting one and had not committed when this statement began; the next one sees it.
            if (look == MostLooks) throw new InvalidOperationException($"{documents.Count - places.Count} sources of the kind {input.SourceType} were neither made nor found");
        }
    }

    /// <summary>Writes the rows of versions and makes their files live. Bytes that came to be held meanwhile stay with the version that has them.</summary>
    public static async Task InsertAsync(NpgsqlConnection connection, string tenantId, IReadOnlyList<NewVersion> versions, CancellationToken ct)
    {
        const string sql = """
            WITH x AS (
                SELECT * FROM unnest(@ids, @sources, @hashes, @lengths, @media, @charsets, @urls, @etags, @modified, @uris) AS x (id, source_id, sha256, length, media, charset, url, etag, modified, uri)
            ), made AS (
                INSERT INTO ingestion.source_version (id, tenant_id, source_id, sha256, length, media_type, charset, final_url, etag, last_modified, raw_uri, fetched_at)
                OVERRIDING SYSTEM VALUE
                SELECT id, @tenant, source_id, sha256, length, media, charset, url, etag, modified, uri, ingestion.clock() FROM x ORDER BY id
                ON CONFLICT (source_id, sha256) DO NOTHING
                RETURNING raw_uri
            )
            SELECT x.uri FROM x JOIN made m ON m.raw_uri = x.uri
            """;
        if (versions.Count == 0) return;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", tenantId), new("ids", versions.Select(v => v.Id).ToArray()), new("sources", versions.Select(v => v.Source).ToArray()),
                new("hashes", versions.Select(v => v.Fetched.Sha256).ToArray()), new("lengths", versions.Select(v => v.Fetched.Length).ToArray()),
                Texts("media", versions.Select(v => v.Fetched.MediaType)), Texts("charsets", versions.Select(v => v.Fetched.Charset)),
                Texts("urls", versions.Select(v => v.Fetched.FinalUrl?.AbsoluteUri)), Texts("etags", versions.Select(v => v.Fetched.ETag)),
                new("modified", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = versions.Select(v => v.Fetched.LastModified?.UtcDateTime).ToArray() },
                new("uris", versions.Select(v => v.Raw.Uri.AbsoluteUri).ToArray()),
            },
        };
        var made = new HashSet<string>(StringComparer.Ordinal);
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) made.Add(r.GetString(0));
        await ArtifactWriter.MakeLiveAsync(connection, [.. versions.Select(v => v.Raw).Where(w => made.Contains(w.Uri.AbsoluteUri))], ct);
    }

    private static void Describe(NpgsqlCommand command, WorkInput input, string[] keys) => command.Parameters.AddRange(new NpgsqlParameter[]
    {
        new("tenant", input.TenantId), new("collection", input.CollectionId), new("type", SourceVersions.PlaceType(input.SourceType)), new("connection", input.ConnectionId ?? ""), new("keys", keys),
    });

    private static NpgsqlParameter Texts(string name, IEnumerable<string?> values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = values.ToArray() };
}

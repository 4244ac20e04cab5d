using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Chunking;
using Ingestion.Core.Indexing;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Parsing;

/// <summary>The bytes a parse works on.</summary>
internal sealed record RawVersion(long Id, long SourceId, string Sha256, long Length, string? MediaType, string? Charset, Uri? FinalUrl, Uri Uri)
{
    public static async Task<RawVersion> LoadAsync(NpgsqlDataSource worker, long id, CancellationToken ct)
    {
        const string sql = "SELECT id, source_id, sha256, length, media_type, charset, final_url, raw_uri FROM ingestion.source_version WHERE id = $1";
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = id });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) throw new IngestionException(ErrorCodes.MissingFile, "The stored version of this document is gone.");
        return new(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetInt64(3), Text(r, 4), Text(r, 5), Text(r, 6) is { } url ? new Uri(url) : null, new Uri(r.GetString(7)));
    }

    private static string? Text(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetString(i);
}

/// <summary>A document version about to be saved.</summary>
internal sealed record NewDocumentVersion(
    long Id, RawVersion Raw, string OptionsHash, string Format, int ParserVersion, ParsedDocument Document, IReadOnlyList<Chunk> Chunks, string Title, string Metadata,
    DocumentQuality Quality);

/// <summary>Statements of the parse stage: documents, their versions, chunks and links.</summary>
internal static class DocumentVersions
{
    public static async Task<(long Id, int Chunks, double? Quality)?> FindAsync(NpgsqlDataSource worker, long sourceVersion, string optionsHash, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT id, chunk_count, quality FROM ingestion.document_version WHERE source_version_id = $1 AND options_hash = $2");
        command.Parameters.Add(new() { Value = sourceVersion });
        command.Parameters.Add(new() { Value = optionsHash });
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? (r.GetInt64(0), r.GetInt32(1), r.IsDBNull(2) ? null : r.GetDouble(2)) : null;
    }

    public static async Task<long> ReserveAsync(NpgsqlDataSource worker, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT nextval(pg_get_serial_sequence('ingestion.document_version', 'id'))");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Saves version, chunks and links, or takes the version that another item saved meanwhile.</summary>
    public static async Task SaveAsync(NpgsqlConnection connection, WorkItem item, NewDocumentVersion version, WrittenArtifact markdown, WrittenArtifact record, CancellationToken ct)
    {
        const string sql = """
            WITH made AS (
                INSERT INTO ingestion.document (tenant_id, collection_id, source_id, created_at) VALUES (@tenant, @collection, @source, ingestion.clock())
                ON CONFLICT (source_id) DO UPDATE SET source_id = excluded.source_id
                RETURNING id
            )
            INSERT INTO ingestion.document_version
                (id, tenant_id, document_id, source_version_id, options_hash, title, format, parser_version, pages, characters, chunk_count, notes, metadata, quality, quality_parts, markdown_uri, record_uri, created_at)
            OVERRIDING SYSTEM VALUE
            SELECT @id, @tenant, made.id, @version, @hash, @title, @format, @parser, @pages, @characters, @chunks, @notes, @metadata, @quality, @parts, @markdown, @record, ingestion.clock() FROM made
            ON CONFLICT (source_version_id, options_hash) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("id", version.Id), new("tenant", item.TenantId), new("collection", item.CollectionId), new("source", version.Raw.SourceId), new("version", version.Raw.Id),
                new("hash", version.OptionsHash), new("title", version.Title), new("format", version.Format), new("parser", version.ParserVersion),
                new("pages", NpgsqlDbType.Integer) { Value = (object?)version.Document.Pages ?? DBNull.Value }, new("characters", version.Document.Markdown.Length), new("chunks", version.Chunks.Count),
                new("notes", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(version.Document.Notes) }, new("metadata", NpgsqlDbType.Jsonb) { Value = version.Metadata },
                new("quality", version.Quality.Score), new("parts", NpgsqlDbType.Jsonb) { Value = version.Quality.PartsJson },
                new("markdown", markdown.Uri.AbsoluteUri), new("record", record.Uri.AbsoluteUri),
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0)
        {
            await using var find = new NpgsqlCommand("SELECT id, chunk_count FROM ingestion.document_version WHERE source_version_id = $1 AND options_hash = $2", connection) { Parameters = { new() { Value = version.Raw.Id }, new() { Value = version.OptionsHash } } };
            long id;
            int chunks;
            await using (var r = await find.ExecuteReaderAsync(ct))
            {
                await r.ReadAsync(ct);
                (id, chunks) = (r.GetInt64(0), r.GetInt32(1));
            }
            await SetOnItemAsync(connection, item.ItemId, id, chunks, ct);
            return;
        }
        await ArtifactWriter.MakeLiveAsync(connection, markdown, ct);
        await ArtifactWriter.MakeLiveAsync(connection, record, ct);
        await ChunkTable.CopyAsync(connection, item.TenantId, version.Id, version.Chunks, ct);
        await LinksAsync(connection, item.TenantId, version, ct);
        await SetOnItemAsync(connection, item.ItemId, version.Id, version.Chunks.Count, ct);
    }

    public static async Task SetOnItemAsync(NpgsqlConnection connection, long item, long version, int chunks, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("UPDATE ingestion.import_item SET document_version_id = $2, chunk_count = $3, generation_id = NULL WHERE id = $1", connection)
        {
            Parameters = { new() { Value = item }, new() { Value = version }, new() { Value = chunks } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task LinksAsync(NpgsqlConnection connection, string tenant, NewDocumentVersion version, CancellationToken ct)
    {
        if (version.Document.Links.Count == 0) return;
        await using var copy = await connection.BeginBinaryImportAsync("COPY ingestion.document_link (document_version_id, ordinal, tenant_id, target, text) FROM STDIN (FORMAT binary)", ct);
        var ordinal = 0;
        foreach (var link in version.Document.Links)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(version.Id, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(ordinal++, NpgsqlDbType.Integer, ct);
            await copy.WriteAsync(tenant, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(link.Target.Replace('\0', '\uFFFD'), NpgsqlDbType.Text, ct);
            await copy.WriteAsync(link.Text.Replace('\0', '\uFFFD'), NpgsqlDbType.Text, ct);
        }
        await copy.CompleteAsync(ct);
    }
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Indexing;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>Puts documents into the library by the rows that the pipeline would have written, so that reading is tested without running it.</summary>
internal sealed class LibrarySeed(Database database)
{
    private int _keys;

    /// <summary>A tenant with a collection <c>default</c>.</summary>
    public Task TenantAsync(string tenant) => RunAsync(
        "INSERT INTO ingestion.tenant (id, name) VALUES ($1, $1); INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ($1, 'default', 'Default')", tenant);

    public Task CollectionAsync(string tenant, string key) => RunAsync("INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ($1, $2, $2)", tenant, key);

    /// <summary>A document of one version, indexed; published unless said otherwise.</summary>
    public async Task<Seeded> DocumentAsync(string title, string[] chunks, string tenant = "default", string collection = "default", string metadata = "{}", bool publish = true, string? source = null, string heading = "")
    {
        var key = source ?? $"file-{Interlocked.Increment(ref _keys)}.md";
        const string sql = """
            WITH c AS (SELECT id FROM ingestion.collection WHERE tenant_id = @tenant AND key = @collection),
            s AS (INSERT INTO ingestion.source (tenant_id, collection_id, source_type, connection_id, source_key) SELECT @tenant, c.id, 'upload', '', @key FROM c RETURNING id, collection_id),
            d AS (INSERT INTO ingestion.document (tenant_id, collection_id, source_id) SELECT @tenant, s.collection_id, s.id FROM s RETURNING id)
            SELECT d.id, s.id FROM d, s
            """;
        await using var connection = await database.Worker.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tenant", tenant), new("collection", collection), new("key", key) } };
        await using var r = await command.ExecuteReaderAsync();
        await r.ReadAsync();
        var (document, from) = (r.GetInt64(0), r.GetInt64(1));
        await r.CloseAsync();
        return await VersionAsync(new(tenant, document, from, 0), title, chunks, metadata, publish, heading);
    }

    /// <summary>A further version of a document.</summary>
    public async Task<Seeded> VersionAsync(Seeded of, string title, string[] chunks, string metadata = "{}", bool publish = true, string heading = "")
    {
        var sha = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{of.Source}/{Interlocked.Increment(ref _keys)}")));
        const string sql = """
            WITH s AS (INSERT INTO ingestion.source_version (tenant_id, source_id, sha256, length, raw_uri) VALUES (@tenant, @source, @sha, 10, 'file:///nowhere/raw.bin') RETURNING id)
            INSERT INTO ingestion.document_version (tenant_id, document_id, source_version_id, options_hash, title, format, parser_version, characters, chunk_count, notes, metadata, markdown_uri, record_uri)
            SELECT @tenant, @document, s.id, 'options', @title, 'md', 1, 100, @chunks, '[]', @metadata::jsonb, 'file:///nowhere/normalized.md', 'file:///nowhere/ingestion.json' FROM s
            RETURNING id
            """;
        await using var connection = await database.Worker.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("tenant", of.Tenant), new("source", of.Source), new("sha", sha), new("document", of.Document), new("title", title), new("chunks", chunks.Length), new("metadata", metadata) },
        };
        var version = (long)(await command.ExecuteScalarAsync())!;
        await ChunkTable.CopyAsync(connection, of.Tenant, version, [.. chunks.Select((text, i) => new Core.Chunking.Chunk(i, heading, text, 0, text.Length))], CancellationToken.None);
        await VectorsAsync(of.Tenant, heading, chunks);
        await RunAsync("""
            INSERT INTO ingestion.chunk_fts (chunk_id, tenant_id, collection_id, document_version_id, generation_id, tsv)
            SELECT c.id, c.tenant_id, d.collection_id, v.id, (SELECT max(id) FROM ingestion.embedding_generation),
                   setweight(to_tsvector('simple', v.title), 'A') || setweight(to_tsvector('simple', c.heading_path), 'B') || setweight(to_tsvector('simple', c.text), 'C')
            FROM ingestion.chunk c JOIN ingestion.document_version v ON v.id = c.document_version_id JOIN ingestion.document d ON d.id = v.document_id
            WHERE v.id = $1
            """, version);
        if (publish) await PublishAsync(of.Document, version);
        return of with { Version = version };
    }

    public Task PublishAsync(long document, long version) => RunAsync(
        "INSERT INTO ingestion.publication (tenant_id, document_id, document_version_id, batch_id) SELECT tenant_id, $1, $2, 0 FROM ingestion.document WHERE id = $1", document, version);

    public Task RevokeAsync(long version) => RunAsync("UPDATE ingestion.publication SET revoked_at = now() WHERE document_version_id = $1", version);

    public async Task RunAsync(string sql, params object[] parameters)
    {
        // Several statements and positional parameters do not go together, so each statement is sent by itself.
        foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = database.Worker.CreateCommand(statement);
            foreach (var p in parameters.Take(Enumerable.Range(1, parameters.Length).LastOrDefault(n => statement.Contains("$" + n.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal))))
                command.Parameters.Add(new() { Value = p });
            await command.ExecuteNonQueryAsync();
        }
    }

    private async Task VectorsAsync(string tenant, string heading, string[] chunks)
    {
        var model = new EmbeddingModel(HashingEmbedder.ModelId, HashingEmbedder.Dimensions, HashingEmbedder.Version, new HashingEmbedder(), true);
        var generation = await VectorTable.CreateGenerationAsync(database.Worker, model, HashingEmbedder.Dimensions, CancellationToken.None);
        var texts = chunks.Select(c => ChunkTable.EmbeddingText(heading, c)).Distinct().ToList();
        await VectorTable.StoreAsync(database.Worker, tenant, generation.Id, [.. texts.Select(ChunkTable.HashOf)], [.. texts.Select(HashingEmbedder.Embed)], CancellationToken.None);
    }
}

internal sealed record Seeded(string Tenant, long Document, long Source, long Version);

using Ingestion.Core.Embeddings;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Indexing;

/// <summary>Vectors that may be compared: their row's number and length.</summary>
public sealed record Generation(long Id, int Dimensions);

/// <summary>Statements of the vector cache. It is keyed by content and written outside the fence: the same text has the same vector.</summary>
internal static class VectorTable
{
    /// <summary>The model's generation; null where it has none yet and its dimensions are unknown.</summary>
    public static async Task<Generation?> GenerationAsync(NpgsqlDataSource worker, EmbeddingModel model, CancellationToken ct)
    {
        await using (var command = worker.CreateCommand("SELECT id, dimensions FROM ingestion.embedding_generation WHERE model = $1 AND version = $2 AND ($3 IS NULL OR dimensions = $3) ORDER BY id DESC LIMIT 1"))
        {
            command.Parameters.Add(new() { Value = model.Id });
            command.Parameters.Add(new() { Value = model.Version });
            command.Parameters.Add(new() { Value = (object?)model.Dimensions ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
            await using var r = await command.ExecuteReaderAsync(ct);
            if (await r.ReadAsync(ct)) return new(r.GetInt64(0), r.GetInt32(1));
        }
        return model.Dimensions is { } known ? await CreateGenerationAsync(worker, model, known, ct) : null;
    }

    public static async Task<Generation> CreateGenerationAsync(NpgsqlDataSource worker, EmbeddingModel model, int dimensions, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.embedding_generation (model, dimensions, version, created_at) VALUES ($1, $2, $3, ingestion.clock())
            ON CONFLICT (model, dimensions, version) DO UPDATE SET model = excluded.model
            RETURNING id
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = model.Id });
        command.Parameters.Add(new() { Value = dimensions });
        command.Parameters.Add(new() { Value = model.Version });
        return new((long)(await command.ExecuteScalarAsync(ct))!, dimensions);
    }

    public static async Task<int> CountAsync(NpgsqlDataSource worker, long version, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT chunk_count FROM ingestion.document_version WHERE id = $1");
        command.Parameters.Add(new() { Value = version });
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Embedding texts of a version that have no vector in the generation, each once.</summary>
    public static async Task<List<(byte[] Hash, string Text)>> MissingAsync(NpgsqlDataSource worker, string tenant, long version, long? generation, int limit, CancellationToken ct)
    {
        const string sql = """
            SELECT DISTINCT ON (c.text_hash) c.text_hash, c.heading_path, c.text
            FROM ingestion.chunk c
            WHERE c.document_version_id = $1
              AND NOT EXISTS (SELECT 1 FROM ingestion.chunk_vector v WHERE v.tenant_id = $2 AND v.generation_id = $3 AND v.text_hash = c.text_hash)
            ORDER BY c.text_hash
            LIMIT $4
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = version });
        command.Parameters.Add(new() { Value = tenant });
        command.Parameters.Add(new() { Value = (object?)generation ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = limit });
        await using var r = await command.ExecuteReaderAsync(ct);
        var missing = new List<(byte[], string)>();
        while (await r.ReadAsync(ct)) missing.Add((r.GetFieldValue<byte[]>(0), ChunkTable.EmbeddingText(r.GetString(1), r.GetString(2))));
        return missing;
    }

    /// <summary>Keeps vectors; those that somebody kept meanwhile are left alone. In key order, so that two writers cannot deadlock.</summary>
    public static async Task StoreAsync(NpgsqlDataSource worker, string tenant, long generation, IReadOnlyList<byte[]> hashes, IReadOnlyList<float[]> vectors, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.chunk_vector (tenant_id, generation_id, text_hash, embedding)
            SELECT @tenant, @generation, x.hash, x.embedding FROM unnest(@hashes, @embeddings) AS x (hash, embedding) ORDER BY x.hash
            ON CONFLICT DO NOTHING
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("tenant", tenant), new("generation", generation),
            new("hashes", NpgsqlDbType.Array | NpgsqlDbType.Bytea) { Value = hashes.ToArray() },
            new("embeddings", NpgsqlDbType.Array | NpgsqlDbType.Bytea) { Value = vectors.Select(v => VectorSearchBytes.ToBytes(v)).ToArray() },
        });
        await command.ExecuteNonQueryAsync(ct);
    }
}

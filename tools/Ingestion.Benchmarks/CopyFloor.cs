using System.Diagnostics;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Indexing;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Benchmarks;

/// <summary>
/// The rows that the pipeline leaves behind, and nothing else: chunks and vectors by binary COPY, then the full-text rows, into tables of
/// the same columns and indexes. Two connections with half of the documents each, one transaction a connection.
/// </summary>
internal static class CopyFloor
{
    private const int Connections = 2;

    private const string Tables = """
        CREATE TABLE ingestion.floor_chunk (LIKE ingestion.chunk INCLUDING ALL);
        CREATE TABLE ingestion.floor_vector (LIKE ingestion.chunk_vector INCLUDING ALL);
        CREATE TABLE ingestion.floor_fts (LIKE ingestion.chunk_fts INCLUDING ALL);
        """;

    public static async Task<Result> RunAsync(Inputs inputs)
    {
        await using var rig = await Rig.StartDatabaseAsync();
        await using (var create = rig.Database.Owner.CreateCommand(Tables)) await create.ExecuteNonQueryAsync();
        var pages = await Corpus.ParseAsync(inputs);
        var vectors = Corpus.EmbeddingTexts(pages).Distinct().Select(t => (Hash: ChunkTable.HashOf(t), Vector: VectorSearchBytes.ToBytes(HashingEmbedder.Embed(t))))
            .OrderBy(v => Convert.ToHexStringLower(v.Hash), StringComparer.Ordinal).ToList();
        var numbered = pages.Select((p, i) => (Version: (long)i, p.Chunks)).ToList();

        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(part => WriteAsync(
            rig.Database, [.. numbered.Where(n => n.Version % Connections == part)], [.. vectors.Where((_, i) => i % Connections == part)])));
        return new(Stopwatch.GetElapsedTime(begun).TotalSeconds, new() { ["documents"] = pages.Count, ["chunks"] = pages.Sum(p => p.Chunks.Count) }, []);
    }

    private static async Task WriteAsync(Database database, List<(long Version, IReadOnlyList<Core.Chunking.Chunk> Chunks)> documents, List<(byte[] Hash, byte[] Vector)> vectors)
    {
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var copy = await connection.BeginBinaryImportAsync("COPY ingestion.floor_chunk (tenant_id, document_version_id, ordinal, heading_path, text, text_hash) FROM STDIN (FORMAT binary)"))
        {
            foreach (var (version, chunks) in documents)
            {
                foreach (var chunk in chunks)
                {
                    await copy.StartRowAsync();
                    await copy.WriteAsync(Tenant.Default, NpgsqlDbType.Text);
                    await copy.WriteAsync(version, NpgsqlDbType.Bigint);
                    await copy.WriteAsync(chunk.Ordinal, NpgsqlDbType.Integer);
                    await copy.WriteAsync(chunk.HeadingPath, NpgsqlDbType.Text);
                    await copy.WriteAsync(chunk.Text, NpgsqlDbType.Text);
                    await copy.WriteAsync(ChunkTable.HashOf(ChunkTable.EmbeddingText(chunk.HeadingPath, chunk.Text)), NpgsqlDbType.Bytea);
                }
            }
            await copy.CompleteAsync();
        }
        await using (var copy = await connection.BeginBinaryImportAsync("COPY ingestion.floor_vector (tenant_id, generation_id, text_hash, embedding) FROM STDIN (FORMAT binary)"))
        {
            foreach (var (hash, vector) in vectors)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(Tenant.Default, NpgsqlDbType.Text);
                await copy.WriteAsync(1L, NpgsqlDbType.Bigint);
                await copy.WriteAsync(hash, NpgsqlDbType.Bytea);
                await copy.WriteAsync(vector, NpgsqlDbType.Bytea);
            }
            await copy.CompleteAsync();
        }
        await using (var index = new NpgsqlCommand("""
            INSERT INTO ingestion.floor_fts (chunk_id, tenant_id, collection_id, document_version_id, generation_id, tsv)
            SELECT id, tenant_id, 1, document_version_id, 1,
                   setweight(to_tsvector('simple', 'Title'), 'A') || setweight(to_tsvector('simple', heading_path), 'B') || setweight(to_tsvector('simple', text), 'C')
            FROM ingestion.floor_chunk WHERE document_version_id = ANY(@versions)
            """, connection) { Parameters = { new("versions", documents.Select(d => d.Version).ToArray()) } })
            await index.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }
}

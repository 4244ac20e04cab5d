using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Chunking;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Indexing;

/// <summary>Chunk rows, and the text that stands for a chunk when it is embedded.</summary>
public static class ChunkTable
{
    /// <summary>What is embedded: the heading path before the text, so that a chunk is found by what it stands under.</summary>
    public static string EmbeddingText(string headingPath, string text) => $"[H] {headingPath}\n{text}";

    public static byte[] HashOf(string embeddingText) => SHA256.HashData(Encoding.UTF8.GetBytes(embeddingText));

    /// <summary>Copies a version's chunks, inside the transaction that makes the version.</summary>
    public static async Task CopyAsync(NpgsqlConnection connection, string tenantId, long version, IReadOnlyList<Chunk> chunks, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "COPY ingestion.chunk (tenant_id, document_version_id, ordinal, heading_path, text, text_hash) FROM STDIN (FORMAT binary)", ct);
        foreach (var chunk in chunks)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(tenantId, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(version, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(chunk.Ordinal, NpgsqlDbType.Integer, ct);
            await copy.WriteAsync(chunk.HeadingPath, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(chunk.Text, NpgsqlDbType.Text, ct);
            await copy.WriteAsync(HashOf(EmbeddingText(chunk.HeadingPath, chunk.Text)), NpgsqlDbType.Bytea, ct);
        }
        await copy.CompleteAsync(ct);
    }
}

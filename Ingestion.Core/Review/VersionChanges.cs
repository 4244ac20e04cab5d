using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Library;
using Ingestion.Core.Rendering;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>A field before and after; null where the record had none.</summary>
public sealed record FieldChange(string Field, string? Before, string? After);

/// <summary>A chunk that is new, or gone.</summary>
public sealed record ChunkChange(bool IsNew, int Ordinal, string HeadingPath, string Text);

/// <summary>What publishing a version would change for readers.</summary>
/// <param name="Kept">Chunks that stay where they are.</param>
/// <param name="Moved">Chunks that stay and stand elsewhere.</param>
/// <param name="Embedded">Texts that have no vector yet and would be embedded.</param>
/// <param name="Chunks">New and gone ones in order, at most <see cref="VersionChanges.MostChunks"/>.</param>
/// <param name="Fields">Those that differ.</param>
/// <param name="Text">Changed lines; null where too many differ, or a text's file is gone.</param>
public sealed record VersionChange(
    int Kept, int Moved, int New, int Gone, int Embedded, IReadOnlyList<ChunkChange> Chunks, IReadOnlyList<FieldChange> Fields, IReadOnlyList<DiffHunk>? Text);

/// <summary>A document that shares text with another.</summary>
/// <param name="Shared">Chunks of the same text.</param>
/// <param name="SameBytes">The file is the same, byte by byte.</param>
public sealed record Duplicate(long DocumentId, long VersionId, string Title, string SourceKey, bool Published, int Shared, bool SameBytes);

/// <summary>Compares versions of documents: with the one that readers see now, and with other documents of the collection.</summary>
public sealed class VersionChanges(Database database, DocumentFiles files)
{
    /// <summary>Chunks that are listed one by one.</summary>
    public const int MostChunks = 60;

    // Texts are compared as far as this.
    private const int MostText = 2_000_000;

    /// <summary>From a version of a document to another, whose record is the one of an item.</summary>
    public async Task<VersionChange> BetweenAsync(Scope scope, long before, long after, long item, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        var (kept, moved, added, gone, embedded) = await CountAsync(connection, before, after, ct);
        return new(kept, moved, added, gone, embedded, await ChunksAsync(connection, before, after, ct), await FieldsAsync(connection, before, item, ct), await TextAsync(scope, before, after, ct));
    }

    /// <summary>Other documents of the same collection with the same file or at least half of the chunks, most alike first; at most ten.</summary>
    public async Task<IReadOnlyList<Duplicate>> DuplicatesAsync(Scope scope, long version, CancellationToken ct)
    {
        const string sql = """
            WITH mine AS (
                SELECT v.id, v.tenant_id, v.document_id, v.chunk_count, d.collection_id, s.sha256
                FROM ingestion.document_version v JOIN ingestion.document d ON d.id = v.document_id JOIN ingestion.source_version s ON s.id = v.source_version_id
                WHERE v.id = @version
            ), shared AS (
                SELECT o.document_version_id AS id, count(DISTINCT o.text_hash)::int AS n
                FROM mine m
                JOIN ingestion.chunk c ON c.document_version_id = m.id
                JOIN ingestion.chunk o ON o.tenant_id = m.tenant_id AND o.text_hash = c.text_hash AND o.document_version_id <> m.id
                GROUP BY 1
            )
            SELECT DISTINCT ON (v.document_id) v.document_id, v.id, v.title, o.source_key,
                   EXISTS (SELECT FROM ingestion.publication p WHERE p.document_version_id = v.id AND p.revoked_at IS NULL) AS published, x.n, s.sha256 = m.sha256 AS same
            FROM shared x
            CROSS JOIN mine m
            JOIN ingestion.document_version v ON v.id = x.id
            JOIN ingestion.document d ON d.id = v.document_id AND d.collection_id = m.collection_id AND d.id <> m.document_id
            JOIN ingestion.source_version s ON s.id = v.source_version_id
            JOIN ingestion.source o ON o.id = s.source_id
            WHERE x.n * 2 >= m.chunk_count OR s.sha256 = m.sha256
            ORDER BY v.document_id, published DESC, x.n DESC, v.id DESC
            LIMIT 10
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("version", version) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<Duplicate>();
        while (await r.ReadAsync(ct)) found.Add(new(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), r.GetBoolean(4), r.GetInt32(5), r.GetBoolean(6)));
        return [.. found.OrderByDescending(d => d.SameBytes).ThenByDescending(d => d.Shared)];
    }

    // One text may stand in several places: the first is held against the first, the second against the second.
    private const string Both = """
        WITH b AS (
            SELECT c.*, row_number() OVER (PARTITION BY c.text_hash ORDER BY c.ordinal) AS nth FROM ingestion.chunk c WHERE c.document_version_id = @before
        ), a AS (
            SELECT c.*, row_number() OVER (PARTITION BY c.text_hash ORDER BY c.ordinal) AS nth FROM ingestion.chunk c WHERE c.document_version_id = @after
        )
        """;

    private static async Task<(int Kept, int Moved, int New, int Gone, int Embedded)> CountAsync(NpgsqlConnection connection, long before, long after, CancellationToken ct)
    {
        const string sql = $"""
            {Both}
            SELECT count(*) FILTER (WHERE b.ordinal = a.ordinal)::int, count(*) FILTER (WHERE b.ordinal <> a.ordinal)::int,
                   count(*) FILTER (WHERE b.id IS NULL)::int, count(*) FILTER (WHERE a.id IS NULL)::int,
                   count(DISTINCT a.text_hash) FILTER (WHERE b.id IS NULL AND NOT EXISTS (
                       SELECT FROM ingestion.chunk_vector v WHERE v.tenant_id = a.tenant_id AND v.text_hash = a.text_hash
                         AND v.generation_id = (SELECT max(i.generation_id) FROM ingestion.import_item i WHERE i.document_version_id = @before)))::int
            FROM b FULL JOIN a ON a.text_hash = b.text_hash AND a.nth = b.nth
            """;
        await using var command = Command(connection, sql, before, after);
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return (r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4));
    }

    private static async Task<IReadOnlyList<ChunkChange>> ChunksAsync(NpgsqlConnection connection, long before, long after, CancellationToken ct)
    {
        var sql = $"""
            {Both}
            SELECT a.id IS NOT NULL, coalesce(a.ordinal, b.ordinal), coalesce(a.heading_path, b.heading_path), coalesce(a.text, b.text)
            FROM b FULL JOIN a ON a.text_hash = b.text_hash AND a.nth = b.nth
            WHERE a.id IS NULL OR b.id IS NULL
            ORDER BY 2, 1
            LIMIT {MostChunks}
            """;
        await using var command = Command(connection, sql, before, after);
        await using var r = await command.ExecuteReaderAsync(ct);
        var chunks = new List<ChunkChange>();
        while (await r.ReadAsync(ct)) chunks.Add(new(r.GetBoolean(0), r.GetInt32(1), r.GetString(2), r.GetString(3)));
        return chunks;
    }

    private static async Task<IReadOnlyList<FieldChange>> FieldsAsync(NpgsqlConnection connection, long before, long item, CancellationToken ct)
    {
        const string sql = """
            SELECT coalesce((SELECT f.fields FROM ingestion.item_record f JOIN ingestion.import_item i ON i.id = f.item_id
                             WHERE i.document_version_id = @before AND i.id <> @item ORDER BY i.state = 'done' DESC, i.id DESC LIMIT 1), '[]')::text,
                   coalesce((SELECT f.fields FROM ingestion.item_record f WHERE f.item_id = @item), '[]')::text
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("before", before), new("item", item) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var (was, now) = (Values(r.GetString(0)), Values(r.GetString(1)));
        return [.. now.Keys.Union(was.Keys).Select(name => new FieldChange(name, was.GetValueOrDefault(name), now.GetValueOrDefault(name))).Where(c => c.Before != c.After)];
    }

    private static Dictionary<string, string> Values(string json) => ResolvedField.FromJson(json)
        .Select(f => (f.Name, Value: f.EntityName ?? f.Found?.Value ?? (f.Parts is { Count: > 0 } parts ? string.Join("\n\n", parts.Select(p => $"{p.Label}\n{p.Text}")) : null)))
        .Where(f => f.Value is not null).ToDictionary(f => f.Name, f => f.Value!);

    private async Task<IReadOnlyList<DiffHunk>?> TextAsync(Scope scope, long before, long after, CancellationToken ct) =>
        await ReadAsync(scope, before, ct) is { } was && await ReadAsync(scope, after, ct) is { } now ? await Task.Run(() => LineDiff.Of(was, now), ct) : null;

    private async Task<string?> ReadAsync(Scope scope, long version, CancellationToken ct)
    {
        if (await files.MarkdownAsync(scope, version, ct) is not { } file) return null;
        await using var content = file.Content;
        using var reader = new StreamReader(content);
        var text = new char[MostText];
        return new string(text, 0, await reader.ReadBlockAsync(text, ct));
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, long before, long after) => new(sql, connection) { Parameters = { new("before", before), new("after", after) } };
}

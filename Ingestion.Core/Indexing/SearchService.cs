using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Indexing;

/// <param name="Collection">Its key; null searches all of the tenant's.</param>
/// <param name="Filter">Metadata that a hit's document must have, name and value.</param>
public sealed record SearchRequest(string Text, string? Collection = null, IReadOnlyDictionary<string, string>? Filter = null, int Take = 20);

/// <summary>A chunk that was found, with what a person needs to trust it.</summary>
/// <param name="Score">Fused rank; comparable within one answer only.</param>
/// <param name="ItemId">The item that carried the document in last; null where its batch was deleted.</param>
public sealed record SearchHit(
    long ChunkId, double Score, string HeadingPath, string Text, int Ordinal, string Title, string SourceKey, string SourceType,
    string CollectionKey, long DocumentVersionId, long? ItemId, string? BatchId, string Metadata);

/// <param name="Note">A sentence where one half of the search could not be done; the other half's hits are here.</param>
public sealed record SearchAnswer(IReadOnlyList<SearchHit> Hits, TimeSpan Took, string? Note);

/// <summary>Hybrid search over what is published: full text and vectors, fused by rank.</summary>
public sealed class SearchService(Database database, EmbeddingModels models, EmbeddingBatcher batcher, VectorIndex vectors, TimeProvider time)
{
    private const int Candidates = 100;

    public async Task<SearchAnswer> SearchAsync(string tenantId, SearchRequest request, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var text = request.Text.Replace('\0', ' ').Trim();
        if (text.Length == 0) return new([], TimeSpan.Zero, null);
        await using var connection = await database.OpenWebAsync(tenantId, ct);
        var collection = request.Collection is { } key ? await CollectionAsync(connection, key, ct) ?? -1 : (long?)null;
        var filter = request.Filter is { Count: > 0 } f ? JsonSerializer.Serialize(f) : null;

        var lexical = await LexicalAsync(connection, text, collection, filter, ct);
        var (semantic, note) = await SemanticAsync(tenantId, text, collection, ct);
        var fused = RankFusion.Fuse<long>(lexical, semantic);
        var hits = await DetailsAsync(connection, fused, filter, Math.Clamp(request.Take, 1, Candidates), ct);
        return new(hits, time.GetElapsedTime(started), note);
    }

    private static async Task<List<long>> LexicalAsync(NpgsqlConnection connection, string text, long? collection, string? filter, CancellationToken ct)
    {
        // All words first; any of them where that finds too little: a question holds words that its answer does not.
        const string sql = """
            WITH q AS (
                SELECT websearch_to_tsquery('simple', @text) AS every,
                       nullif(replace(plainto_tsquery('simple', @text)::text, ' & ', ' | '), '')::tsquery AS any_of
            ), hits AS (
                SELECT s.chunk_id, s.score + 10 AS score FROM q, ingestion.search_text(q.every, @collection, @filter, @take) s
            ), more AS (
                SELECT s.chunk_id, s.score FROM q, ingestion.search_text(q.any_of, @collection, @filter, @take) s WHERE (SELECT count(*) FROM hits) < 20
            )
            SELECT chunk_id FROM (SELECT * FROM hits UNION ALL SELECT * FROM more) x GROUP BY chunk_id ORDER BY max(score) DESC, chunk_id LIMIT @take
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("text", text), new("take", Candidates),
                new("collection", NpgsqlDbType.Bigint) { Value = (object?)collection ?? DBNull.Value },
                new("filter", NpgsqlDbType.Jsonb) { Value = (object?)filter ?? DBNull.Value },
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var ids = new List<long>();
        while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        return ids;
    }

    private async Task<(IReadOnlyList<long> Ids, string? Note)> SemanticAsync(string tenantId, string text, long? collection, CancellationToken ct)
    {
        var ids = new List<long>();
        string? note = null;
        foreach (var rows in await vectors.RowsAsync(tenantId, ct))
        {
            try
            {
                var model = models.Resolve(null, rows.Model);
                var query = (await batcher.EmbedAsync(model, [text], ct))[0];
                if (query.Length != rows.Dimensions) continue;
                ids.AddRange(rows.TopK(query, collection, Candidates, ct));
            }
            catch (Pipeline.IngestionException e)
            {
                note = $"Found by words alone: {e.Message}";
            }
        }
        return (ids, note);
    }

    private static async Task<long?> CollectionAsync(NpgsqlConnection connection, string key, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM ingestion.collection WHERE key = $1", connection) { Parameters = { new() { Value = key } } };
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    // What was unpublished since the vectors were loaded falls out here.
    private static async Task<IReadOnlyList<SearchHit>> DetailsAsync(NpgsqlConnection connection, IReadOnlyList<Fused<long>> fused, string? filter, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT c.id, c.heading_path, c.text, c.ordinal, v.title, s.source_key, s.source_type, k.key, v.id, i.id, b.public_id, v.metadata::text
            FROM ingestion.chunk c
            JOIN ingestion.document_version v ON v.id = c.document_version_id
            JOIN ingestion.document d ON d.id = v.document_id
            JOIN ingestion.source s ON s.id = d.source_id
            JOIN ingestion.collection k ON k.id = d.collection_id
            LEFT JOIN LATERAL (
                SELECT x.id, x.batch_id FROM ingestion.import_item x WHERE x.document_version_id = v.id AND x.state = 'done' ORDER BY x.id DESC LIMIT 1
            ) i ON true
            LEFT JOIN ingestion.import_batch b ON b.id = i.batch_id
            WHERE c.id = ANY(@ids) AND (@filter IS NULL OR v.metadata @> @filter) AND ingestion.published_version(v.id)
            """;
        var ids = fused.Select(f => f.Id).Take(2 * Candidates).ToArray();
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("ids", ids), new("filter", NpgsqlDbType.Jsonb) { Value = (object?)filter ?? DBNull.Value } } };
        var found = new Dictionary<long, SearchHit>();
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct))
                found[r.GetInt64(0)] = new(r.GetInt64(0), 0, r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7),
                    r.GetInt64(8), r.IsDBNull(9) ? null : r.GetInt64(9), r.IsDBNull(10) ? null : r.GetString(10), r.GetString(11));
        return [.. fused.Where(f => found.ContainsKey(f.Id)).Take(take).Select(f => found[f.Id] with { Score = f.Score })];
    }
}

using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Indexing;

/// <param name="Collection">Its key; null searches all of the tenant's.</param>
/// <param name="Filter">Metadata that a hit's document must have, name and value.</param>
/// <param name="Take">Hits wanted, 1 to <see cref="SearchService.MaxHits"/>.</param>
public sealed record SearchRequest(string Text, string? Collection = null, IReadOnlyDictionary<string, string>? Filter = null, int Take = 20);

/// <summary>A chunk that was found, with what a person needs to trust it.</summary>
/// <param name="Score">Fused rank; comparable within one answer only.</param>
/// <param name="ItemId">The item that carried the document in last; null where its batch was deleted.</param>
/// <param name="Metadata">A JSON object of strings.</param>
public sealed record SearchHit(
    long ChunkId, double Score, string HeadingPath, string Text, int Ordinal, string Title, string SourceKey, string SourceType,
    string CollectionKey, long DocumentId, long DocumentVersionId, long? ItemId, string? BatchId, string Metadata)
{
    /// <summary>The part of the text that answers, with the words that were asked for.</summary>
    public IReadOnlyList<SnippetPart> Snippet { get; init; } = [];
}

/// <param name="Note">A sentence where one half of the search could not be done; the other half's hits are here.</param>
public sealed record SearchAnswer(IReadOnlyList<SearchHit> Hits, TimeSpan Took, string? Note);

/// <summary>Hybrid search over what is published: words and likeness, fused by rank. Where one of them fails, the other answers.</summary>
public sealed class SearchService(Database database, SemanticSearch semantic, TimeProvider time)
{
    public const int MaxHits = 100;

    // A candidate by likeness that is not published any more was replaced since its vector was read; what replaced it is found by looking again.
    private const int Looks = 3;

    public async Task<SearchAnswer> SearchAsync(Scope scope, SearchRequest request, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var query = SearchQuery.Of(request.Text);
        if (query.Text.Length == 0) return new([], TimeSpan.Zero, null);
        await using var connection = await database.OpenWebAsync(scope, ct);
        long? collection = null;
        if (request.Collection is { Length: > 0 } key)
        {
            collection = await CollectionAsync(connection, key, ct);
            if (collection is null) return new([], time.GetElapsedTime(started), $"There is no collection “{key}”.");
        }
        var filter = request.Filter is { Count: > 0 } wanted ? Json(wanted) : null;
        var marked = query.Words();
        for (var look = 1; ; look++)
        {
            // Words and details of one look share a snapshot: between two, a new version could take the place of the one whose words were
            // found, and a document that is always published would be missed.
            await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
            var (fused, note) = await RankAsync(scope, connection, query, collection, filter, ct);
            var (hits, whole) = await DetailsAsync(connection, fused, Math.Clamp(request.Take, 1, MaxHits), ct);
            if (whole || look == Looks) return new([.. hits.Select(h => h with { Snippet = Snippet.Of(h.Text, marked) })], time.GetElapsedTime(started), note);
        }
    }

    private async Task<(IReadOnlyList<Fused<long>> Fused, string? Note)> RankAsync(
        Scope scope, NpgsqlConnection connection, SearchQuery query, long? collection, string? filter, CancellationToken ct)
    {
        var versions = filter is null ? null : await VersionsAsync(connection, filter, ct);
        var likeness = semantic.FindAsync(scope, query, collection, versions, MaxHits, ct);
        var words = LexicalSearch.FindAsync(connection, query, collection, filter, MaxHits, ct);
        await Task.WhenAll(likeness, words);
        var (lexical, (nearest, note)) = (await words, await likeness);
        if (query.IsExact) nearest = [.. nearest.Select(list => list.Where(lexical.Contains).ToList())];
        return (RankFusion.Fuse<long>([lexical, .. nearest]), note);
    }

    /// <summary>True where the tenant has something that can be found.</summary>
    public async Task<bool> HasContentAsync(Scope scope, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT 1 FROM ingestion.publication WHERE revoked_at IS NULL)", connection);
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private static string Json(IReadOnlyDictionary<string, string> filter) =>
        JsonSerializer.Serialize(filter.GroupBy(f => SearchQuery.Clean(f.Key)).ToDictionary(g => g.Key, g => SearchQuery.Clean(g.Last().Value)));

    private static async Task<long?> CollectionAsync(NpgsqlConnection connection, string key, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM ingestion.collection WHERE key = $1", connection) { Parameters = { new() { Value = SearchQuery.Clean(key) } } };
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    private static async Task<IReadOnlySet<long>> VersionsAsync(NpgsqlConnection connection, string filter, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id FROM ingestion.document_version WHERE metadata @> $1", connection)
        {
            Parameters = { new() { Value = filter, NpgsqlDbType = NpgsqlDbType.Jsonb } },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var ids = new HashSet<long>();
        while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        return ids;
    }

    // What was unpublished since it was ranked falls out here; whole says that nothing did.
    private static async Task<(IReadOnlyList<SearchHit> Hits, bool Whole)> DetailsAsync(NpgsqlConnection connection, IReadOnlyList<Fused<long>> fused, int take, CancellationToken ct)
    {
        const string sql = """
            SELECT c.id, c.heading_path, c.text, c.ordinal, v.title, s.source_key, s.source_type, k.key, d.id, v.id, i.id, i.public_id, v.metadata::text
            FROM ingestion.chunk c
            JOIN ingestion.document_version v ON v.id = c.document_version_id
            JOIN ingestion.document d ON d.id = v.document_id
            JOIN ingestion.source s ON s.id = d.source_id
            JOIN ingestion.collection k ON k.id = d.collection_id
            LEFT JOIN LATERAL (
                SELECT x.id, b.public_id
                FROM ingestion.import_item x JOIN ingestion.import_batch b ON b.id = x.batch_id
                WHERE x.document_version_id = v.id AND x.state = 'done' AND b.deleted_at IS NULL
                ORDER BY x.id DESC LIMIT 1
            ) i ON true
            WHERE c.id = ANY(@ids) AND ingestion.published_version(v.id)
            """;
        var whole = true;
        // More than are shown, for those that are no longer published; a page of them is read in one go.
        foreach (var part in fused.Chunk(take + 20))
        {
            var found = new Dictionary<long, SearchHit>();
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("ids", part.Select(f => f.Id).ToArray()) } };
            await using (var r = await command.ExecuteReaderAsync(ct))
                while (await r.ReadAsync(ct))
                    found[r.GetInt64(0)] = new(r.GetInt64(0), 0, r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7),
                        r.GetInt64(8), r.GetInt64(9), r.IsDBNull(10) ? null : r.GetInt64(10), r.IsDBNull(11) ? null : r.GetString(11), r.GetString(12));
            whole &= found.Count == part.Length;
            if (found.Count > 0) return ([.. part.Where(f => found.ContainsKey(f.Id)).Take(take).Select(f => found[f.Id] with { Score = f.Score })], whole);
        }
        return ([], whole);
    }
}

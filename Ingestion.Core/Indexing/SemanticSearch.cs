using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Indexing;

/// <summary>What likeness found: a list for each model in use, nearest first, and a sentence where something was left out.</summary>
public sealed record Nearest(IReadOnlyList<IReadOnlyList<long>> Lists, string? Note);

/// <summary>
/// The half of search that goes by likeness: the question's vector against those of what is published. A model that does not answer soon
/// is done without: people wait for search.
/// </summary>
public sealed class SemanticSearch(Database database, EmbeddingModels models, EmbeddingBatcher batcher, VectorIndex vectors, TimeProvider time)
{
    /// <summary>How long a question waits for its vector.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Below this the local model's likeness is chance: two unrelated texts give about 0 ± 0.03 in 1,024 places. Short questions come
    /// higher by chance, too, and are told apart by <see cref="Echo"/>. What a service's figures mean only the service knows: there the
    /// nearest count.
    /// </summary>
    private const float LocalChance = 0.09f;

    /// <param name="versions">Only these document versions; null for all.</param>
    public async Task<Nearest> FindAsync(Scope scope, SearchQuery query, long? collection, IReadOnlySet<long>? versions, int take, CancellationToken ct)
    {
        if (versions is { Count: 0 }) return new([], null);
        var set = await vectors.OfAsync(scope.TenantId, ct);
        var lists = new List<IReadOnlyList<long>>();
        var note = set.IsWhole ? null : "The store of vectors is full: some documents are found by words alone.";
        foreach (var rows in set.Rows)
        {
            try
            {
                var model = models.Resolve(null, rows.Model);
                var vector = await VectorAsync(model, query.Text, ct);
                if (vector.Length != rows.Dimensions) continue;
                var nearest = rows.TopK(vector, Keep(set, scope.Narrowing.Collections, collection, versions), model.IsLocal ? LocalChance : 0, take, ct);
                lists.Add(model.IsLocal ? await EchoingAsync(scope, new Echo(query.Words()), nearest, ct) : nearest);
            }
            catch (IngestionException e)
            {
                note = $"Found by words alone: {e.Message}";
            }
        }
        return new(lists, note);
    }

    private async Task<IReadOnlyList<long>> EchoingAsync(Scope scope, Echo echo, IReadOnlyList<long> chunks, CancellationToken ct)
    {
        if (chunks.Count == 0) return chunks;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("SELECT id, heading_path || ' ' || text FROM ingestion.chunk WHERE id = ANY($1)", connection) { Parameters = { new() { Value = chunks.ToArray() } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var echoing = new HashSet<long>();
        while (await r.ReadAsync(ct))
            if (echo.In(r.GetString(1))) echoing.Add(r.GetInt64(0));
        return [.. chunks.Where(echoing.Contains)];
    }

    private async Task<float[]> VectorAsync(EmbeddingModel model, string text, CancellationToken ct)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, patience.Token);
        try
        {
            return (await batcher.EmbedAsync(model, [text], both.Token))[0];
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new IngestionException(ErrorCodes.EmbeddingUnavailable, "the embedding service takes too long to answer.");
        }
    }

    private static Func<VectorKey, bool>? Keep(VectorSet set, IReadOnlyList<long>? reach, long? collection, IReadOnlySet<long>? versions)
    {
        if (reach is null && collection is null && versions is null && set.Stale == 0) return null;
        return key => (reach is null || reach.Contains(key.Collection)) && (collection is null || key.Collection == collection) && (versions is null || versions.Contains(key.Version)) && set.Live.Contains(key.Version);
    }
}

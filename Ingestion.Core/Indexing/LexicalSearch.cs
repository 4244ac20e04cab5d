using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Indexing;

/// <summary>The half of search that goes by words: the full-text index, asked as people ask search engines.</summary>
internal static class LexicalSearch
{
    // Below this many hits with every word, those with some of them follow: a question holds words that its answer does not.
    private const int Enough = 20;

    /// <summary>Chunks, best first: those with every word, then those with some.</summary>
    public static async Task<List<long>> FindAsync(NpgsqlConnection connection, SearchQuery query, long? collection, string? filter, int take, CancellationToken ct)
    {
        var found = await RunAsync(connection, "websearch_to_tsquery('simple', @text)", query.Text, collection, filter, take, ct);
        if (found.Count >= Enough || query.IsExact) return found;
        var seen = found.ToHashSet();
        foreach (var id in await RunAsync(connection, "ingestion.any_word(@text)", query.Text, collection, filter, take, ct))
            if (found.Count < take && seen.Add(id)) found.Add(id);
        return found;
    }

    private static async Task<List<long>> RunAsync(NpgsqlConnection connection, string asked, string text, long? collection, string? filter, int take, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT chunk_id FROM ingestion.search_text({asked}, @collection, @filter, @take)", connection)
        {
            Parameters =
            {
                new("text", text), new("take", take),
                new("collection", NpgsqlDbType.Bigint) { Value = (object?)collection ?? DBNull.Value },
                new("filter", NpgsqlDbType.Jsonb) { Value = (object?)filter ?? DBNull.Value },
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var ids = new List<long>();
        while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        return ids;
    }
}

using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Resolution;

/// <summary>An entity that a text led to.</summary>
/// <param name="Aliases">Its other spellings, as they are written.</param>
/// <param name="Confidence">How close the matcher finds it, 0 to 1; null where the text just stands in one of its names.</param>
public sealed record FoundEntity(string Key, string Name, IReadOnlyList<string> Aliases, string? Parent, double? Confidence);

/// <summary>Looks entities up for a person who types: by a part of a name or a spelling, and by what the matcher finds close.</summary>
public sealed class EntitySearch(Database database, PreparedRecords prepared)
{
    /// <summary>Entities that are found at once.</summary>
    public const int Most = 20;

    /// <summary>Those that hold the text first, the shortest first; then what is close. Empty where there is no such list in reach.</summary>
    public async Task<IReadOnlyList<FoundEntity>> FindAsync(Scope scope, string collection, string entityType, string text, CancellationToken ct)
    {
        text = text.Trim();
        if (text.Length == 0) return [];
        await using var connection = await database.OpenWebAsync(scope, ct);
        if (await CollectionAsync(connection, collection, ct) is not { } place) return [];
        var found = await HoldingAsync(connection, place.Id, entityType, text, ct);
        var close = place.RecordType is { } type ? await CloseAsync(place.Id, type, entityType, text, ct) : [];
        var confidence = close.ToDictionary(c => c.Key, c => c.Confidence);
        return [.. found.Select(f => f with { Confidence = confidence.TryGetValue(f.Key, out var sure) ? sure : null })
            .Concat(close.Where(c => found.All(f => f.Key != c.Key)).Select(c => new FoundEntity(c.Key, c.Name, [], null, c.Confidence))).Take(Most)];
    }

    private static async Task<(long Id, long? RecordType)?> CollectionAsync(NpgsqlConnection connection, string key, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id, record_type_id FROM ingestion.collection WHERE key = $1", connection) { Parameters = { new() { Value = key } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? (r.GetInt64(0), r.IsDBNull(1) ? null : r.GetInt64(1)) : null;
    }

    private static async Task<List<FoundEntity>> HoldingAsync(NpgsqlConnection connection, long collection, string entityType, string text, CancellationToken ct)
    {
        const string sql = """
            SELECT e.key, e.name, ARRAY(SELECT a ->> 'text' FROM jsonb_array_elements(e.aliases) a), e.parent
            FROM ingestion.reference_entity e
            JOIN ingestion.reference_list l ON l.id = e.list_id AND l.collection_id = @collection AND l.entity_type = @type
            WHERE e.until IS NULL
              AND (strpos(lower(e.name), lower(@text)) > 0 OR e.key = @text
                   OR EXISTS (SELECT FROM jsonb_array_elements(e.aliases) a WHERE strpos(lower(a ->> 'text'), lower(@text)) > 0))
            ORDER BY lower(e.name) <> lower(@text), strpos(lower(e.name), lower(@text)) <> 1, length(e.name), e.name
            LIMIT @most
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("collection", collection), new("type", entityType), new("text", text), new("most", Most) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<FoundEntity>();
        while (await r.ReadAsync(ct)) found.Add(new(r.GetString(0), r.GetString(1), r.GetFieldValue<string[]>(2), r.IsDBNull(3) ? null : r.GetString(3), null));
        return found;
    }

    private async Task<IReadOnlyList<Candidate>> CloseAsync(long collection, long recordType, string entityType, string text, CancellationToken ct)
    {
        var lists = await prepared.ListsAsync(collection, recordType, (await prepared.TypeAsync(recordType, ct)).Type, ct);
        return lists.TryGetValue(entityType, out var list) ? list.Index.Match(text).Candidates : [];
    }
}

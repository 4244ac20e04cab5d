using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Resolution;

/// <summary>Which version of a list, and where it stands.</summary>
public sealed record ListVersion(long ListId, string EntityType, int Version);

/// <summary>
/// The statements of reference lists. A change makes the next version: rows that it leaves alone stay, those that it changes are closed and
/// opened anew, so a version costs what differs.
/// </summary>
internal static class ReferenceRows
{
    /// <summary>The newest versions of a collection's lists, by type.</summary>
    public static async Task<IReadOnlyDictionary<string, ListVersion>> NewestAsync(NpgsqlConnection connection, long collectionId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT id, entity_type, version FROM ingestion.reference_list WHERE collection_id = $1", connection) { Parameters = { new() { Value = collectionId } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var lists = new Dictionary<string, ListVersion>();
        while (await r.ReadAsync(ct)) lists[r.GetString(1)] = new(r.GetInt64(0), r.GetString(1), r.GetInt32(2));
        return lists;
    }

    /// <summary>The list of a type under lock, made empty at version 0 where there is none.</summary>
    public static async Task<ListVersion> HoldAsync(NpgsqlConnection connection, string tenantId, long collectionId, string entityType, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.reference_list (tenant_id, collection_id, entity_type, version) VALUES (@tenant, @collection, @type, 0)
            ON CONFLICT (collection_id, entity_type) DO UPDATE SET entity_type = excluded.entity_type
            RETURNING id, version
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tenant", tenantId), new("collection", collectionId), new("type", entityType) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.GetInt64(0), entityType, r.GetInt32(1));
    }

    /// <summary>The entities of one version, by key.</summary>
    public static async Task<IReadOnlyList<ReferenceEntity>> ReadAsync(NpgsqlConnection connection, long listId, int version, CancellationToken ct)
    {
        const string sql = """
            SELECT key, name, aliases::text, parent, attributes::text FROM ingestion.reference_entity
            WHERE list_id = @list AND since <= @version AND (until IS NULL OR until > @version)
            ORDER BY key
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("list", listId), new("version", version) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var entities = new List<ReferenceEntity>();
        while (await r.ReadAsync(ct))
            entities.Add(new(r.GetString(0), r.GetString(1), JsonSerializer.Deserialize<List<EntityAlias>>(r.GetString(2))!, r.IsDBNull(3) ? null : r.GetString(3),
                JsonSerializer.Deserialize<Dictionary<string, string>>(r.GetString(4))!));
        return entities;
    }

    /// <summary>Makes the next version of a list that is held; the version stays where nothing differs.</summary>
    /// <param name="wanted">Entities to be added or changed.</param>
    /// <param name="gone">Keys of entities that the next version does not hold.</param>
    public static async Task<int> ChangeAsync(
        NpgsqlConnection connection, string tenantId, ListVersion list, IReadOnlyList<ReferenceEntity> wanted, IReadOnlyCollection<string> gone, string who, string? note, CancellationToken ct)
    {
        var before = (await ReadAsync(connection, list.ListId, list.Version, ct)).ToDictionary(e => e.Key);
        var changed = wanted.Where(w => !before.TryGetValue(w.Key, out var old) || Json(old) != Json(w)).ToList();
        var removed = gone.Where(before.ContainsKey).ToList();
        if (changed.Count == 0 && removed.Count == 0 && list.Version > 0) return list.Version;
        const string sql = """
            UPDATE ingestion.reference_entity SET until = @next WHERE list_id = @list AND until IS NULL AND key = ANY(@closed);
            INSERT INTO ingestion.reference_entity (tenant_id, list_id, key, since, name, aliases, parent, attributes)
            SELECT @tenant, @list, x.key, @next, x.name, x.aliases::jsonb, x.parent, x.attributes::jsonb
            FROM unnest(@keys, @names, @aliases, @parents, @attributes) AS x (key, name, aliases, parent, attributes);
            UPDATE ingestion.reference_list SET version = @next WHERE id = @list;
            INSERT INTO ingestion.reference_version (tenant_id, list_id, version, entities, added, changed, removed, loaded_by, note, loaded_at)
            VALUES (@tenant, @list, @next, @entities, @added, @changed, @removed, @who, @note, ingestion.clock())
            """;
        var (next, added) = (list.Version + 1, changed.Count(c => !before.ContainsKey(c.Key)));
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", tenantId), new("list", list.ListId), new("next", next), new("who", who), new("note", NpgsqlDbType.Text) { Value = (object?)note ?? DBNull.Value },
                new("closed", changed.Select(c => c.Key).Concat(removed).ToArray()), new("keys", changed.Select(c => c.Key).ToArray()), new("names", changed.Select(c => c.Name).ToArray()),
                new("aliases", changed.Select(c => JsonSerializer.Serialize(c.Aliases)).ToArray()), new("parents", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = changed.Select(c => c.Parent).ToArray() },
                new("attributes", changed.Select(c => JsonSerializer.Serialize(c.Attributes)).ToArray()),
                new("entities", before.Count + added - removed.Count), new("added", added), new("changed", changed.Count - added), new("removed", removed.Count),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
        return next;
    }

    // Attributes are stored as a JSON object, which keeps no order.
    private static string Json(ReferenceEntity e) => JsonSerializer.Serialize(new { e.Name, e.Aliases, e.Parent, Attributes = e.Attributes.OrderBy(a => a.Key, StringComparer.Ordinal) });
}

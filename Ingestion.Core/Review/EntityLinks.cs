using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>The entity that a field is to mean, and what was done to its list for that; or why it cannot.</summary>
/// <param name="Version">The version of the list that holds the entity.</param>
/// <param name="List">The list, where it was changed.</param>
/// <param name="Added">The key of an entity that was made.</param>
/// <param name="Before">Entities as they were before they were changed.</param>
internal sealed record EntityLink(ReferenceEntity? Entity, int Version = 0, string? Problem = null, long? List = null, string? Added = null, IReadOnlyList<ReferenceEntity>? Before = null)
{
    public static EntityLink Refuse(string problem) => new(null, Problem: problem);
}

/// <summary>How a reviewer finds, makes and merges entities, in lists that the transaction holds.</summary>
internal static class EntityLinks
{
    public static async Task<EntityLink> FindAsync(NpgsqlConnection connection, ListVersion list, string key, CancellationToken ct) =>
        (await CurrentAsync(connection, list, ct)).GetValueOrDefault(key) is { } entity ? new(entity, list.Version) : EntityLink.Refuse(Unknown(list, key));

    public static async Task<EntityLink> AddAsync(NpgsqlConnection connection, Actor actor, ListVersion list, ReferenceEntity entity, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(entity.Key) || string.IsNullOrWhiteSpace(entity.Name)) return EntityLink.Refuse("A new entity needs a key and a name.");
        if ((await CurrentAsync(connection, list, ct)).ContainsKey(entity.Key)) return EntityLink.Refuse($"The list of {list.EntityType} holds “{entity.Key}” already.");
        var version = await ReferenceRows.ChangeAsync(connection, actor.TenantId, list, [entity], [], actor.Name, $"{entity.Name} was added in review.", ct);
        return new(entity, version, List: list.ListId, Added: entity.Key);
    }

    public static async Task<EntityLink> MergeAsync(NpgsqlConnection connection, Actor actor, ListVersion list, string from, string into, CancellationToken ct)
    {
        var current = await CurrentAsync(connection, list, ct);
        if (from == into) return EntityLink.Refuse("An entity cannot be merged with itself.");
        if (!current.TryGetValue(from, out var gone)) return EntityLink.Refuse(Unknown(list, from));
        if (!current.TryGetValue(into, out var kept)) return EntityLink.Refuse(Unknown(list, into));
        var children = current.Values.Where(e => e.Parent == from && e.Key != into).ToList();
        var merged = kept with
        {
            Aliases = [.. kept.Aliases.Append(new(gone.Name)).Concat(gone.Aliases).DistinctBy(a => a.Text)],
            Parent = kept.Parent == from ? gone.Parent : kept.Parent,
        };
        var version = await ReferenceRows.ChangeAsync(connection, actor.TenantId, list, [merged, .. children.Select(c => c with { Parent = into })], [from], actor.Name, $"{gone.Name} was merged into {kept.Name} in review.", ct);
        return new(merged, version, List: list.ListId, Before: [gone, kept, .. children]);
    }

    public static async Task<EntityLink> SplitAsync(NpgsqlConnection connection, Actor actor, ListVersion list, string from, IReadOnlyList<string> spellings, ReferenceEntity entity, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(entity.Key) || string.IsNullOrWhiteSpace(entity.Name)) return EntityLink.Refuse("What is split off needs a key and a name.");
        if (spellings.Count == 0) return EntityLink.Refuse("Say which spellings mean the other one.");
        var current = await CurrentAsync(connection, list, ct);
        if (!current.TryGetValue(from, out var whole)) return EntityLink.Refuse(Unknown(list, from));
        if (current.ContainsKey(entity.Key)) return EntityLink.Refuse($"The list of {list.EntityType} holds “{entity.Key}” already.");
        if (spellings.FirstOrDefault(s => whole.Aliases.All(a => a.Text != s)) is { } stranger) return EntityLink.Refuse($"“{stranger}” is no spelling of {whole.Name}.");
        var (off, kept) = (whole.Aliases.Where(a => spellings.Contains(a.Text)).ToList(), whole.Aliases.Where(a => !spellings.Contains(a.Text)).ToList());
        var made = entity with { Aliases = [.. off.Where(a => a.Text != entity.Name)], Parent = whole.Parent };
        var version = await ReferenceRows.ChangeAsync(connection, actor.TenantId, list, [whole with { Aliases = kept }, made], [], actor.Name, $"{made.Name} was split off {whole.Name} in review.", ct);
        return new(made, version, List: list.ListId, Added: made.Key, Before: [whole]);
    }

    /// <summary>Takes a change of a list back. Null where it was done; else why it cannot be.</summary>
    public static async Task<string?> UndoAsync(NpgsqlConnection connection, Actor actor, long itemId, DecisionBefore before, string entityType, CancellationToken ct)
    {
        if (before.List is not { } listId) return null;
        await using (var hold = new NpgsqlCommand("SELECT version FROM ingestion.reference_list WHERE id = $1 FOR UPDATE", connection) { Parameters = { new() { Value = listId } } })
        {
            var list = new ListVersion(listId, entityType, (int)(await hold.ExecuteScalarAsync(ct))!);
            var entities = before.Entities ?? [];
            if (before.Added is { } added && await UsersAsync(connection, listId, added, entityType, itemId, ct) is > 0 and var users)
                return $"{users} other documents mean “{added}” by now; it stays in the list.";
            string[] touched = [.. entities.Select(e => e.Key), .. before.Added is null || entities.Count == 0 ? Array.Empty<string>() : [before.Added]];
            if (await ChangedSinceAsync(connection, listId, before.ListVersion!.Value, touched, ct)) return "The entities were changed since; they stay as they are.";
            await ReferenceRows.ChangeAsync(connection, actor.TenantId, list, entities, before.Added is null ? [] : [before.Added], actor.Name, $"What was decided of {before.Added ?? entities[0].Name} was taken back in review.", ct);
            return null;
        }
    }

    private static async Task<Dictionary<string, ReferenceEntity>> CurrentAsync(NpgsqlConnection connection, ListVersion list, CancellationToken ct) =>
        (await ReferenceRows.ReadAsync(connection, list.ListId, list.Version, ct)).ToDictionary(e => e.Key);

    private static async Task<int> UsersAsync(NpgsqlConnection connection, long listId, string key, string entityType, long itemId, CancellationToken ct)
    {
        const string sql = """
            SELECT count(*)::int
            FROM ingestion.item_record r
            JOIN ingestion.import_batch b ON b.id = r.batch_id
            JOIN ingestion.reference_list l ON l.id = @list AND l.collection_id = b.collection_id
            WHERE r.item_id <> @item AND r.fields @> jsonb_build_array(jsonb_build_object('entity_type', @type, 'entity', @key))
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("list", listId), new("item", itemId), new("type", entityType), new("key", key) } };
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<bool> ChangedSinceAsync(NpgsqlConnection connection, long listId, int version, string[] keys, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT EXISTS (SELECT FROM ingestion.reference_entity WHERE list_id = $1 AND since > $2 AND key = ANY($3))", connection)
        {
            Parameters = { new() { Value = listId }, new() { Value = version }, new() { Value = keys } },
        };
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private static string Unknown(ListVersion list, string key) => $"The list of {list.EntityType} holds no “{key}”.";
}

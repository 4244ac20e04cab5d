using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Resolution;

/// <summary>A list as people see it.</summary>
public sealed record ReferenceListView(string EntityType, int Version, int Entities, string LoadedBy, DateTimeOffset LoadedAt, string? Note);

/// <summary>A version of a list, and by how much it differs from the one before.</summary>
public sealed record ReferenceVersionView(int Version, int Entities, int Added, int Changed, int Removed, string LoadedBy, DateTimeOffset LoadedAt, string? Note);

/// <summary>A tenant's reference lists, by collection and type: loaded whole or in part, never changed but by a new version.</summary>
public sealed class ReferenceLists(Database database)
{
    /// <summary>Most entities of a list.</summary>
    public const int MaxEntities = 200_000;

    /// <summary>
    /// Makes a list hold exactly these entities; returns its version. Throws <c>invalid_option</c> where two have one key, a name is blank or there
    /// are too many, and <c>not_found</c> where there is no such collection in the actor's reach.
    /// </summary>
    public Task<int> LoadAsync(Actor actor, string collection, string entityType, IReadOnlyList<ReferenceEntity> entities, string? note, CancellationToken ct)
    {
        Require(entityType, entities);
        return ChangeAsync(actor, collection, entityType, before =>
        {
            var kept = entities.Select(e => e.Key).ToHashSet();
            return (entities, [.. before.Select(e => e.Key).Where(k => !kept.Contains(k))]);
        }, "load_reference", note, ct);
    }

    /// <summary>
    /// Adds spellings to entities named by key or exact name; returns the version and the spellings whose entity is not in the list. Of a spelling that
    /// is known already the new certainty counts.
    /// </summary>
    public async Task<(int Version, IReadOnlyList<string> Unknown)> AddAliasesAsync(
        Actor actor, string collection, string entityType, IReadOnlyList<NamedAlias> aliases, string? note, CancellationToken ct)
    {
        var unknown = new List<string>();
        var version = await ChangeAsync(actor, collection, entityType, before =>
        {
            unknown.Clear();
            var byName = before.GroupBy(e => e.Name).Where(g => g.Count() == 1).ToDictionary(g => g.Key, g => g.Single());
            var byKey = before.ToDictionary(e => e.Key);
            var changed = new Dictionary<string, ReferenceEntity>();
            foreach (var alias in aliases)
            {
                if ((byKey.GetValueOrDefault(alias.Entity) ?? byName.GetValueOrDefault(alias.Entity)) is not { } entity)
                {
                    unknown.Add(alias.Text);
                    continue;
                }
                entity = changed.GetValueOrDefault(entity.Key, entity);
                changed[entity.Key] = entity with { Aliases = [.. entity.Aliases.Where(a => a.Text != alias.Text), new(alias.Text, alias.Certainty)] };
            }
            return ([.. changed.Values], []);
        }, "add_aliases", note, ct);
        return (version, unknown);
    }

    /// <summary>The lists of a collection, by type.</summary>
    public async Task<IReadOnlyList<ReferenceListView>> ListAsync(Scope scope, string collection, CancellationToken ct)
    {
        const string sql = """
            SELECT l.entity_type, l.version, v.entities, v.loaded_by, v.loaded_at, v.note
            FROM ingestion.reference_list l
            JOIN ingestion.collection c ON c.id = l.collection_id
            JOIN ingestion.reference_version v ON v.list_id = l.id AND v.version = l.version
            WHERE c.key = $1
            ORDER BY l.entity_type
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = collection } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var lists = new List<ReferenceListView>();
        while (await r.ReadAsync(ct)) lists.Add(new(r.GetString(0), r.GetInt32(1), r.GetInt32(2), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4), r.IsDBNull(5) ? null : r.GetString(5)));
        return lists;
    }

    /// <summary>The versions of a list, newest first; null where there is no such list in reach.</summary>
    public async Task<IReadOnlyList<ReferenceVersionView>?> VersionsAsync(Scope scope, string collection, string entityType, CancellationToken ct)
    {
        const string sql = """
            SELECT v.version, v.entities, v.added, v.changed, v.removed, v.loaded_by, v.loaded_at, v.note
            FROM ingestion.reference_list l
            JOIN ingestion.collection c ON c.id = l.collection_id
            JOIN ingestion.reference_version v ON v.list_id = l.id
            WHERE c.key = $1 AND l.entity_type = $2
            ORDER BY v.version DESC
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = collection }, new() { Value = entityType } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var versions = new List<ReferenceVersionView>();
        while (await r.ReadAsync(ct))
            versions.Add(new(r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4), r.GetString(5), r.GetFieldValue<DateTimeOffset>(6), r.IsDBNull(7) ? null : r.GetString(7)));
        return versions.Count > 0 ? versions : null;
    }

    /// <summary>The entities of a list, of its newest version or an earlier one; null where there is no such list.</summary>
    public async Task<IReadOnlyList<ReferenceEntity>?> EntitiesAsync(Scope scope, string collection, string entityType, int? version, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("""
            SELECT l.id, l.version FROM ingestion.reference_list l JOIN ingestion.collection c ON c.id = l.collection_id WHERE c.key = $1 AND l.entity_type = $2
            """, connection) { Parameters = { new() { Value = collection }, new() { Value = entityType } } };
        (long Id, int Version) list;
        await using (var r = await command.ExecuteReaderAsync(ct))
        {
            if (!await r.ReadAsync(ct)) return null;
            list = (r.GetInt64(0), r.GetInt32(1));
        }
        return await ReferenceRows.ReadAsync(connection, list.Id, version ?? list.Version, ct);
    }

    private async Task<int> ChangeAsync(
        Actor actor, string collection, string entityType,
        Func<IReadOnlyList<ReferenceEntity>, (IReadOnlyList<ReferenceEntity> Wanted, IReadOnlyCollection<string> Gone)> change, string action, string? note, CancellationToken ct) =>
        await Conflicts.RepeatAsync(async token =>
        {
            var id = await CollectionIdAsync(actor, collection, token);
            await using var connection = await database.Worker.OpenConnectionAsync(token);
            await using var transaction = await connection.BeginTransactionAsync(token);
            var list = await ReferenceRows.HoldAsync(connection, actor.TenantId, id, entityType, token);
            var (wanted, gone) = change(await ReferenceRows.ReadAsync(connection, list.ListId, list.Version, token));
            var version = await ReferenceRows.ChangeAsync(connection, actor.TenantId, list, wanted, gone, actor.Name, note, token);
            await AuditLog.WriteAsync(connection, actor, action, $"collection {collection}", token, System.Text.Json.JsonSerializer.Serialize(new { entity_type = entityType, version }));
            await transaction.CommitAsync(token);
            return version;
        }, ct);

    private async Task<long> CollectionIdAsync(Actor actor, string collection, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(actor.Scope, ct);
        await using var command = new NpgsqlCommand("SELECT id FROM ingestion.collection WHERE key = $1", connection) { Parameters = { new() { Value = collection } } };
        return await command.ExecuteScalarAsync(ct) as long? ?? throw new IngestionException(ErrorCodes.NotFound, $"There is no collection “{collection}”.");
    }

    private static void Require(string entityType, IReadOnlyList<ReferenceEntity> entities)
    {
        if (string.IsNullOrWhiteSpace(entityType) || entityType.Length > 100) throw Invalid("A list needs an entity type of at most 100 characters.");
        if (entities.Count > MaxEntities) throw Invalid($"A list holds at most {MaxEntities:N0} entities.");
        if (entities.FirstOrDefault(e => string.IsNullOrWhiteSpace(e.Key) || string.IsNullOrWhiteSpace(e.Name)) is { } blank) throw Invalid($"An entity needs a key and a name; “{blank.Key}{blank.Name}” lacks one.");
        if (entities.GroupBy(e => e.Key).FirstOrDefault(g => g.Count() > 1) is { } twice) throw Invalid($"Two entities have the key “{twice.Key}”.");
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}

/// <summary>A spelling with the key or the name of what it means.</summary>
public sealed record NamedAlias(string Text, string Entity, double Certainty = 1);

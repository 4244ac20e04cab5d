using System.Collections.Concurrent;
using Npgsql;

namespace Ingestion.Core.Resolution;

/// <summary>
/// Record types and list versions ready for use, shared by all tasks of the process. Both never change once they are made, so nothing here is ever
/// out of date; what was used least recently goes when there are many.
/// </summary>
public sealed class PreparedRecords(NpgsqlDataSource worker)
{
    private const int Most = 64;
    private readonly ConcurrentDictionary<long, FieldExtractor> _types = new();
    private readonly ConcurrentDictionary<(long List, int Version, long Type, string EntityType), ReferenceIndex> _lists = new();

    public async Task<FieldExtractor> TypeAsync(long recordType, CancellationToken ct)
    {
        if (_types.TryGetValue(recordType, out var known)) return known;
        await using var command = worker.CreateCommand("SELECT spec::text FROM ingestion.record_type WHERE id = $1");
        command.Parameters.Add(new() { Value = recordType });
        var spec = (string?)await command.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException($"record type {recordType} is gone");
        if (_types.Count >= Most) _types.Clear();
        return _types.GetOrAdd(recordType, new FieldExtractor(RecordType.Parse(spec)));
    }

    /// <summary>The newest lists of a collection for the entity types of a record type, by type; a type without a list is missing.</summary>
    public async Task<IReadOnlyDictionary<string, (ListVersion List, ReferenceIndex Index)>> ListsAsync(long collectionId, long recordTypeId, RecordType type, CancellationToken ct)
    {
        var wanted = type.Fields.Where(f => f.EntityType is not null).Select(f => f.EntityType!).Distinct().ToList();
        var lists = new Dictionary<string, (ListVersion, ReferenceIndex)>();
        if (wanted.Count == 0) return lists;
        await using var connection = await worker.OpenConnectionAsync(ct);
        var newest = await ReferenceRows.NewestAsync(connection, collectionId, ct);
        foreach (var entityType in wanted)
            if (newest.TryGetValue(entityType, out var list)) lists[entityType] = (list, await IndexAsync(connection, list, recordTypeId, type.MatcherOf(entityType), ct));
        return lists;
    }

    private async Task<ReferenceIndex> IndexAsync(NpgsqlConnection connection, ListVersion list, long recordTypeId, Matcher matcher, CancellationToken ct)
    {
        var key = (list.ListId, list.Version, recordTypeId, list.EntityType);
        if (_lists.TryGetValue(key, out var known)) return known;
        var index = new ReferenceIndex(await ReferenceRows.ReadAsync(connection, list.ListId, list.Version, ct), matcher);
        // A reviewer who adds entities makes versions one after the other; the ones before are not asked again.
        foreach (var old in _lists.Keys.Where(k => k.List == list.ListId && k.Version < list.Version)) _lists.TryRemove(old, out _);
        if (_lists.Count >= Most) _lists.Clear();
        return _lists.GetOrAdd(key, index);
    }
}

using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review.Rules;

/// <summary>A rule as it acts on a record.</summary>
internal sealed record ActiveRule(long Id, string Kind, string Field, string EntityType, string Value, string Entity, string EntityName)
{
    /// <summary>True where the field says what the rule is about.</summary>
    public bool Covers(ResolvedField field) => field is { Kind: FieldKind.Entity, Found: { } found }
        && (Kind == RuleKinds.Value ? field.Name == Field : field.EntityType == EntityType) && Spelling.Exact(found.Value) == Value;
}

/// <summary>Lets rules act on records. Pure: the same record and rules give the same.</summary>
internal static class RuleUse
{
    /// <summary>
    /// The record with what rules say, and the rules it stands on. A contradiction between sources stays one, and an entity that is no longer in its list
    /// links nothing: a person is asked as if there were no rule.
    /// </summary>
    /// <param name="lists">By entity type.</param>
    public static (ResolvedRecord Record, IReadOnlyList<long> Used) Apply(
        RecordType type, ResolvedRecord record, IReadOnlyList<ActiveRule> rules, IReadOnlyDictionary<string, (ListVersion List, ReferenceIndex Index)> lists)
    {
        var used = new List<long>();
        var fields = record.Fields.Select(field =>
        {
            if (rules.FirstOrDefault(r => r.Covers(field)) is not { } rule || field.Conflict) return field;
            // A spelling in the list has done its work already.
            if (field.State == FieldState.Linked && (rule.Kind == RuleKinds.Value || field.Entity != rule.Entity)) return field;
            if (field.State != FieldState.Linked && rule.Kind == RuleKinds.Alias) return field;
            if (lists.GetValueOrDefault(field.EntityType!).Index?.Find(rule.Entity) is not { } entity) return field;
            used.Add(rule.Id);
            return field with { State = FieldState.Linked, Entity = entity.Key, EntityName = entity.Name, Confidence = 1, Why = $"Rule {rule.Id}: “{rule.Value}” means {entity.Name}." };
        }).ToList();
        return used.Count == 0 ? (record, used) : (RecordResolver.Judge(type, fields), used);
    }
}

/// <summary>The rules that are on, as the pipeline asks for them: each time anew, so that one that is stopped acts on nothing more.</summary>
public sealed class RuleBook(NpgsqlDataSource worker)
{
    /// <summary>Those of a collection that are about one of these fields' values; those of one field before those of a list.</summary>
    internal async Task<IReadOnlyList<ActiveRule>> OfAsync(long collectionId, IEnumerable<ResolvedField> fields, CancellationToken ct)
    {
        var values = fields.Where(f => f is { Kind: FieldKind.Entity, Found: not null }).Select(f => Spelling.Exact(f.Found!.Value)).Distinct().ToArray();
        if (values.Length == 0) return [];
        await using var command = worker.CreateCommand("""
            SELECT id, kind, field, entity_type, value, entity, entity_name FROM ingestion.review_rule
            WHERE collection_id = $1 AND state = 'on' AND value = ANY($2)
            ORDER BY kind DESC, id
            """);
        command.Parameters.Add(new() { Value = collectionId });
        command.Parameters.Add(new() { Value = values });
        await using var r = await command.ExecuteReaderAsync(ct);
        var rules = new List<ActiveRule>();
        while (await r.ReadAsync(ct)) rules.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6)));
        return rules;
    }
}

using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review.Rules;

/// <summary>A rule under lock.</summary>
/// <param name="AliasBefore">The certainty with which the list knew the spelling before: -1 where it did not, null where the rule changed nothing.</param>
/// <param name="WrongIn">The batch of the last document of the sample that was wrong.</param>
internal sealed record HeldRule(
    long Id, string TenantId, long CollectionId, int Version, string Kind, string Field, string EntityType, string Value, string Entity, string State, double? AliasBefore, RuleFigures Figures, long? WrongIn);

/// <summary>The statements that move rules. The rule is locked first, then the list.</summary>
internal static class RuleRows
{
    /// <summary>Null where it is gone, or another tenant's.</summary>
    public static async Task<HeldRule?> HoldAsync(NpgsqlConnection connection, long id, string tenantId, CancellationToken ct)
    {
        const string sql = $"""
            SELECT 1 FROM ingestion.review_rule WHERE id = @id FOR UPDATE;
            SELECT u.id, u.tenant_id, u.collection_id, u.version, u.kind, u.field, u.entity_type, u.value, u.entity, u.state, u.alias_before, n.passed, g.sampled, g.looked, g.wrong, g.wrong_in
            FROM ingestion.review_rule u
            {RulePasses.Figures}
            WHERE u.id = @id AND u.tenant_id = @tenant
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("id", id), new("tenant", tenantId) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.NextResultAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        return new(r.GetInt64(0), r.GetString(1), r.GetInt64(2), r.GetInt32(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7), r.GetString(8), r.GetString(9),
            r.IsDBNull(10) ? null : r.GetDouble(10), new(r.GetInt32(11), r.GetInt32(12), r.GetInt32(13), r.GetInt32(14)), r.IsDBNull(15) ? null : r.GetInt64(15));
    }

    /// <summary>Moves a rule to a state, with a row of its history.</summary>
    /// <param name="aliasBefore">What the list knew before the rule changed it; kept until it is taken back.</param>
    /// <param name="apply">Also what is open now is resolved again.</param>
    public static async Task SetStateAsync(NpgsqlConnection connection, Actor actor, HeldRule rule, string state, double? aliasBefore, bool apply, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.review_rule
            SET state = @state, version = version + 1, changed_by = @who, changed_at = ingestion.clock(), reason = @reason, alias_before = @before, reach = @reach,
                started_at = CASE WHEN @state = 'on' THEN ingestion.clock() ELSE started_at END,
                apply_through = CASE WHEN @apply THEN (SELECT coalesce(max(id), 0) FROM ingestion.review_item) ELSE 0 END, apply_cursor = 0
            WHERE id = @id;
            INSERT INTO ingestion.review_rule_change (tenant_id, rule_id, state, by, reason, figures, at) VALUES (@tenant, @id, @state, @who, @reason, @figures, ingestion.clock())
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("id", rule.Id), new("tenant", rule.TenantId), new("state", state), new("who", actor.Name), new("apply", apply),
                new("reason", NpgsqlDbType.Text) { Value = (object?)actor.Reason ?? DBNull.Value }, new("before", NpgsqlDbType.Double) { Value = (object?)aliasBefore ?? DBNull.Value },
                new("reach", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(actor.Narrowing) },
                new("figures", NpgsqlDbType.Jsonb) { Value = rule.Figures.Passed > 0 ? JsonSerializer.Serialize(rule.Figures) : DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Makes the value a certain spelling of the entity; returns the certainty that it had: -1 for none, null where it was certain before.</summary>
    public static async Task<double?> AddAliasAsync(NpgsqlConnection connection, Actor actor, HeldRule rule, ListVersion list, ReferenceEntity entity, CancellationToken ct)
    {
        var known = entity.Aliases.FirstOrDefault(a => Spelling.Exact(a.Text) == rule.Value);
        if (known is { Certainty: >= 1 }) return null;
        var with = entity with { Aliases = [.. entity.Aliases.Where(a => a != known), new(rule.Value)] };
        await ReferenceRows.ChangeAsync(connection, rule.TenantId, list, [with], [], actor.Name, $"Rule {rule.Id}: “{rule.Value}” is {entity.Name}.", ct);
        return known?.Certainty ?? -1;
    }

    /// <summary>Takes the spelling back, where the list still has what the rule gave it.</summary>
    public static async Task RemoveAliasAsync(NpgsqlConnection connection, Actor actor, HeldRule rule, CancellationToken ct)
    {
        if (rule.AliasBefore is not { } before) return;
        var list = await ReferenceRows.HoldAsync(connection, rule.TenantId, rule.CollectionId, rule.EntityType, ct);
        var entity = (await ReferenceRows.ReadAsync(connection, list.ListId, list.Version, ct)).FirstOrDefault(e => e.Key == rule.Entity);
        if (entity?.Aliases.FirstOrDefault(a => a.Certainty >= 1 && a.Text == rule.Value) is not { } alias) return;
        List<EntityAlias> aliases = [.. entity.Aliases.Where(a => a != alias)];
        if (before >= 0) aliases.Add(alias with { Certainty = before });
        await ReferenceRows.ChangeAsync(connection, rule.TenantId, list, [entity with { Aliases = aliases }], [], actor.Name, $"Rule {rule.Id} does not hold any more.", ct);
    }
}

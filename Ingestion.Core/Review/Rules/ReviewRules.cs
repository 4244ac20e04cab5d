using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review.Rules;

/// <summary>
/// Rules learnt from decisions: an entity that a person chose for a value becomes what the value means from now on. Making one changes nothing;
/// switching it on is a decision with a history of its own, fenced as decisions are, and can be taken back.
/// </summary>
public sealed class ReviewRules(Database database, ReviewQueries reviews)
{
    private const string Columns = """
        u.id, u.version, c.key, u.kind, u.field, u.entity_type, u.value, u.entity, u.entity_name, u.state, u.created_by, u.created_at, u.changed_by, u.changed_at, u.reason,
        u.apply_cursor < u.apply_through, n.passed, g.sampled, g.looked, g.wrong
        """;

    private const string From = $"FROM ingestion.review_rule u JOIN ingestion.collection c ON c.id = u.collection_id {RulePasses.Figures}";

    /// <summary>
    /// Makes a rule of the entity that was picked for a field; the same pick makes one rule, however often it is asked. Returns its number, or why there
    /// can be none: there is no such review in reach (<c>NotFound</c>), or nothing was picked in it.
    /// </summary>
    public async Task<(long? Rule, ReviewResult Result)> CreateAsync(Actor actor, long review, string field, string kind, CancellationToken ct)
    {
        if (!RuleKinds.All.Contains(kind)) throw new IngestionException(ErrorCodes.InvalidOption, $"A rule is one of {string.Join(", ", RuleKinds.All)}.");
        if (await reviews.FindAsync(actor.Scope, review, ct) is not { } found) return (null, new(ReviewOutcome.NotFound, "There is no such review."));
        if (found.Fields.FirstOrDefault(f => f.Name == field) is not { State: FieldState.Picked, Found: { } value, Entity: { } entity } picked || found.Review.State is ReviewStates.Rejected or ReviewStates.Withdrawn)
            return (null, new(ReviewOutcome.Refused, $"A rule is made of an entity that was picked and not rejected; nothing of that kind stands in “{field}”."));
        const string sql = """
            WITH made AS (
                INSERT INTO ingestion.review_rule
                    (tenant_id, collection_id, review_id, kind, field, entity_type, value, entity, entity_name, state, version, created_by, created_at, changed_by, changed_at, reach)
                SELECT r.tenant_id, r.collection_id, r.id, @kind, @field, @type, @value, @entity, @name, 'draft', 1, @who, ingestion.clock(), @who, ingestion.clock(), @reach
                FROM ingestion.review_item r WHERE r.id = @review
                ON CONFLICT (collection_id, kind, field, value, entity) DO UPDATE SET entity_name = excluded.entity_name
                -- A row that was there before has been updated by somebody.
                RETURNING id, tenant_id, xmax = 0 AS fresh
            ), noted AS (
                INSERT INTO ingestion.review_rule_change (tenant_id, rule_id, state, by, at) SELECT tenant_id, id, 'draft', @who, ingestion.clock() FROM made WHERE fresh
            )
            SELECT id, fresh FROM made
            """;
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var (id, fresh) = (0L, false);
        await using (var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("review", review), new("kind", kind), new("field", field), new("type", picked.EntityType!), new("value", Spelling.Exact(value.Value)), new("entity", entity), new("name", picked.EntityName ?? entity),
                new("who", actor.Name), new("reach", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(actor.Narrowing) },
            },
        })
        {
            await using var r = await command.ExecuteReaderAsync(ct);
            if (!await r.ReadAsync(ct)) return (null, new(ReviewOutcome.NotFound, "There is no such review."));
            (id, fresh) = (r.GetInt64(0), r.GetBoolean(1));
        }
        if (fresh) await AuditLog.WriteAsync(connection, actor, "make_rule", $"rule {id}", ct, JsonSerializer.Serialize(new { kind, field, value = value.Value, entity }));
        await transaction.CommitAsync(ct);
        return (id, new(ReviewOutcome.Done, "The rule is made; it acts once it is switched on."));
    }

    /// <summary>Rules, newest first; null narrows nothing.</summary>
    public async Task<Page<ReviewRule>> ListAsync(Scope scope, string? collection, string? state, int skip, int take, CancellationToken ct)
    {
        const string where = "WHERE (@collection IS NULL OR c.key = @collection) AND (@state IS NULL OR u.state = @state)";
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"""
            SELECT count(*)::int FROM ingestion.review_rule u JOIN ingestion.collection c ON c.id = u.collection_id {where};
            SELECT {Columns} {From} {where} ORDER BY u.id DESC OFFSET @skip LIMIT @take
            """, connection)
        {
            Parameters =
            {
                new("collection", NpgsqlDbType.Text) { Value = (object?)collection ?? DBNull.Value }, new("state", NpgsqlDbType.Text) { Value = (object?)state ?? DBNull.Value }, new("skip", skip), new("take", take),
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var total = r.GetInt32(0);
        await r.NextResultAsync(ct);
        var rules = new List<ReviewRule>();
        while (await r.ReadAsync(ct)) rules.Add(Read(r));
        return new(rules, total);
    }

    /// <summary>Null where there is no such rule in reach.</summary>
    public async Task<ReviewRule?> FindAsync(Scope scope, long id, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"SELECT {Columns} {From} WHERE u.id = @id", connection) { Parameters = { new("id", id) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? Read(r) : null;
    }

    /// <summary>What became of a rule, in order.</summary>
    public async Task<IReadOnlyList<RuleChange>> ChangesAsync(Scope scope, long id, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("SELECT state, by, reason, figures::text, at FROM ingestion.review_rule_change WHERE rule_id = @id ORDER BY id", connection) { Parameters = { new("id", id) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var changes = new List<RuleChange>();
        while (await r.ReadAsync(ct))
            changes.Add(new(r.GetString(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : JsonSerializer.Deserialize<RuleFigures>(r.GetString(3)), r.GetFieldValue<DateTimeOffset>(4)));
        return changes;
    }

    /// <summary>Switches a rule on: what is resolved from now on goes by it, and with <paramref name="applyToOpen"/> what is open and untouched is resolved again.</summary>
    public Task<ReviewResult> StartAsync(Actor actor, long id, int seen, bool applyToOpen, CancellationToken ct) => ChangeAsync(actor, id, seen, "start_rule", async (connection, rule, token) =>
    {
        if (rule.State == RuleStates.On) return "It is on already.";
        // The list is held from here: of two rules for one value that are switched on at once the second sees the first.
        var list = await ReferenceRows.HoldAsync(connection, rule.TenantId, rule.CollectionId, rule.EntityType, token);
        if ((await ReferenceRows.ReadAsync(connection, list.ListId, list.Version, token)).FirstOrDefault(e => e.Key == rule.Entity) is not { } entity) return $"The list of {rule.EntityType} holds no “{rule.Entity}” any more.";
        if (await RivalAsync(connection, rule, token) is { } rival) return $"Rule {rival} says already what “{rule.Value}” means. Switch that off first.";
        var before = rule.Kind == RuleKinds.Alias ? await RuleRows.AddAliasAsync(connection, actor, rule, list, entity, token) : null;
        await RuleRows.SetStateAsync(connection, actor, rule, RuleStates.On, before, applyToOpen, token);
        return null;
    }, "It is on.", ct);

    /// <summary>Switches a rule off, and takes back what it did to the list. What it let pass stays published.</summary>
    public Task<ReviewResult> StopAsync(Actor actor, long id, int seen, CancellationToken ct) => ChangeAsync(actor, id, seen, "stop_rule", async (connection, rule, token) =>
    {
        if (rule.State != RuleStates.On) return "It is not on.";
        await RuleRows.RemoveAliasAsync(connection, actor, rule, token);
        await RuleRows.SetStateAsync(connection, actor, rule, RuleStates.Off, null, false, token);
        return null;
    }, "It is off.", ct);

    private async Task<ReviewResult> ChangeAsync(Actor actor, long id, int seen, string action, Func<NpgsqlConnection, HeldRule, CancellationToken, Task<string?>> change, string message, CancellationToken ct)
    {
        // Row-level security answers for what is out of reach as for what does not exist.
        if (await FindAsync(actor.Scope, id, ct) is null) return NoSuchRule;
        return await Conflicts.RepeatAsync(async token =>
        {
            await using var connection = await database.Worker.OpenConnectionAsync(token);
            await using var transaction = await connection.BeginTransactionAsync(token);
            if (await RuleRows.HoldAsync(connection, id, actor.TenantId, token) is not { } rule) return NoSuchRule;
            if (rule.Version != seen) return new(ReviewOutcome.Conflict, $"Somebody changed it since you looked: it is {rule.State}.", rule.Version);
            if (await change(connection, rule, token) is { } refused) return new(ReviewOutcome.Refused, refused, rule.Version);
            await AuditLog.WriteAsync(connection, actor, action, $"rule {id}", token, JsonSerializer.Serialize(new { rule.Kind, rule.Field, rule.Value, rule.Entity }));
            await transaction.CommitAsync(token);
            return new ReviewResult(ReviewOutcome.Done, message, rule.Version + 1);
        }, ct);
    }

    private static async Task<long?> RivalAsync(NpgsqlConnection connection, HeldRule rule, CancellationToken ct)
    {
        const string sql = """
            SELECT id FROM ingestion.review_rule
            WHERE collection_id = @collection AND state = 'on' AND value = @value AND entity_type = @type AND (field = @field OR 'alias' IN (kind, @kind)) AND id <> @id
            LIMIT 1
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("collection", rule.CollectionId), new("value", rule.Value), new("type", rule.EntityType), new("field", rule.Field), new("kind", rule.Kind), new("id", rule.Id) },
        };
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    private static ReviewResult NoSuchRule { get; } = new(ReviewOutcome.NotFound, "There is no such rule.");

    private static ReviewRule Read(NpgsqlDataReader r) => new(
        r.GetInt64(0), r.GetInt32(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7), r.GetString(8), r.GetString(9), r.GetString(10),
        r.GetFieldValue<DateTimeOffset>(11), r.GetString(12), r.GetFieldValue<DateTimeOffset>(13), r.IsDBNull(14) ? null : r.GetString(14), r.GetBoolean(15),
        new(r.GetInt32(16), r.GetInt32(17), r.GetInt32(18), r.GetInt32(19)));
}

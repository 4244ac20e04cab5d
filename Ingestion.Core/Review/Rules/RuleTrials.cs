using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review.Rules;

/// <summary>What a rule would do, before it does anything.</summary>
/// <param name="Open">Open reviews, untouched so far, whose field it would link.</param>
/// <param name="OpenPassing">Of these, those that would have no question left.</param>
/// <param name="Samples">The first of the open ones.</param>
/// <param name="WouldApprove">Of what was decided before: documents that it would have let pass.</param>
/// <param name="Agreed">Of these, those that people approved with the same entity.</param>
/// <param name="Rejected">Of these, those that people rejected.</param>
/// <param name="Otherwise">Of these, those that people approved with another entity.</param>
public sealed record RuleTrial(int Open, int OpenPassing, IReadOnlyList<ReviewRow> Samples, int WouldApprove, int Agreed, int Rejected, int Otherwise)
{
    /// <summary>The same for a person.</summary>
    public string Sentence => $"It would link {Documents(Open, "open document")}, of which {OpenPassing:N0} would have no question left. It would have approved {WouldApprove:N0} of those decided so far; "
        + $"reviewers rejected {Rejected:N0} of them and chose something else for {Otherwise:N0}.";

    private static string Documents(int n, string what) => n == 1 ? $"1 {what}" : $"{n:N0} {what}s";
}

/// <summary>Tries rules on what is open and on what was decided. Changes nothing.</summary>
public sealed class RuleTrials(Database database, ReviewQueries reviews, PreparedRecords prepared)
{
    private const int Shown = 20;

    /// <summary>Past decisions that are looked at, the latest first.</summary>
    private const int MostDecided = 20_000;

    /// <summary>Null where there is no such rule in reach.</summary>
    public async Task<RuleTrial?> RunAsync(Scope scope, long id, CancellationToken ct)
    {
        var (rule, collection) = await FindAsync(scope, id, ct);
        if (rule is null) return null;
        var (open, passing, samples) = (0, 0, new List<long>());
        var (approve, agreed, rejected, otherwise) = (0, 0, 0, 0);
        foreach (var one in await CasesAsync(scope, rule, collection, ct))
        {
            if (await JudgeAsync(rule, collection, one, ct) is not { } accepted) continue;
            if (one.State == ReviewStates.Open)
            {
                open++;
                if (accepted) passing++;
                if (samples.Count < Shown) samples.Add(one.Review);
            }
            else if (accepted)
            {
                approve++;
                if (one.State == ReviewStates.Rejected) rejected++;
                else if (one.Now.Any(f => rule.Covers(f) && f.Entity == rule.Entity)) agreed++;
                else otherwise++;
            }
        }
        return new(open, passing, await RowsAsync(scope, samples, ct), approve, agreed, rejected, otherwise);
    }

    // Null where it would change nothing; else whether nothing is left to ask. Rows of manifests are judged as if they might pass.
    private async Task<bool?> JudgeAsync(ActiveRule rule, long collection, Case one, CancellationToken ct)
    {
        var type = (await prepared.TypeAsync(one.RecordType, ct)).Type;
        var lists = await prepared.ListsAsync(collection, one.RecordType, type, ct);
        // As a rule of the one field: what a spelling in the list would do to this very value.
        var (record, used) = RuleUse.Apply(type, RecordResolver.Judge(type, one.Then), [rule with { Kind = RuleKinds.Value, Field = one.Then.First(rule.Covers).Name }], lists);
        return used.Count == 0 ? null : record is { Accepted: true, Refused: null } && !one.Reasons.Contains(ReviewReasons.Quality);
    }

    private async Task<(ActiveRule? Rule, long Collection)> FindAsync(Scope scope, long id, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("SELECT id, kind, field, entity_type, value, entity, entity_name, collection_id FROM ingestion.review_rule WHERE id = @id", connection) { Parameters = { new("id", id) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? (new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6)), r.GetInt64(7)) : (null, 0);
    }

    // The latest review of each document: open ones that nobody has touched, and decided ones with the fields as they were before the first decision.
    private async Task<IReadOnlyList<Case>> CasesAsync(Scope scope, ActiveRule rule, long collection, CancellationToken ct)
    {
        var sql = $"""
            SELECT r.id, r.state, r.reasons, f.record_type_id, f.fields::text,
                   coalesce((SELECT d.before -> 'fields' FROM ingestion.review_decision d WHERE d.review_id = r.id ORDER BY d.id LIMIT 1), f.fields)::text
            {ReviewQueries.From}
            WHERE r.collection_id = @collection AND b.deleted_at IS NULL AND f.record_type_id IS NOT NULL
              AND (r.state IN ('approved', 'rejected') OR r.state = 'open' AND r.version = 1)
              AND NOT EXISTS (SELECT FROM ingestion.review_item o WHERE o.item_id = r.item_id AND o.id > r.id)
              AND {RuleMatches.OfParameters}
            ORDER BY r.state = 'open' DESC, r.id DESC
            LIMIT @most
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("collection", collection), new("most", MostDecided) } };
        RuleMatches.AddTo(command, rule.Kind, rule.Field, rule.EntityType, rule.Value);
        await using var r = await command.ExecuteReaderAsync(ct);
        var cases = new List<Case>();
        while (await r.ReadAsync(ct))
            cases.Add(new(r.GetInt64(0), r.GetString(1), r.GetFieldValue<string[]>(2), r.GetInt64(3), ResolvedField.FromJson(r.GetString(4)), ResolvedField.FromJson(r.GetString(5))));
        return [.. cases.Where(c => c.Then.Any(rule.Covers))];
    }

    private async Task<IReadOnlyList<ReviewRow>> RowsAsync(Scope scope, List<long> ids, CancellationToken ct)
    {
        var rows = new List<ReviewRow>();
        foreach (var id in ids)
            if (await reviews.FindAsync(scope, id, ct) is { } found) rows.Add(found.Review);
        return rows;
    }

    /// <param name="Then">The fields before anybody decided.</param>
    private sealed record Case(long Review, string State, IReadOnlyList<string> Reasons, long RecordType, IReadOnlyList<ResolvedField> Now, IReadOnlyList<ResolvedField> Then);
}

/// <summary>Which records a rule is about, as SQL over record <c>f</c>.</summary>
internal static class RuleMatches
{
    /// <summary>Of the parameters that <see cref="AddTo"/> adds.</summary>
    public static readonly string OfParameters = Sql("@kind", "@field", "@type", "@value");

    /// <summary>Of a rule's row <c>u</c>.</summary>
    public static readonly string OfRow = Sql("u.kind", "u.field", "u.entity_type", "u.value");

    public static void AddTo(NpgsqlCommand command, string kind, string field, string entityType, string value) =>
        command.Parameters.AddRange(new NpgsqlParameter[] { new("kind", kind), new("field", field), new("type", entityType), new("value", value) });

    // Composed and with single blanks, as rules keep their values.
    private static string Sql(string kind, string field, string type, string value) => $"""
        EXISTS (
            SELECT FROM jsonb_array_elements(f.fields) x
            WHERE x ->> 'kind' = 'entity' AND CASE WHEN {kind} = 'value' THEN x ->> 'name' = {field} ELSE x ->> 'entity_type' = {type} END
              AND normalize(btrim(regexp_replace(x -> 'found' ->> 'value', '\s+', ' ', 'g')), NFC) = {value}
        )
        """;
}

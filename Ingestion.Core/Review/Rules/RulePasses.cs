using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Review.Rules;

/// <summary>What rules let pass, and which of it people look at all the same.</summary>
internal static class RulePasses
{
    /// <summary>
    /// Whether a document belongs to the sample. By its number alone, so that a stage that runs twice says the same; mixed, so that nothing of how
    /// documents come decides.
    /// </summary>
    /// <param name="share">0 to 1.</param>
    public static bool Sampled(long item, double share)
    {
        var mixed = unchecked((ulong)item * 0x9E3779B97F4A7C15UL);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9UL);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL);
        return ((mixed ^ (mixed >> 31)) >> 11) * (1.0 / (1UL << 53)) < share;
    }

    /// <summary>Writes that an item passed by these rules.</summary>
    public static async Task RecordAsync(NpgsqlConnection connection, WorkItem item, IReadOnlyList<long> rules, bool sampled, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.review_rule_pass (rule_id, item_id, tenant_id, batch_id, sampled, at)
            SELECT r, @item, @tenant, @batch, @sampled, ingestion.clock() FROM unnest(@rules) r ORDER BY r
            ON CONFLICT (rule_id, item_id) DO UPDATE SET sampled = excluded.sampled, at = excluded.at
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("item", item.ItemId), new("tenant", item.TenantId), new("batch", item.BatchId), new("sampled", sampled), new("rules", rules.Distinct().ToArray()) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// SQL over rule <c>u</c>: what was sampled, looked at and wrong, and the batch of the last wrong one, since it was switched on last. Rejected is wrong
    /// whatever for: nobody can tell from here. Undone decisions count for nothing, because they are read where they stand.
    /// </summary>
    public const string Samples = """
        LEFT JOIN LATERAL (
            SELECT count(*)::int AS sampled, count(q.state)::int AS looked, count(*) FILTER (WHERE q.wrong)::int AS wrong, max(p.batch_id) FILTER (WHERE q.wrong) AS wrong_in
            FROM ingestion.review_rule_pass p
            LEFT JOIN LATERAL (
                SELECT r.state, r.state = 'rejected' OR NOT coalesce(f.fields @> jsonb_build_array(jsonb_build_object('entity_type', u.entity_type, 'entity', u.entity)), false) AS wrong
                FROM ingestion.review_item r
                LEFT JOIN ingestion.item_record f ON f.item_id = r.item_id
                WHERE r.item_id = p.item_id AND 'sample' = ANY(r.reasons) AND r.state IN ('approved', 'rejected')
                ORDER BY r.id DESC
                LIMIT 1
            ) q ON true
            WHERE p.rule_id = u.id AND p.sampled AND p.at >= coalesce(u.started_at, u.created_at)
        ) g ON true
        """;

    /// <summary>The same, and everything that passed.</summary>
    public const string Figures = $"""
        {Samples}
        LEFT JOIN LATERAL (
            SELECT count(*)::int AS passed FROM ingestion.review_rule_pass p WHERE p.rule_id = u.id AND p.at >= coalesce(u.started_at, u.created_at)
        ) n ON true
        """;
}

using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Review.Rules;

/// <summary>
/// Lets rules that were switched on act on what was open then: each such review that nobody has touched is sent back to be resolved again, in the
/// name of whoever switched the rule on. In slices; a review that was sent back is found no more, so a crash repeats nothing.
/// </summary>
public sealed class RuleApplication(NpgsqlDataSource worker, ReviewDesk desk)
{
    private const int Slice = 100;

    /// <summary>Goes on until nothing is left; safe from several processes at once.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var rules = new List<long>();
        await using (var command = worker.CreateCommand("SELECT id FROM ingestion.review_rule WHERE state = 'on' AND apply_cursor < apply_through ORDER BY id"))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) rules.Add(r.GetInt64(0));
        foreach (var rule in rules)
            while (await SliceAsync(rule, ct)) ct.ThrowIfCancellationRequested();
    }

    private async Task<bool> SliceAsync(long id, CancellationToken ct)
    {
        var sql = $"""
            SELECT u.tenant_id, u.changed_by, u.reach::text, found.ids
            FROM ingestion.review_rule u
            CROSS JOIN LATERAL (
                SELECT array_agg(s.id ORDER BY s.id) AS ids FROM (
                    SELECT r.id
                    FROM ingestion.review_item r
                    JOIN ingestion.item_record f ON f.item_id = r.item_id
                    WHERE r.tenant_id = u.tenant_id AND r.collection_id = u.collection_id AND r.state = 'open' AND r.version = 1 AND r.id > u.apply_cursor AND r.id <= u.apply_through
                      AND {RuleMatches.OfRow}
                    ORDER BY r.id
                    LIMIT @slice
                ) s
            ) found
            WHERE u.id = @id AND u.state = 'on' AND u.apply_cursor < u.apply_through
            """;
        Actor actor;
        long[] open;
        await using (var command = worker.CreateCommand(sql))
        {
            command.Parameters.Add(new("id", id));
            command.Parameters.Add(new("slice", Slice));
            await using var r = await command.ExecuteReaderAsync(ct);
            if (!await r.ReadAsync(ct)) return false;
            actor = new(r.GetString(0), r.GetString(1), $"Rule {id} says more now.") { Narrowing = JsonSerializer.Deserialize<Narrowing>(r.GetString(2))! };
            open = r.IsDBNull(3) ? [] : r.GetFieldValue<long[]>(3);
        }
        // Whoever decides one meanwhile is first, and it is left alone.
        foreach (var review in open) await desk.SendBackAsync(actor, review, 1, Stage.Resolve, ct);
        await using var moved = worker.CreateCommand("UPDATE ingestion.review_rule SET apply_cursor = coalesce(@last, apply_through) WHERE id = @id AND state = 'on' AND apply_cursor < coalesce(@last, apply_through)");
        moved.Parameters.Add(new("id", id));
        moved.Parameters.Add(new("last", NpgsqlTypes.NpgsqlDbType.Bigint) { Value = open.Length == Slice ? open[^1] : DBNull.Value });
        await moved.ExecuteNonQueryAsync(ct);
        return open.Length == Slice;
    }
}

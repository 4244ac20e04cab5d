using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>What a decision over a filter would hit.</summary>
/// <param name="LeastSure">The five reviews with the lowest confidence, lowest first.</param>
/// <param name="Fields">Fields that do not say the same in all of them; those that mean entities first.</param>
/// <param name="Samples">Up to ten from all over what is meant; the same ones for the same reviews.</param>
/// <param name="Unsure">Those that somebody was unsure of.</param>
/// <param name="OfOthers">Those that are somebody else's to decide.</param>
/// <param name="Last">The newest review of them: what the decision is to stop at.</param>
public sealed record BulkPreview(
    int Total, IReadOnlyList<ReviewCount> Reasons, IReadOnlyList<ReviewCount> Collections, IReadOnlyList<ReviewRow> LeastSure, IReadOnlyList<FieldSpread> Fields,
    IReadOnlyList<ReviewRow> Samples, int Unsure, int OfOthers, long Last);

/// <summary>How differently a field reads over many records.</summary>
/// <param name="Values">Different values: entities where it means one, else what was found.</param>
/// <param name="Most">The commonest of them.</param>
public sealed record FieldSpread(string Field, int Values, IReadOnlyList<ReviewCount> Most);

/// <summary>Shows what a bulk decision is about before somebody makes it.</summary>
public sealed class BulkPreviews(Database database, ReviewQueries queries)
{
    private const int Lowest = 5;
    private const int Shown = 10;

    /// <summary>Of what is open among what the filter finds.</summary>
    public async Task<BulkPreview> OfAsync(Scope scope, ReviewFilter filter, CancellationToken ct)
    {
        filter = filter with { State = ReviewStates.Open };
        await using var connection = await database.OpenWebAsync(scope, ct);
        var (total, unsure, others, last) = await TotalsAsync(connection, scope.Member, filter, ct);
        return new(total, await queries.ReasonsAsync(scope, filter, ct), await CollectionsAsync(connection, filter, ct),
            await RowsAsync(connection, scope, filter, "r.confidence IS NOT NULL", "r.confidence, r.id", Lowest, ct), await FieldsAsync(connection, filter, ct),
            // Spread evenly without favouring the first: an order that has nothing to do with when they came.
            await RowsAsync(connection, scope, filter, "true", "md5(r.id::text)", Shown, ct), unsure, others, last);
    }

    private static async Task<(int Total, int Unsure, int Others, long Last)> TotalsAsync(NpgsqlConnection connection, string? member, ReviewFilter filter, CancellationToken ct)
    {
        await using var command = Command(connection, $"""
            SELECT count(*)::int, count(r.unsure_at)::int, count(*) FILTER (WHERE r.assigned_to <> @member)::int, coalesce(max(r.id), 0)
            {ReviewQueries.From} WHERE {ReviewFilter.Sql}
            """, filter);
        command.Parameters.Add(new("member", member ?? ""));
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return (r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), r.GetInt64(3));
    }

    private static async Task<IReadOnlyList<ReviewCount>> CollectionsAsync(NpgsqlConnection connection, ReviewFilter filter, CancellationToken ct)
    {
        await using var command = Command(connection, $"SELECT c.key, count(*)::int {ReviewQueries.From} WHERE {ReviewFilter.Sql} GROUP BY c.key ORDER BY 2 DESC, 1", filter);
        await using var r = await command.ExecuteReaderAsync(ct);
        var counts = new List<ReviewCount>();
        while (await r.ReadAsync(ct)) counts.Add(new(r.GetString(0), r.GetInt32(1)));
        return counts;
    }

    private static async Task<IReadOnlyList<FieldSpread>> FieldsAsync(NpgsqlConnection connection, ReviewFilter filter, CancellationToken ct)
    {
        await using var command = Command(connection, $"""
            WITH said AS MATERIALIZED (
                SELECT x ->> 'name' AS field, x ->> 'kind' AS kind, coalesce(x ->> 'entity_name', x -> 'found' ->> 'value', '') AS value, count(*)::int AS n
                {ReviewQueries.From} CROSS JOIN LATERAL jsonb_array_elements(f.fields) x
                WHERE {ReviewFilter.Sql} AND x ->> 'kind' <> 'sections'
                GROUP BY 1, 2, 3
            )
            SELECT field, count(*)::int, (array_agg(value ORDER BY n DESC, value))[1:5], (array_agg(n ORDER BY n DESC, value))[1:5]
            FROM said GROUP BY field, kind HAVING count(*) > 1 ORDER BY kind <> 'entity', field
            """, filter);
        await using var r = await command.ExecuteReaderAsync(ct);
        var fields = new List<FieldSpread>();
        while (await r.ReadAsync(ct))
            fields.Add(new(r.GetString(0), r.GetInt32(1), [.. r.GetFieldValue<string[]>(2).Zip(r.GetFieldValue<int[]>(3), (value, n) => new ReviewCount(value, n))]));
        return fields;
    }

    private async Task<IReadOnlyList<ReviewRow>> RowsAsync(NpgsqlConnection connection, Scope scope, ReviewFilter filter, string also, string order, int take, CancellationToken ct)
    {
        var ids = new List<long>();
        await using (var command = Command(connection, $"SELECT r.id {ReviewQueries.From} WHERE {ReviewFilter.Sql} AND {also} ORDER BY {order} LIMIT {take}", filter))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        if (ids.Count == 0) return [];
        return [.. (await queries.ListAsync(scope, new(State: null, Ids: ids), ReviewOrder.Oldest, 0, take, ct)).Rows.OrderBy(r => ids.IndexOf(r.Id))];
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, ReviewFilter filter)
    {
        var command = new NpgsqlCommand(sql, connection);
        filter.AddTo(command);
        return command;
    }
}

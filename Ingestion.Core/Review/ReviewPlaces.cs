using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>Open reviews that a decision on a field would fit as well, without the one it is made on.</summary>
/// <param name="Value">Those with the same value there.</param>
/// <param name="Best">Those whose likeliest entity is the same one.</param>
public sealed record SimilarReviews(int Value, int Best);

/// <summary>Where reviews stand among others: before and after, and alike.</summary>
public sealed class ReviewPlaces(Database database, ReviewQueries queries)
{
    /// <summary>
    /// What comes before and after a review among those of a filter. One that the filter does not find has the place 0; after it comes the next one that
    /// was asked about later, or the first.
    /// </summary>
    public async Task<ReviewNeighbours> AroundAsync(Scope scope, ReviewFilter filter, ReviewOrder order, long review, CancellationToken ct)
    {
        var by = ReviewQueries.OrderBy(order);
        var sql = $"""
            SELECT x.before, x.after, x.place, x.total FROM (
                SELECT r.id, lag(r.id) OVER w AS before, lead(r.id) OVER w AS after, (row_number() OVER w)::int AS place, count(*) OVER ()::int AS total
                {ReviewQueries.From} WHERE {ReviewFilter.Sql}
                WINDOW w AS (ORDER BY {by})
            ) x WHERE x.id = @review
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using (var command = Command(connection, sql, filter, review))
        await using (var r = await command.ExecuteReaderAsync(ct))
            if (await r.ReadAsync(ct)) return new(r.IsDBNull(0) ? null : r.GetInt64(0), r.IsDBNull(1) ? null : r.GetInt64(1), r.GetInt32(2), r.GetInt32(3));
        await using var next = Command(connection, $"SELECT r.id, count(*) OVER ()::int {ReviewQueries.From} WHERE {ReviewFilter.Sql} ORDER BY r.id > @review DESC, {by} LIMIT 1", filter, review);
        await using var n = await next.ExecuteReaderAsync(ct);
        return await n.ReadAsync(ct) ? new(null, n.GetInt64(0), 0, n.GetInt32(1)) : new(null, null, 0, 0);
    }

    /// <summary>How many other open reviews of the same collection are alike in a field.</summary>
    public async Task<SimilarReviews> AlikeAsync(Scope scope, ReviewRow review, ResolvedField field, CancellationToken ct)
    {
        async Task<int> Others(ReviewFilter filter) => Math.Max(0, await queries.CountAsync(scope, filter, ct) - (review.State == ReviewStates.Open ? 1 : 0));
        return new(field.Found is null ? 0 : await Others(SameValue(review, field)), field.Candidates is [_, ..] ? await Others(SameBest(review, field)) : 0);
    }

    /// <summary>The open reviews of the collection where the field has the same value.</summary>
    public static ReviewFilter SameValue(ReviewRow review, ResolvedField field) => new(Collection: review.Collection, Field: field.Name, Value: field.Found?.Value);

    /// <summary>The open reviews of the collection where the field's likeliest entity is the same one.</summary>
    public static ReviewFilter SameBest(ReviewRow review, ResolvedField field) => new(Collection: review.Collection, Field: field.Name, Best: field.Candidates is [var best, ..] ? best.Key : null);

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, ReviewFilter filter, long review)
    {
        var command = new NpgsqlCommand(sql, connection) { Parameters = { new("review", review) } };
        filter.AddTo(command);
        return command;
    }
}

using System.Runtime.CompilerServices;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>Where the text that a review is about came from.</summary>
/// <param name="Row">Row of the manifest, from 1; 0 for none.</param>
/// <param name="RecordTypeId">The version of the record type by which the fields were made; null where it came for its quality alone.</param>
public sealed record ReviewProvenance(
    string SourceType, string SourceKey, int Row, long? RecordTypeId, long? DocumentVersionId, int? ParserVersion, string? Sha256, string? FinalUrl, DateTimeOffset? FetchedAt);

/// <summary>A review with everything that is known of it.</summary>
/// <param name="Decisions">What was decided, in order: a JSON array.</param>
public sealed record ExportedReview(ReviewRow Review, ItemState ItemState, ReviewProvenance Provenance, IReadOnlyList<ResolvedField> Fields, string Decisions);

/// <summary>A field that records of a filter have.</summary>
public sealed record ExportedField(string Name, FieldKind Kind);

/// <summary>Reads everything that a filter finds, a slice at a time, so that any number can be written while it is read.</summary>
public sealed class ReviewExports(Database database)
{
    private const int Slice = 500;
    private const int MostFields = 200;

    /// <summary>The fields that these records have, in alphabetical order; at most 200.</summary>
    public async Task<IReadOnlyList<ExportedField>> FieldsAsync(Scope scope, ReviewFilter filter, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"""
            SELECT DISTINCT x ->> 'name', x ->> 'kind' {ReviewQueries.From}
            CROSS JOIN LATERAL jsonb_array_elements(f.fields) x
            WHERE {ReviewFilter.Sql} ORDER BY 1, 2 LIMIT {MostFields}
            """, connection);
        filter.AddTo(command);
        await using var r = await command.ExecuteReaderAsync(ct);
        var fields = new List<ExportedField>();
        while (await r.ReadAsync(ct)) fields.Add(new(r.GetString(0), StateWords.Parse<FieldKind>(r.GetString(1))));
        return [.. fields.DistinctBy(f => f.Name)];
    }

    /// <summary>Every review that the filter finds, in the order in which they were asked. Holds no connection while the caller writes.</summary>
    public async IAsyncEnumerable<ExportedReview> ReadAsync(Scope scope, ReviewFilter filter, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0L; ;)
        {
            var slice = await SliceAsync(scope, filter, after, ct);
            foreach (var review in slice) yield return review;
            if (slice.Count < Slice) yield break;
            after = slice[^1].Review.Id;
        }
    }

    private async Task<IReadOnlyList<ExportedReview>> SliceAsync(Scope scope, ReviewFilter filter, long after, CancellationToken ct)
    {
        const string sql = $"""
            SELECT r.id, r.version, r.state, b.public_id, c.key, r.item_id, i.name, r.reasons, r.confidence, r.quality, r.created_at, r.decided_by, r.decided_at, r.decision_reason,
                   i.state, i.source_type, i.source_key, i.row, f.record_type_id, v.id, v.parser_version, s.sha256, s.final_url, s.fetched_at, coalesce(f.fields, '[]')::text,
                   coalesce((
                       SELECT jsonb_agg(jsonb_build_object(
                           'id', d.id, 'action', d.action, 'by', d.by, 'reason', d.reason, 'at', to_char(d.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'chosen', d.chosen,
                           'taken_back', EXISTS (SELECT FROM ingestion.review_decision u WHERE u.undoes = d.id)) ORDER BY d.id)
                       FROM ingestion.review_decision d WHERE d.review_id = r.id
                   ), '[]')::text
            {ReviewQueries.From}
            LEFT JOIN ingestion.document_version v ON v.id = i.document_version_id
            LEFT JOIN ingestion.source_version s ON s.id = v.source_version_id
            WHERE {ReviewFilter.Sql} AND r.id > @after
            ORDER BY r.id
            LIMIT @slice
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("after", after), new("slice", Slice) } };
        filter.AddTo(command);
        await using var r = await command.ExecuteReaderAsync(ct);
        var reviews = new List<ExportedReview>();
        while (await r.ReadAsync(ct)) reviews.Add(Read(r));
        return reviews;
    }

    private static ExportedReview Read(NpgsqlDataReader r)
    {
        var row = new ReviewRow(r.GetInt64(0), r.GetInt32(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetInt64(5), r.GetString(6), r.GetFieldValue<string[]>(7),
            Value<double>(r, 8), Value<double>(r, 9), r.GetFieldValue<DateTimeOffset>(10), Text(r, 11), Value<DateTimeOffset>(r, 12), Text(r, 13));
        var provenance = new ReviewProvenance(r.GetString(15), r.GetString(16), r.GetInt32(17), Value<long>(r, 18), Value<long>(r, 19), Value<int>(r, 20), Text(r, 21), Text(r, 22), Value<DateTimeOffset>(r, 23));
        return new(row, StateWords.Parse<ItemState>(r.GetString(14)), provenance, ResolvedField.FromJson(r.GetString(24)), r.GetString(25));
    }

    private static T? Value<T>(NpgsqlDataReader r, int i) where T : struct => r.IsDBNull(i) ? null : r.GetFieldValue<T>(i);

    private static string? Text(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetString(i);
}

using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>What waits for people and what they decided, as a scope sees it.</summary>
public sealed class ReviewQueries(Database database)
{
    /// <summary>Reviews with what a filter looks at.</summary>
    internal const string From = """
        FROM ingestion.review_item r
        JOIN ingestion.import_item i ON i.id = r.item_id
        JOIN ingestion.import_batch b ON b.id = r.batch_id
        JOIN ingestion.collection c ON c.id = r.collection_id
        LEFT JOIN ingestion.item_record f ON f.item_id = r.item_id
        """;

    private const string Columns = "r.id, r.version, r.state, b.public_id, c.key, r.item_id, i.name, r.reasons, r.confidence, r.quality, r.created_at, r.decided_by, r.decided_at, r.decision_reason, r.unsure_by, r.unsure_reason, r.unsure_at, r.assigned_to, r.batch_id, b.name AS batch_name";

    // What follows the columns is read from here on.
    private const int After = 20;

    public async Task<ReviewPage> ListAsync(Scope scope, ReviewFilter filter, ReviewOrder order, int skip, int take, CancellationToken ct)
    {
        // Records are opened for what is shown alone; of them what means an entity, without the texts.
        var sql = $"""
            WITH page AS MATERIALIZED (
                SELECT {Columns}, count(*) OVER ()::int AS total, row_number() OVER (ORDER BY {OrderBy(order)}) AS place
                {From} WHERE {ReviewFilter.Sql} ORDER BY {OrderBy(order)} OFFSET @skip LIMIT @take
            )
            SELECT p.*, (SELECT coalesce(jsonb_agg(x), '[]') FROM jsonb_array_elements(f.fields) x WHERE x ->> 'kind' = 'entity')::text, v.title
            FROM page p
            LEFT JOIN ingestion.item_record f ON f.item_id = p.item_id
            LEFT JOIN ingestion.import_item i ON i.id = p.item_id
            LEFT JOIN ingestion.document_version v ON v.id = i.document_version_id
            ORDER BY p.place
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("skip", skip), new("take", take) } };
        filter.AddTo(command);
        var (rows, total) = (new List<ReviewRow>(), 0);
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct))
            {
                rows.Add(Asked(Row(r), ResolvedField.FromJson(r.GetString(After + 2)), r.IsDBNull(After + 3) ? null : r.GetString(After + 3)));
                total = r.GetInt32(After);
            }
        return new(rows, rows.Count == 0 && skip > 0 ? await CountAsync(connection, filter, ct) : total);
    }

    /// <summary>How many reviews a filter finds.</summary>
    public async Task<int> CountAsync(Scope scope, ReviewFilter filter, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        return await CountAsync(connection, filter, ct);
    }

    /// <summary>Open reviews by reason, most first; one with two reasons counts for both.</summary>
    public async Task<IReadOnlyList<ReviewCount>> ReasonsAsync(Scope scope, ReviewFilter filter, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"SELECT w, count(*)::int FROM (SELECT unnest(r.reasons) AS w {From} WHERE {ReviewFilter.Sql}) x GROUP BY w ORDER BY 2 DESC, 1", connection);
        filter.AddTo(command);
        await using var r = await command.ExecuteReaderAsync(ct);
        var counts = new List<ReviewCount>();
        while (await r.ReadAsync(ct)) counts.Add(new(r.GetString(0), r.GetInt32(1)));
        return counts;
    }

    /// <summary>Null where there is no such review in reach.</summary>
    public async Task<ReviewDetail?> FindAsync(Scope scope, long id, CancellationToken ct)
    {
        const string sql = $"""
            SELECT {Columns}, i.source_key, i.state, i.document_version_id, coalesce(f.fields, '[]')::text, coalesce(v.quality_parts, jsonb_build_object())::text,
                   (SELECT p.document_version_id FROM ingestion.publication p WHERE p.document_id = v.document_id AND p.revoked_at IS NULL ORDER BY p.id DESC LIMIT 1), v.title
            {From}
            LEFT JOIN ingestion.document_version v ON v.id = i.document_version_id
            WHERE r.id = @id AND b.deleted_at IS NULL
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        ReviewDetail detail;
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { new("id", id) } })
        await using (var r = await command.ExecuteReaderAsync(ct))
        {
            if (!await r.ReadAsync(ct)) return null;
            var fields = ResolvedField.FromJson(r.GetString(After + 3));
            detail = new(Asked(Row(r), fields, r.IsDBNull(After + 6) ? null : r.GetString(After + 6)), r.GetString(After), StateWords.Parse<ItemState>(r.GetString(After + 1)), Number(r, After + 2), Number(r, After + 5), fields,
                JsonSerializer.Deserialize<Dictionary<string, double>>(r.GetString(After + 4))!, []);
        }
        return detail with { Decisions = await DecisionsAsync(connection, id, ct) };
    }

    internal static string OrderBy(ReviewOrder order) => order switch
    {
        ReviewOrder.Newest => "r.id DESC",
        ReviewOrder.LeastSure => "r.confidence NULLS FIRST, r.id",
        ReviewOrder.MostSure => "r.confidence DESC NULLS LAST, r.id",
        ReviewOrder.WorstQuality => "r.quality NULLS LAST, r.id",
        _ => "(r.unsure_at IS NOT NULL), r.id",
    };

    // What contradicts itself first, then what a person can settle, then what no list knows; what is empty only where something is missing.
    private static ReviewRow Asked(ReviewRow row, IReadOnlyList<ResolvedField> fields, string? title)
    {
        int Place(ResolvedField f) => f switch
        {
            { Conflict: true } => 0,
            { State: FieldState.Uncertain or FieldState.Unmatched } => 1,
            { State: FieldState.Empty } => row.Reasons.Contains(ReviewReasons.Incomplete) ? 3 : 5,
            { State: FieldState.Linked or FieldState.Picked } => 4,
            _ => 2,
        };
        var field = fields.Where(f => f.Kind == FieldKind.Entity).OrderBy(Place).ThenBy(f => f.Confidence ?? 0).FirstOrDefault();
        return row with
        {
            Title = title,
            Question = field is null ? null : new(field.Name, field.State, field.Found?.Value, field.EntityName ?? (field.Candidates is [var best, ..] ? best.Name : null), field.Confidence, field.Conflict),
        };
    }

    /// <summary>The latest question about an item, its fence and its state; null where there is none in reach.</summary>
    public async Task<(long Review, int Version, string State)?> LatestOfAsync(Scope scope, long item, CancellationToken ct)
    {
        const string sql = """
            SELECT r.id, r.version, r.state FROM ingestion.review_item r JOIN ingestion.import_batch b ON b.id = r.batch_id
            WHERE r.item_id = @item AND b.deleted_at IS NULL
            ORDER BY r.id DESC
            LIMIT 1
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("item", item) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? (r.GetInt64(0), r.GetInt32(1), r.GetString(2)) : null;
    }

    private static async Task<int> CountAsync(NpgsqlConnection connection, ReviewFilter filter, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT count(*)::int {From} WHERE {ReviewFilter.Sql}", connection);
        filter.AddTo(command);
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<IReadOnlyList<DecisionView>> DecisionsAsync(NpgsqlConnection connection, long review, CancellationToken ct)
    {
        const string sql = """
            SELECT d.id, d.action, d.by, d.reason, d.at, d.chosen::text, EXISTS (SELECT FROM ingestion.review_decision u WHERE u.undoes = d.id)
            FROM ingestion.review_decision d WHERE d.review_id = @review ORDER BY d.id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("review", review) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var decisions = new List<DecisionView>();
        while (await r.ReadAsync(ct)) decisions.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetFieldValue<DateTimeOffset>(4), r.GetString(5), r.GetBoolean(6)));
        return decisions;
    }

    private static ReviewRow Row(NpgsqlDataReader r) => new(r.GetInt64(0), r.GetInt32(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetInt64(5), r.GetString(6), r.GetFieldValue<string[]>(7),
        r.IsDBNull(8) ? null : r.GetDouble(8), r.IsDBNull(9) ? null : r.GetDouble(9), r.GetFieldValue<DateTimeOffset>(10), r.IsDBNull(11) ? null : r.GetString(11),
        r.IsDBNull(12) ? null : r.GetFieldValue<DateTimeOffset>(12), r.IsDBNull(13) ? null : r.GetString(13))
    {
        Unsure = r.IsDBNull(14) ? null : new(r.GetString(14), r.IsDBNull(15) ? null : r.GetString(15), r.GetFieldValue<DateTimeOffset>(16)),
        AssignedTo = r.IsDBNull(17) ? null : r.GetString(17), BatchId = r.GetInt64(18), BatchName = r.GetString(19),
    };

    private static long? Number(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetInt64(i);
}

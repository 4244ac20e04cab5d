using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review;

/// <summary>Which reviews; what is null does not narrow.</summary>
/// <param name="State">A word of <see cref="ReviewStates"/>.</param>
/// <param name="Reason">One of its reasons: a word of <see cref="ReviewReasons"/>.</param>
/// <param name="MinConfidence">0 to 1; reviews without a confidence are left out where a bound is given.</param>
/// <param name="Text">Stands in the document's name or in a value of its record; without regard to case.</param>
/// <param name="Entity">The key of an entity that a field is linked to, or offered.</param>
/// <param name="AssignedTo">The account that is to decide; empty finds what nobody has to.</param>
/// <param name="Unsure">True finds those alone that somebody was unsure of, false the others.</param>
/// <param name="Field">The field that <paramref name="Value"/> and <paramref name="Best"/> speak of; null is any.</param>
/// <param name="Value">A field's value, exactly as it was found.</param>
/// <param name="Best">The key of the likeliest entity of a field.</param>
/// <param name="Ids">These reviews, and no others.</param>
public sealed record ReviewFilter(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? State = ReviewStates.Open, string? Collection = null, string? Batch = null, string? Reason = null, double? MinConfidence = null, double? MaxConfidence = null,
    double? MaxQuality = null, string? Text = null, string? Entity = null, string? DecidedBy = null,
    string? AssignedTo = null, bool? Unsure = null, string? Field = null, string? Value = null, string? Best = null, IReadOnlyList<long>? Ids = null)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>SQL over review <c>r</c>, item <c>i</c>, batch <c>b</c>, collection <c>c</c> and record <c>f</c>.</summary>
    internal const string Sql = """
        b.deleted_at IS NULL
          AND (@state IS NULL OR r.state = @state)
          AND (@collection IS NULL OR c.key = @collection)
          AND (@batch IS NULL OR b.public_id = @batch)
          AND (@reason IS NULL OR @reason = ANY(r.reasons))
          AND (@min IS NULL OR r.confidence >= @min)
          AND (@max IS NULL OR r.confidence <= @max)
          AND (@max_quality IS NULL OR r.quality <= @max_quality)
          AND (@decided_by IS NULL OR r.decided_by = @decided_by)
          AND (@text IS NULL OR lower(i.name) LIKE lower(@text) OR f.words LIKE lower(@text))
          AND (@entity IS NULL OR @entity = ANY(f.entities))
          AND (@assigned_to IS NULL OR coalesce(r.assigned_to, '') = @assigned_to)
          AND (@unsure IS NULL OR (r.unsure_at IS NOT NULL) = @unsure)
          AND (@value IS NULL OR f.fields @> jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('name', @field, 'found', jsonb_build_object('value', @value)))))
          AND (@best IS NULL OR EXISTS (
              SELECT FROM jsonb_array_elements(f.fields) x WHERE x -> 'candidates' -> 0 ->> 'key' = @best AND (@field IS NULL OR x ->> 'name' = @field)))
          AND (@ids IS NULL OR r.id = ANY(@ids))
        """;

    internal void AddTo(NpgsqlCommand command)
    {
        foreach (var (name, value) in new[] { ("state", State), ("collection", Collection), ("batch", Batch), ("reason", Reason), ("decided_by", DecidedBy), ("entity", Entity), ("text", Like(Text)),
            ("assigned_to", AssignedTo), ("field", Field), ("value", Value), ("best", Best) })
            command.Parameters.Add(new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value });
        foreach (var (name, value) in new[] { ("min", MinConfidence), ("max", MaxConfidence), ("max_quality", MaxQuality) })
            command.Parameters.Add(new(name, NpgsqlDbType.Double) { Value = (object?)value ?? DBNull.Value });
        command.Parameters.Add(new("unsure", NpgsqlDbType.Boolean) { Value = (object?)Unsure ?? DBNull.Value });
        command.Parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)Ids?.ToArray() ?? DBNull.Value });
    }

    internal string ToJson() => JsonSerializer.Serialize(this, Json);

    internal static ReviewFilter FromJson(string json) => JsonSerializer.Deserialize<ReviewFilter>(json, Json)!;

    private static string? Like(string? text) => string.IsNullOrWhiteSpace(text) ? null : $"%{text.Trim().Replace("\\", @"\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%";
}

/// <summary>In which order reviews are shown; in the first, those that somebody was unsure of come last.</summary>
public enum ReviewOrder { Oldest, Newest, LeastSure, MostSure, WorstQuality }

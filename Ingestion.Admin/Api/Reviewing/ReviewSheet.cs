using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>
/// Reviews as rows of a sheet. First what a person fills in, empty: <c>decision</c>, <c>reason</c>, <c>stage</c> and a <c>pick.FIELD</c> for each field that means
/// an entity; then what is known. The same columns with decisions in them are taken back.
/// </summary>
internal sealed class ReviewSheet(IReadOnlyList<ExportedField> fields)
{
    private static readonly string[] Filled = ["review_id", "version", "decision", "reason", "stage"];
    private static readonly string[] Known = ["name", "collection", "batch_id", "item_id", "state", "reasons", "confidence", "quality", "waiting_since", "decided_by", "decided_at", "decision_reason", "decisions"];
    private static readonly string[] Came = ["source_type", "source", "row", "item_state", "record_type_id", "document_version_id", "parser_version", "sha256", "final_url", "fetched_at"];

    public IReadOnlyList<string> Columns { get; } =
    [
        .. Filled, .. fields.Where(f => f.Kind == FieldKind.Entity).Select(f => DecisionTables.Pick + f.Name), .. Known,
        .. fields.SelectMany(f => f.Kind == FieldKind.Entity ? [f.Name, $"{f.Name}.source", $"{f.Name}.state", $"{f.Name}.entity", $"{f.Name}.confidence", $"{f.Name}.candidates"] : new[] { f.Name, $"{f.Name}.source" }), .. Came,
    ];

    public IEnumerable<string?> Row(ExportedReview review)
    {
        var (r, p) = (review.Review, review.Provenance);
        string?[] cells =
        [
            Number(r.Id), Number(r.Version), null, null, null, .. fields.Where(f => f.Kind == FieldKind.Entity).Select(_ => (string?)null),
            r.Name, r.Collection, r.BatchPublicId, Number(r.ItemId), r.State, string.Join('|', r.Reasons), Share(r.Confidence), Share(r.Quality), Time(r.BlockedFor), r.DecidedBy, Time(r.DecidedAt), r.DecisionReason, Decisions(review.Decisions),
            .. fields.SelectMany(f => Cells(f, review.Fields.FirstOrDefault(v => v.Name == f.Name))),
            p.SourceType, p.SourceKey, p.Row == 0 ? null : Number(p.Row), review.ItemState.Word(), Number(p.RecordTypeId), Number(p.DocumentVersionId), Number(p.ParserVersion), p.Sha256, p.FinalUrl, Time(p.FetchedAt),
        ];
        return cells;
    }

    private static IEnumerable<string?> Cells(ExportedField field, ResolvedField? value)
    {
        var found = value?.Parts is { } parts ? string.Join("\n\n", parts.Select(part => $"{part.Label}\n{part.Text}")) : value?.Found?.Value;
        return field.Kind == FieldKind.Entity
            ? [found, value?.Found?.Source, value is null ? null : State(value.State), value?.Entity, Share(value?.Confidence), value?.Candidates is { } candidates ? string.Join('|', candidates.Select(c => c.Key)) : null]
            : [found, value?.Found?.Source];
    }

    private static string State(FieldState state) => JsonNamingPolicy.SnakeCaseLower.ConvertName(state.ToString());

    // One line each: 2026-01-20T09:30:02Z pick by ada (raga → kalyani)
    private static string Decisions(string json) => string.Join('\n', JsonSerializer.Deserialize<JsonElement>(json).EnumerateArray().Select(d =>
    {
        var chosen = d.GetProperty("chosen");
        var what = chosen.TryGetProperty("entity", out var entity) ? $" ({chosen.GetProperty("field")} → {entity})" : chosen.TryGetProperty("stage", out var stage) ? $" ({stage})" : "";
        var why = d.GetProperty("reason") is { ValueKind: JsonValueKind.String } reason ? $": {reason}" : "";
        return $"{d.GetProperty("at")} {d.GetProperty("action")} by {d.GetProperty("by")}{what}{(d.GetProperty("taken_back").GetBoolean() ? ", taken back" : "")}{why}";
    }));

    private static string? Number(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Share(double? value) => value?.ToString("0.####", CultureInfo.InvariantCulture);

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

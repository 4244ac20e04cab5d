using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>What <c>/api/v1/review</c> answers with.</summary>
internal static class ReviewAnswers
{
    public static object Of(ReviewRow r) => new
    {
        r.Id, r.Version, r.State, BatchId = r.BatchPublicId, r.Collection, r.ItemId, r.Name, r.Reasons, r.Confidence, r.Quality, WaitingSince = r.BlockedFor, r.DecidedBy, r.DecidedAt, r.DecisionReason,
        r.AssignedTo, Unsure = Of(r.Unsure),
    };

    public static object Of(ReviewDetail d) => new
    {
        d.Review.Id, d.Review.Version, d.Review.State, BatchId = d.Review.BatchPublicId, d.Review.Collection, d.Review.ItemId, d.Review.Name, Source = d.SourceKey, d.Review.Reasons, d.Review.Confidence, d.Review.Quality,
        WaitingSince = d.Review.BlockedFor, d.Review.DecidedBy, d.Review.DecidedAt, d.Review.DecisionReason, d.Review.AssignedTo, Unsure = Of(d.Review.Unsure), ItemState = d.ItemState.Word(), d.DocumentVersionId, d.PublishedVersionId,
        Fields = Fields(d.Fields), d.QualityParts, Decisions = d.Decisions.Select(Of),
    };

    private static object? Of(UnsureMark? mark) => mark is null ? null : new { mark.By, mark.Reason, mark.At };

    public static object Of(DecisionView d) => new { d.Id, d.Action, d.By, d.Reason, d.At, Chosen = Json(d.Chosen), d.TakenBack };

    public static object Of(BulkView b) => new { Id = b.PublicId, b.Action, b.State, b.Total, b.Decided, b.PassedOver, b.CreatedBy, b.CreatedAt, b.FinishedAt };

    /// <summary>Fields as they are stored: names in snake case, what is null left out.</summary>
    public static JsonElement Fields(IReadOnlyList<ResolvedField> fields) => Json(ResolvedField.ToJson(fields));

    public static JsonElement Json(string json) => JsonSerializer.Deserialize<JsonElement>(json);

    public static IResult Unknown(long id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no review {id}.");
}

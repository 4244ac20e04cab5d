using System.Globalization;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// Review in the words of bulk imports: <c>…/batches/{id}/approve-all</c> and <c>reject-all</c> decide everything of a batch that waits, as a job;
/// <c>/v1/admin/imports/bulk-review</c> decides named tasks at once and answers for each.
/// </summary>
internal static class ImportReviews
{
    private const int MaxImports = 1000;
    private static readonly string[] Known = ["import_ids", "importIds", "action", "reason", "overrides"];

    public static void MapImportReviews(this WebApplication app, RouteGroupBuilder batches)
    {
        batches.MapPost("/{id}/approve-all", (HttpContext http, string id, CancellationToken ct) => DecideAllAsync(http, id, ReviewActions.Approve, ct)).WithMetadata(CreatesOnce.Mark);
        batches.MapPost("/{id}/reject-all", (HttpContext http, string id, CancellationToken ct) => DecideAllAsync(http, id, ReviewActions.Reject, ct)).WithMetadata(CreatesOnce.Mark);
        app.MapPost("/v1/admin/imports/bulk-review", DecideSomeAsync);
    }

    private static async Task<IResult> DecideAllAsync(HttpContext http, string id, string action, CancellationToken ct)
    {
        if (await http.RequestServices.GetRequiredService<BatchQueries>().FindByAnyIdAsync(http.User.Scope(), id, ct) is not { Draft: false } batch) return Batches.Unknown(id);
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var reason = body is null ? null : JsonFields.Read(() => ActRequest.Read(body.RootElement, ["reason"], batch)).Reason;
        // Clients of this family send no reason, and a rejection needs one.
        if (action == ReviewActions.Reject) reason ??= "Rejected with its batch.";
        var bulk = await http.RequestServices.GetRequiredService<BulkReviews>().StartAsync(http.Actor(Permission.Review) with { Reason = reason }, new(Batch: batch.PublicId), action, ct);
        http.Response.Headers.Location = $"/api/v1/review/bulk/{bulk.PublicId}";
        return Wire.Answer(new
        {
            Id = bulk.PublicId, BatchId = batch.Uuid, Action = action.ToUpperInvariant(), Status = bulk.State == "done" ? ImportWords.Succeeded : ImportWords.Running, bulk.Total, Processed = bulk.Decided + bulk.PassedOver,
        }, StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> DecideSomeAsync(HttpContext http, ReviewQueries reviews, ReviewDesk desk, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var asked = JsonFields.Read(() => Read(body.RootElement));
        var actor = http.Actor(Permission.Review) with { Reason = asked.Reason };
        var results = new List<ImportReviewed>(asked.Imports.Count);
        foreach (var import in asked.Imports)
        {
            var problem = await DecideAsync(reviews, desk, http.User.Scope(), actor, import, asked.Approve, ct);
            results.Add(new(import, problem is not null ? "ERROR" : asked.Approve ? "APPROVED" : "REJECTED", problem));
        }
        var failed = results.Count(r => r.Error is not null);
        return Wire.Answer(new { Total = results.Count, Succeeded = results.Count - failed, Failed = failed, Results = results });
    }

    // Null where it was decided; else why it was not.
    private static async Task<string?> DecideAsync(ReviewQueries reviews, ReviewDesk desk, Scope scope, Actor actor, string import, bool approve, CancellationToken ct)
    {
        if (!import.StartsWith("item_", StringComparison.Ordinal) || !long.TryParse(import.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var item)
            || await reviews.LatestOfAsync(scope, item, ct) is not { } asked) return "There is no such import that anybody was asked about.";
        var result = approve ? await desk.ApproveAsync(actor, asked.Review, asked.Version, ct) : await desk.RejectAsync(actor, asked.Review, asked.Version, ct);
        return result.Outcome == ReviewOutcome.Done ? null : result.Message;
    }

    private static (IReadOnlyList<string> Imports, bool Approve, string Reason) Read(JsonElement body)
    {
        foreach (var member in body.EnumerateObject())
            if (!Known.Contains(member.Name)) throw FamilyRequest.Unknown(member.Name, "import_ids, action, reason, overrides");
        if (!body.TryGetProperty("import_ids", out var ids) && !body.TryGetProperty("importIds", out ids)) throw FamilyRequest.Invalid("import_ids is missing: ids of tasks, such as item_17.");
        var imports = JsonFields.List("import_ids", ids, (name, value) => JsonFields.Text(name, value, 100));
        if (imports.Count is 0 or > MaxImports) throw FamilyRequest.Invalid($"import_ids must name 1 to {MaxImports:N0} tasks.");
        // Links are chosen review by review, where somebody sees what they are chosen for.
        if (body.TryGetProperty("overrides", out var overrides) && overrides.ValueKind != JsonValueKind.Null && !(overrides.ValueKind == JsonValueKind.Object && !overrides.EnumerateObject().Any()))
            throw FamilyRequest.Invalid("overrides cannot be given for many at once: choose entities at /api/v1/review/{id}/decide.");
        var action = body.TryGetProperty("action", out var word) ? JsonFields.Text("action", word, 20) : throw FamilyRequest.Invalid("action is missing: APPROVE or REJECT.");
        if (action is not ("APPROVE" or "REJECT")) throw FamilyRequest.Invalid("action must be APPROVE or REJECT.");
        var reason = body.TryGetProperty("reason", out var why) ? JsonFields.OptionalText("reason", why, 1000) : null;
        return (imports, action == "APPROVE", string.IsNullOrWhiteSpace(reason) ? action == "APPROVE" ? "Approved with others." : "Rejected with others." : reason.Trim());
    }

    /// <param name="Error">Why it was not decided; null where it was.</param>
    internal sealed record ImportReviewed(string ImportId, string Status, string? Error);
}

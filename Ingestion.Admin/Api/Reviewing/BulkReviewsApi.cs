using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary><c>/api/v1/review/bulk</c>: one decision over everything that a filter finds; first as a dry run, then as a job with progress.</summary>
internal static class BulkReviewsApi
{
    private const int MaxListed = 200;
    private static readonly string[] Known = ["action", "reason", "filter", "total", "dry_run"];

    public static void MapBulkReviews(this RouteGroupBuilder review)
    {
        review.MapPost("/bulk", StartAsync).WithMetadata(CreatesOnce.Mark);
        review.MapGet("/bulk", async (HttpContext http, BulkReviews bulks, int? skip, int? take, CancellationToken ct) =>
        {
            var page = await bulks.ListAsync(http.User.Scope(), Paging.Skip(skip), Paging.Take(take, 50, MaxListed), ct);
            return Wire.Answer(new { Bulks = page.Rows.Select(ReviewAnswers.Of), page.Total });
        });
        review.MapGet("/bulk/{id}", async (HttpContext http, string id, BulkReviews bulks, CancellationToken ct) =>
            await bulks.FindAsync(http.User.Scope(), id.Replace('\0', '\uFFFD'), ct) is { } found ? Tagged.Answer(http, ReviewAnswers.Of(found)) : AccessApi.None());
    }

    private static async Task<IResult> StartAsync(HttpContext http, BulkReviews bulks, ReviewQueries reviews, BulkPreviews previews, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var asked = JsonFields.Read(() => Read(body.RootElement));
        var scope = http.User.Scope();
        if (asked.DryRun) return Wire.Answer(Of(asked.Action, await previews.OfAsync(scope, asked.Filter, ct)));
        if (asked.Total is not null)
        {
            var total = await reviews.CountAsync(scope, asked.Filter, ct);
            if (total != asked.Total) return Results.Problem($"The filter finds {total:N0} reviews now, not {asked.Total:N0}. Look again, then decide.", statusCode: StatusCodes.Status409Conflict, extensions: new Dictionary<string, object?> { ["total"] = total });
        }
        var bulk = await bulks.StartAsync(http.Actor(Permission.Review) with { Reason = asked.Reason }, asked.Filter, asked.Action, ct);
        http.Response.Headers.Location = $"/api/v1/review/bulk/{bulk.PublicId}";
        return Wire.Answer(ReviewAnswers.Of(bulk), StatusCodes.Status202Accepted);
    }

    private static object Of(string action, BulkPreview preview) => new
    {
        DryRun = true, Action = action, preview.Total, preview.Unsure, preview.OfOthers,
        Reasons = preview.Reasons.Select(c => new { Reason = c.Word, c.Count }),
        Collections = preview.Collections.Select(c => new { Collection = c.Word, c.Count }),
        Fields = preview.Fields.Select(f => new { f.Field, f.Values, Most = f.Most.Select(c => new { Value = c.Word, c.Count }) }),
        LeastSure = preview.LeastSure.Select(ReviewAnswers.Of),
        Samples = preview.Samples.Select(ReviewAnswers.Of),
    };

    private static Asked Read(JsonElement body)
    {
        foreach (var member in body.EnumerateObject())
            if (!Known.Contains(member.Name)) throw Invalid($"{JsonFields.Shown(member.Name)} is not known here. Known are: {string.Join(", ", Known)}.");
        // Everything at once is possible, and has to be said.
        if (!body.TryGetProperty("filter", out var filter)) throw Invalid("filter is missing: which open reviews are meant. An empty object means all of them.");
        var action = body.TryGetProperty("action", out var word) ? JsonFields.Text("action", word, 100) : throw Invalid("action is missing: approve or reject.");
        if (action is not (ReviewActions.Approve or ReviewActions.Reject)) throw Invalid("action must be approve or reject.");
        var reason = body.TryGetProperty("reason", out var why) && JsonFields.OptionalText("reason", why, 1000) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
        var dry = body.TryGetProperty("dry_run", out var flag) && JsonFields.Flag("dry_run", flag);
        int? total = !body.TryGetProperty("total", out var seen) ? null : seen.ValueKind == JsonValueKind.Number && seen.TryGetInt32(out var number) ? number : throw Invalid("total must be the number that the dry run told.");
        if (!dry && action == ReviewActions.Reject && reason is null) throw Invalid("reason is missing: say why they are rejected.");
        return new(ReviewAsked.Read("filter", filter), action, reason, total, dry);
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);

    /// <param name="Total">How many reviews the caller means; null where it is all the same.</param>
    private sealed record Asked(ReviewFilter Filter, string Action, string? Reason, int? Total, bool DryRun);
}

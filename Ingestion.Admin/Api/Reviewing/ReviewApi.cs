using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary><c>/api/v1/review</c>: what waits for people, what they decided, and deciding.</summary>
internal static class ReviewApi
{
    private const int MaxPage = 1000;

    public static WebApplication MapReview(this WebApplication app)
    {
        var review = app.MapGroup("/api/v1/review");
        review.MapGet("/", ListAsync);
        review.MapGet("/counts", CountsAsync);
        review.MapGet("/{id:long}", FindAsync);
        review.MapPost("/{id:long}/decide", DecideAsync);
        review.MapPost("/assign", AssignAsync);
        review.MapBulkReviews();
        review.MapReviewFiles();
        review.MapRecords();
        review.MapLists();
        review.MapRules();
        return app;
    }

    private static async Task<IResult> ListAsync(HttpContext http, ReviewQueries reviews, [AsParameters] ReviewAsked asked, string? sort, int? skip, int? take, CancellationToken ct)
    {
        var order = sort switch
        {
            null or "" or "oldest" => ReviewOrder.Oldest,
            "newest" => ReviewOrder.Newest,
            "least_sure" => ReviewOrder.LeastSure,
            "most_sure" => ReviewOrder.MostSure,
            "worst_quality" => ReviewOrder.WorstQuality,
            _ => throw new IngestionException(ErrorCodes.InvalidOption, "sort must be one of oldest, newest, least_sure, most_sure, worst_quality."),
        };
        var page = await reviews.ListAsync(http.User.Scope(), asked.Filter(), order, Paging.Skip(skip), Paging.Take(take, 50, MaxPage), ct);
        return Wire.Answer(new { Reviews = page.Rows.Select(ReviewAnswers.Of), page.Total });
    }

    private static async Task<IResult> CountsAsync(HttpContext http, ReviewQueries reviews, [AsParameters] ReviewAsked asked, CancellationToken ct)
    {
        var (scope, filter) = (http.User.Scope(), asked.Filter());
        return Wire.Answer(new { Reasons = (await reviews.ReasonsAsync(scope, filter, ct)).Select(c => new { Reason = c.Word, c.Count }), Total = await reviews.CountAsync(scope, filter, ct) });
    }

    private static async Task<IResult> FindAsync(HttpContext http, long id, ReviewQueries reviews, CancellationToken ct) =>
        await reviews.FindAsync(http.User.Scope(), id, ct) is { } found ? Tagged.Answer(http, ReviewAnswers.Of(found)) : ReviewAnswers.Unknown(id);

    private static async Task<IResult> DecideAsync(HttpContext http, long id, ReviewQueries reviews, ReviewDesk desk, CancellationToken ct)
    {
        // Said before the body is looked at: what is out of reach is not there.
        if (await reviews.FindAsync(http.User.Scope(), id, ct) is null) return ReviewAnswers.Unknown(id);
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var decision = JsonFields.Read(() => DecisionRequest.Read(body.RootElement));
        var result = await decision.ApplyAsync(desk, http.Actor(Permission.Review), id, ct);
        if (result.Outcome == ReviewOutcome.NotFound || await reviews.FindAsync(http.User.Scope(), id, ct) is not { } after) return ReviewAnswers.Unknown(id);
        return result.Outcome switch
        {
            ReviewOutcome.Done => Wire.Answer(new { result.Message, Review = ReviewAnswers.Of(after) }),
            ReviewOutcome.Conflict => Meanwhile(result, after),
            _ => Wire.Refuse(StatusCodes.Status422UnprocessableEntity, result.Message),
        };
    }

    private static async Task<IResult> AssignAsync(HttpContext http, ReviewAssignments assignments, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var (filter, to) = JsonFields.Read(() => AssignmentRequest.Read(body.RootElement));
        var actor = http.Actor(Permission.Review);
        return Wire.Answer(new { Assigned = await assignments.AssignAsync(actor, filter, to == AssignmentRequest.Me ? actor.Name : to, ct) });
    }

    // With what the other did, so that a program can show it and ask again.
    private static IResult Meanwhile(ReviewResult result, ReviewDetail after) => Results.Problem(result.Message, statusCode: StatusCodes.Status409Conflict, extensions: new Dictionary<string, object?>
    {
        ["version"] = after.Review.Version, ["state"] = after.Review.State, ["decided_by"] = after.Review.DecidedBy, ["decided_at"] = after.Review.DecidedAt,
        ["last_action"] = after.Decisions.Count > 0 ? after.Decisions[^1].Action : null, ["last_by"] = after.Decisions.Count > 0 ? after.Decisions[^1].By : null,
    });
}

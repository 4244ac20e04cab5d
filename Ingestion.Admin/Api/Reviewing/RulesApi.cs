using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Core.Review.Rules;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary><c>/api/v1/review/rules</c>: what picks teach. A rule is made, tried, switched on and off; each change names the <c>version</c> that was seen.</summary>
internal static class RulesApi
{
    private const int MaxPage = 500;
    private const int Longest = 500;

    public static void MapRules(this RouteGroupBuilder review)
    {
        review.MapGet("/rules", ListAsync);
        review.MapPost("/rules", CreateAsync).WithMetadata(CreatesOnce.Mark);
        review.MapGet("/rules/{id:long}", async (HttpContext http, long id, ReviewRules rules, CancellationToken ct) =>
            await rules.FindAsync(http.User.Scope(), id, ct) is { } rule ? Tagged.Answer(http, View(rule, await rules.ChangesAsync(http.User.Scope(), id, ct))) : Unknown(id));
        review.MapGet("/rules/{id:long}/trial", async (HttpContext http, long id, RuleTrials trials, CancellationToken ct) =>
            await trials.RunAsync(http.User.Scope(), id, ct) is { } trial ? Wire.Answer(View(trial)) : Unknown(id));
        review.MapPost("/rules/{id:long}/start", (HttpContext http, long id, ReviewRules rules, CancellationToken ct) =>
            ChangeAsync(http, id, rules, ["version", "reason", "apply_to_open"], (actor, asked) => rules.StartAsync(actor, id, asked.Version, asked.ApplyToOpen, ct), ct));
        review.MapPost("/rules/{id:long}/stop", (HttpContext http, long id, ReviewRules rules, CancellationToken ct) =>
            ChangeAsync(http, id, rules, ["version", "reason"], (actor, asked) => rules.StopAsync(actor, id, asked.Version, ct), ct));
    }

    private static async Task<IResult> ListAsync(HttpContext http, ReviewRules rules, string? collection, string? state, int? skip, int? take, CancellationToken ct)
    {
        if (state is { Length: > 0 } && !RuleStates.All.Contains(state)) throw Invalid($"state must be one of {string.Join(", ", RuleStates.All)}.");
        var page = await rules.ListAsync(http.User.Scope(), Plain(collection), Plain(state), Paging.Skip(skip), Paging.Take(take, 50, MaxPage), ct);
        return Wire.Answer(new { Rules = page.Rows.Select(r => View(r)), page.Total });
    }

    private static async Task<IResult> CreateAsync(HttpContext http, ReviewRules rules, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        Known(body.RootElement, ["review", "field", "kind"]);
        var review = body.RootElement.TryGetProperty("review", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var id) ? id : throw Invalid("review must be the number of the review in which the entity was picked.");
        var kind = AccessApi.Required(body, "kind", Longest);
        if (!RuleKinds.All.Contains(kind)) throw Invalid($"kind must be one of {string.Join(", ", RuleKinds.All)}.");
        var (made, result) = await rules.CreateAsync(http.Actor(Permission.Review), review, AccessApi.Required(body, "field", Longest), kind, ct);
        if (result.Outcome == ReviewOutcome.NotFound) return ReviewAnswers.Unknown(review);
        if (made is null || await rules.FindAsync(http.User.Scope(), made.Value, ct) is not { } rule) return Wire.Refuse(StatusCodes.Status422UnprocessableEntity, result.Message);
        http.Response.Headers.Location = $"/api/v1/review/rules/{rule.Id}";
        return Wire.Answer(View(rule), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ChangeAsync(HttpContext http, long id, ReviewRules rules, string[] known, Func<Actor, Asked, Task<ReviewResult>> change, CancellationToken ct)
    {
        // Said before the body is looked at: what is out of reach is not there.
        if (await rules.FindAsync(http.User.Scope(), id, ct) is null) return Unknown(id);
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var asked = JsonFields.Read(() => Read(body.RootElement, known));
        var result = await change(http.Actor(Permission.Review) with { Reason = asked.Reason }, asked);
        return result.Outcome switch
        {
            ReviewOutcome.NotFound => Unknown(id),
            ReviewOutcome.Conflict => Results.Problem(result.Message, statusCode: StatusCodes.Status409Conflict, extensions: new Dictionary<string, object?> { ["version"] = result.Version }),
            ReviewOutcome.Refused => Wire.Refuse(StatusCodes.Status422UnprocessableEntity, result.Message),
            _ => await rules.FindAsync(http.User.Scope(), id, ct) is { } after ? Wire.Answer(new { result.Message, Rule = View(after) }) : Unknown(id),
        };
    }

    private static Asked Read(JsonElement body, string[] known)
    {
        Known(body, known);
        if (!body.TryGetProperty("version", out var seen) || seen.ValueKind != JsonValueKind.Number || !seen.TryGetInt32(out var version)) throw Invalid("version must be the number that the rule had when you looked at it.");
        var reason = body.TryGetProperty("reason", out var why) ? JsonFields.OptionalText("reason", why, 1000) : null;
        return new(version, string.IsNullOrWhiteSpace(reason) ? null : reason.Trim(), body.TryGetProperty("apply_to_open", out var apply) && JsonFields.Flag("apply_to_open", apply));
    }

    private static void Known(JsonElement body, string[] known)
    {
        foreach (var member in body.EnumerateObject())
            if (!known.Contains(member.Name)) throw Invalid($"{JsonFields.Shown(member.Name)} is not known here. Known are: {string.Join(", ", known)}.");
    }

    private static object View(ReviewRule r, IReadOnlyList<RuleChange>? changes = null) => new
    {
        r.Id, r.Version, r.Collection, r.Kind, r.Field, r.EntityType, r.Value, r.Entity, r.EntityName, r.State, r.Reason, r.Applying, r.CreatedBy, r.CreatedAt, r.ChangedBy, r.ChangedAt, Figures = View(r.Figures),
        Changes = changes?.Select(c => new { c.State, c.By, c.Reason, Figures = c.Figures is { } figures ? View(figures) : null, c.At }),
    };

    private static object View(RuleFigures f) => new { f.Passed, f.Sampled, f.Looked, f.Wrong, Error = f.Error is { } error ? new { error.Rate, error.Low, error.High } : null };

    private static object View(RuleTrial t) => new { t.Sentence, t.Open, t.OpenPassing, Samples = t.Samples.Select(ReviewAnswers.Of), t.WouldApprove, t.Agreed, t.Rejected, t.Otherwise };

    private static IResult Unknown(long id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no rule {id}.");

    // A query can carry U+0000, which the database takes in no text.
    private static string? Plain(string? text) => string.IsNullOrEmpty(text) ? null : text.Replace('\0', '\uFFFD');

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);

    private sealed record Asked(int Version, string? Reason, bool ApplyToOpen);
}

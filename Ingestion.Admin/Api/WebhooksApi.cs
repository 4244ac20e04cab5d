using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/webhooks</c>: who is told of batches, what was sent, and sending it again. A secret is told once, when it is made; the body
/// of a receiver's answer is told to nobody.
/// </summary>
internal static class WebhooksApi
{
    private const int MaxUrl = 8000;

    public static WebApplication MapWebhooks(this WebApplication app)
    {
        var webhooks = app.MapGroup("/api/v1/webhooks");
        webhooks.MapGet("/", async (HttpContext http, WebhookQueries queries, CancellationToken ct) => Wire.Answer(new { Webhooks = (await queries.ListAsync(http.User.Scope(), ct)).Select(View) }));
        webhooks.MapPost("/", CreateAsync);
        webhooks.MapGet("/{id}", async (HttpContext http, string id, WebhookQueries queries, CancellationToken ct) => await queries.FindAsync(http.User.Scope(), Plain(id), ct) is { } found ? Wire.Answer(View(found)) : AccessApi.None());
        webhooks.MapDelete("/{id}", (HttpContext http, string id, WebhookDesk desk, CancellationToken ct) => DoneAsync(desk.RemoveAsync(http.Actor(Permission.Administer), Plain(id), ct)));
        foreach (var (verb, disabled) in new[] { ("disable", true), ("enable", false) })
            webhooks.MapPost($"/{{id}}/{verb}", (HttpContext http, string id, WebhookDesk desk, CancellationToken ct) => DoneAsync(desk.SetDisabledAsync(http.Actor(Permission.Administer), Plain(id), disabled, ct)));
        webhooks.MapPost("/{id}/rotate", async (HttpContext http, string id, WebhookDesk desk, CancellationToken ct) =>
            await desk.RotateAsync(http.Actor(Permission.Administer), Plain(id), ct) is { } secret ? Wire.Answer(new { Secret = secret }) : AccessApi.None());
        webhooks.MapPost("/{id}/test", async (HttpContext http, string id, WebhookDesk desk, CancellationToken ct) =>
            await desk.TestAsync(http.Actor(Permission.Administer), Plain(id), ct) is { } delivery ? Wire.Answer(new { Id = delivery }, StatusCodes.Status202Accepted) : AccessApi.None());
        webhooks.MapGet("/{id}/deliveries", DeliveriesAsync);
        webhooks.MapGet("/{id}/deliveries/{delivery}", AttemptsAsync);
        webhooks.MapPost("/{id}/deliveries/{delivery}/redeliver", (HttpContext http, string id, string delivery, WebhookDesk desk, CancellationToken ct) =>
            DoneAsync(desk.RedeliverAsync(http.Actor(Permission.Administer), Plain(id), Plain(delivery), ct)));
        return app;
    }

    /// <summary>Reads a webhook's members; throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
    /// <param name="name">How the object is called in sentences.</param>
    internal static NewWebhook Read(string name, JsonElement value)
    {
        var webhook = new NewWebhook("");
        foreach (var member in JsonFields.Members(name, value))
            webhook = member.Name switch
            {
                "url" => webhook with { Url = JsonFields.Text("url", member.Value, MaxUrl) },
                "events" => webhook with { Events = member.Value.ValueKind == JsonValueKind.Null ? null : JsonFields.List("events", member.Value, (n, v) => JsonFields.Text(n, v, 100)) },
                "description" => webhook with { Description = JsonFields.OptionalText("description", member.Value, 1000) },
                "secret" => webhook with { Secret = JsonFields.OptionalText("secret", member.Value, 200) },
                "concurrency" => webhook with { Concurrency = (int)Math.Clamp(JsonFields.Id("concurrency", member.Value), 0, 100) },
                _ => throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(member.Name)} is not known here. Known are: url, events, description, secret, concurrency."),
            };
        return webhook.Url.Length > 0 ? webhook : throw new IngestionException(ErrorCodes.InvalidOption, "url is missing: the https address that is to be told.");
    }

    /// <summary>The endpoint that a submission names as its <c>webhook</c>, an address or an object, and its secret; null where it names none.</summary>
    internal static (PreparedWebhook Endpoint, string Secret)? Of(HttpContext http, JsonElement submission)
    {
        if (submission.ValueKind != JsonValueKind.Object || !submission.TryGetProperty("webhook", out var asked) || asked.ValueKind == JsonValueKind.Null) return null;
        var webhook = JsonFields.Read(() => asked.ValueKind == JsonValueKind.String ? new NewWebhook(JsonFields.Text("webhook", asked, MaxUrl)) : Read("webhook", asked));
        return http.RequestServices.GetRequiredService<WebhookDesk>().Prepare(http.Actor(), webhook);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, WebhookDesk desk, WebhookQueries queries, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var (id, secret) = await desk.CreateAsync(http.Actor(Permission.Administer), JsonFields.Read(() => Read("The body", body.RootElement)), ct);
        http.Response.Headers.Location = $"/api/v1/webhooks/{id}";
        var made = await queries.FindAsync(http.User.Scope(), id, ct);
        return Wire.Answer(new { Id = id, made?.Url, made?.Events, made?.Description, made?.Concurrency, Secret = secret }, StatusCodes.Status201Created);
    }

    private static async Task<IResult> DeliveriesAsync(HttpContext http, string id, WebhookQueries queries, string? state, int? skip, int? take, CancellationToken ct)
    {
        if (await queries.FindAsync(http.User.Scope(), Plain(id), ct) is null) return AccessApi.None();
        DeliveryState? wanted = string.IsNullOrEmpty(state) ? null : JsonFields.Word<DeliveryState>("state", state);
        var page = await queries.DeliveriesAsync(http.User.Scope(), Plain(id), wanted, Math.Max(0, skip ?? 0), Math.Clamp(take ?? 50, 1, 500), ct);
        return Wire.Answer(new { Deliveries = page.Rows.Select(View), page.Total });
    }

    private static async Task<IResult> AttemptsAsync(HttpContext http, string id, string delivery, WebhookQueries queries, CancellationToken ct) =>
        await queries.AttemptsAsync(http.User.Scope(), Plain(id), Plain(delivery), ct) is { } attempts ? Wire.Answer(new { Attempts = attempts }) : AccessApi.None();

    private static async Task<IResult> DoneAsync(Task<bool> act) => await act ? Results.NoContent() : AccessApi.None();

    // A path can carry U+0000, which the database takes in no text.
    private static string Plain(string text) => text.Replace('\0', '\uFFFD');

    private static object View(WebhookView w) => new
    {
        w.Id, w.Url, w.Events, w.Description, w.Concurrency, w.Batch, w.CreatedBy, w.CreatedAt, Enabled = w.DisabledAt is null, w.DisabledAt, w.DisabledReason, w.PreviousSecretUntil,
        Deliveries = new { w.Pending, w.Delivered, w.Dead },
    };

    private static object View(DeliveryView d) => new { d.Id, d.Event, d.Batch, d.Run, State = d.State.Word(), d.Attempt, d.NextAt, d.LastStatus, d.LastError, d.CreatedAt, d.EndedAt, Payload = JsonSerializer.Deserialize<JsonElement>(d.Payload) };
}

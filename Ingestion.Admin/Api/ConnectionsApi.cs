using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/connections</c> and <c>/api/v1/source-kinds</c>: places that documents are taken from, and when. Secrets are written here and never
/// answered.
/// </summary>
internal static class ConnectionsApi
{
    private const int MaxRuns = 100;
    private const int MaxGone = 1000;

    public static WebApplication MapConnections(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1");
        api.MapGet("/source-kinds", () => Wire.Answer(new { Kinds = SourceKinds.All.Select(View) }));
        api.MapGet("/connections", async (HttpContext http, SourceConnections connections, CancellationToken ct) =>
            Wire.Answer(new { Connections = (await connections.ListAsync(http.User.Scope(), ct)).Select(View) }));
        api.MapPost("/connections", CreateAsync).WithMetadata(CreatesOnce.Mark);
        api.MapGet("/connections/{id}", async (HttpContext http, string id, SourceConnections connections, CancellationToken ct) =>
            await connections.FindAsync(http.User.Scope(), id, ct) is { } found ? Wire.Answer(View(found)) : AccessApi.None());
        api.MapPut("/connections/{id}", ChangeAsync);
        api.MapDelete("/connections/{id}", async (HttpContext http, string id, SourceConnections connections, CancellationToken ct) =>
            await connections.DeleteAsync(http.Actor(Permission.Administer), id, ct) ? Results.NoContent() : AccessApi.None());
        api.MapPost("/connections/{id}/test", async (HttpContext http, string id, ConnectionTests tests, CancellationToken ct) =>
            await tests.RunAsync(http.Actor(Permission.Administer), id, ct) is { } result ? Wire.Answer(new { Works = result.Done, result.Message }) : AccessApi.None());
        api.MapPut("/connections/{id}/schedule", ScheduleAsync);
        api.MapDelete("/connections/{id}/schedule", async (HttpContext http, string id, Schedules schedules, CancellationToken ct) =>
            await schedules.SetAsync(http.Actor(Permission.Administer), id, null, "UTC", Collection.DefaultKey, ct) ? Results.NoContent() : AccessApi.None());
        api.MapPost("/connections/{id}/sync", SyncAsync).WithMetadata(CreatesOnce.Mark);
        api.MapGet("/connections/{id}/runs", async (HttpContext http, string id, SourceConnections connections, Syncs syncs, int? take, CancellationToken ct) =>
            await connections.FindAsync(http.User.Scope(), id, ct) is null ? AccessApi.None()
                : Wire.Answer(new { Runs = await syncs.RunsAsync(http.User.Scope(), id, Math.Clamp(take ?? 20, 1, MaxRuns), ct) }));
        api.MapGet("/connections/{id}/gone", async (HttpContext http, string id, SourceConnections connections, Syncs syncs, int? take, CancellationToken ct) =>
            await connections.FindAsync(http.User.Scope(), id, ct) is null ? AccessApi.None()
                : Wire.Answer(new { Documents = await syncs.GoneAsync(http.User.Scope(), id, Math.Clamp(take ?? 100, 1, MaxGone), ct) }));
        api.MapPost("/connections/{id}/gone/remove", async (HttpContext http, string id, Syncs syncs, CancellationToken ct) =>
            await syncs.RemoveGoneAsync(http.Actor(), id, ct) is { } removed ? Wire.Answer(new { Removed = removed }) : AccessApi.None());
        api.MapGet("/batches/{id}/dead-links", async (HttpContext http, string id, BatchQueries batches, Syncs syncs, int? take, CancellationToken ct) =>
            await batches.FindAsync(http.User.Scope(), id, ct) is { } batch
                ? Wire.Answer(new { Links = await syncs.DeadLinksAsync(http.User.Scope(), batch.Id, Math.Clamp(take ?? 100, 1, MaxGone), ct) })
                : AccessApi.None());
        return app;
    }

    private static async Task<IResult> CreateAsync(HttpContext http, SourceConnections connections, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        Known(body, "kind", "key", "name", "settings");
        var request = new NewConnection(AccessApi.Required(body, "kind", 100), AccessApi.Required(body, "key", 100), AccessApi.Required(body, "name", 200), Settings(body));
        var key = await connections.CreateAsync(http.Actor(Permission.Administer), request, ct);
        http.Response.Headers.Location = $"/api/v1/connections/{key}";
        return await connections.FindAsync(http.User.Scope(), key, ct) is { } made ? Wire.Answer(View(made), StatusCodes.Status201Created) : AccessApi.None();
    }

    private static async Task<IResult> ChangeAsync(HttpContext http, string id, SourceConnections connections, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        if (await connections.FindAsync(http.User.Scope(), id, ct) is null) return AccessApi.None();
        Known(body, "name", "settings", "disabled");
        var change = new ConnectionChange(
            body.RootElement.TryGetProperty("name", out _) ? AccessApi.Required(body, "name", 200) : null, Settings(body),
            body.RootElement.TryGetProperty("disabled", out var disabled) ? JsonFields.Flag("disabled", disabled) : null);
        if (!await connections.ChangeAsync(http.Actor(Permission.Administer), id, change, ct)) return AccessApi.None();
        return await connections.FindAsync(http.User.Scope(), id, ct) is { } changed ? Wire.Answer(View(changed)) : AccessApi.None();
    }

    private static async Task<IResult> ScheduleAsync(HttpContext http, string id, SourceConnections connections, Schedules schedules, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        if (await connections.FindAsync(http.User.Scope(), id, ct) is null) return AccessApi.None();
        Known(body, "schedule", "zone", "collection");
        var zone = body.RootElement.TryGetProperty("zone", out _) ? AccessApi.Required(body, "zone", 100) : "UTC";
        var collection = body.RootElement.TryGetProperty("collection", out _) ? AccessApi.Required(body, "collection", 200) : Collection.DefaultKey;
        if (!await schedules.SetAsync(http.Actor(Permission.Administer), id, AccessApi.Required(body, "schedule", 200), zone, collection, ct)) return AccessApi.None();
        return await connections.FindAsync(http.User.Scope(), id, ct) is { } set ? Wire.Answer(View(set)) : AccessApi.None();
    }

    private static async Task<IResult> SyncAsync(HttpContext http, string id, Syncs syncs, BatchQueries batches, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var collection = body is { RootElement.ValueKind: JsonValueKind.Object } && body.RootElement.TryGetProperty("collection", out _) ? AccessApi.Required(body, "collection", 200) : null;
        if (await syncs.StartAsync(http.Actor(), id, collection, ct) is not { } begun) return AccessApi.None();
        http.Response.Headers.Location = $"/api/v1/batches/{begun.PublicId}";
        return await batches.FindAsync(http.User.Scope(), begun.PublicId, ct) is { } batch ? Wire.Answer(await BatchAnswers.OfAsync(http, batch, ct), StatusCodes.Status201Created) : AccessApi.None();
    }

    private static JsonElement? Settings(JsonDocument body) => body.RootElement.TryGetProperty("settings", out var settings) ? settings : null;

    private static void Known(JsonDocument body, params string[] names)
    {
        JsonFields.RequireStorable(body.RootElement);
        if (body.RootElement.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => !names.Contains(n)) is { } other)
            throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(other)} is not known here. Known are: {string.Join(", ", names)}.");
    }

    private static object View(SourceKind kind) => new
    {
        SourceType = kind.Word, kind.Title, kind.Text, Needs = kind.Need.ToString().ToLowerInvariant(), Settings = kind.Settings.Select(View), Options = kind.Options.Select(View),
    };

    private static object View(SourceField field) => new { field.Name, Type = field.Type.ToString().ToLowerInvariant(), field.Label, field.Help, field.Required, field.Default };

    private static object View(ConnectionView c) => new
    {
        ConnectionId = c.Key, SourceType = c.Kind, c.Name, Settings = JsonSerializer.Deserialize<JsonElement>(c.Settings), c.CreatedBy, c.CreatedAt, Disabled = c.DisabledAt is not null,
        c.Schedule, Zone = c.ScheduleZone, c.Collection, c.NextRunAt, c.ScheduleNote, c.LastRunAt, c.TestedAt, c.TestProblem,
    };
}

using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/me</c>, <c>keys</c>, <c>sessions</c>, <c>users</c>, <c>invitations</c>, <c>secrets</c> and <c>tenants</c>: who may do what, for programs.
/// What belongs to another tenant or person is answered like what does not exist.
/// </summary>
internal static class AccessApi
{
    public static WebApplication MapAccess(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1");
        api.MapGet("/me", MeAsync);
        api.MapPost("/me/tenant", SwitchAsync);
        api.MapGet("/keys", KeysAsync);
        api.MapPost("/keys", CreateKeyAsync).WithMetadata(CreatesOnce.Mark);
        api.MapDelete("/keys/{id}", RevokeKeyAsync);
        api.MapGet("/sessions", SessionsAsync);
        api.MapDelete("/sessions/{id}", EndSessionAsync);
        api.MapUsers();
        api.MapGet("/secrets", async (HttpContext http, SecretBox secrets, CancellationToken ct) => Wire.Answer(new { Secrets = await secrets.ListAsync(http.User.TenantId(), ct) }));
        api.MapPut("/secrets/{**name}", SetSecretAsync);
        api.MapDelete("/secrets/{**name}", async (HttpContext http, string name, SecretBox secrets, CancellationToken ct) =>
            await secrets.RemoveAsync(http.Actor(SecretBox.Needs(name)), name, ct) ? Results.NoContent() : None());
        api.MapGet("/tenants", async (Tenants tenants, CancellationToken ct) => Wire.Answer(new { Tenants = await tenants.ListAsync(ct) }));
        api.MapPost("/tenants", CreateTenantAsync).WithMetadata(CreatesOnce.Mark);
        foreach (var (verb, disabled) in new[] { ("disable", true), ("enable", false) })
            api.MapPost($"/tenants/{{id}}/{verb}", async (HttpContext http, string id, Tenants tenants, CancellationToken ct) =>
                await tenants.SetDisabledAsync(http.Actor(Permission.Install), id, disabled, ct) ? Results.NoContent() : None());
        api.MapAudit();
        return app;
    }

    /// <summary>The answer for what the caller has not got.</summary>
    internal static IResult None() => Wire.Refuse(StatusCodes.Status404NotFound, "There is nothing of this id.");

    private static async Task<IResult> MeAsync(HttpContext http, Callers callers, CancellationToken ct)
    {
        var me = http.User.Facts()!;
        return Wire.Answer(new
        {
            me.Id, me.Name, Tenant = me.TenantId, Role = me.Role.Word(), me.Owner, Scope = me.Scope?.Word(),
            May = Enum.GetValues<Permission>().Where(me.May).Select(p => p.ToString().ToLowerInvariant()),
            Tenants = await callers.TenantsOfAsync(me.Id, ct),
        });
    }

    private static async Task<IResult> SwitchAsync(HttpContext http, Sessions sessions, Callers callers, CancellationToken ct)
    {
        using var body = await ObjectAsync(http.Request, ct);
        var tenant = Required(body, "tenant", 100);
        return http.User.Identity?.AuthenticationType == SessionHandler.SchemeName
            && await sessions.SwitchAsync(http.Actor(Permission.Read), http.User.Facts()!.CredentialId!, tenant, callers, ct) ? Results.NoContent() : None();
    }

    private static async Task<IResult> KeysAsync(HttpContext http, ApiKeys keys, CancellationToken ct) =>
        Wire.Answer(new { Keys = (await keys.ListAsync(http.User.TenantId(), Whose(http), ct)).Select(View) });

    private static async Task<IResult> CreateKeyAsync(HttpContext http, ApiKeys keys, Accounts accounts, CancellationToken ct)
    {
        using var body = await ObjectAsync(http.Request, ct);
        var scope = body.RootElement.TryGetProperty("scope", out var word) ? JsonFields.Word<KeyScope>("scope", word) : KeyScope.Read;
        var me = http.User.Facts()!;
        // A key makes no key that can do more than itself, and only people own keys.
        if (me.Scope is { } own && scope > own) return Wire.Refuse(StatusCodes.Status403Forbidden, "A key cannot make one that may do more.");
        if (await accounts.FindAsync(me.Id, ct) is null) return Wire.Refuse(StatusCodes.Status403Forbidden, "Keys belong to people: sign in, or send the key of a person.");
        DateTimeOffset? expires = !body.RootElement.TryGetProperty("expires_at", out var time) || time.ValueKind == JsonValueKind.Null ? null
            : time.TryGetDateTimeOffset(out var at) ? at : throw new IngestionException(ErrorCodes.InvalidOption, "expires_at must be a time such as 2030-01-15T10:30:00Z.");
        var (view, key) = await keys.CreateAsync(http.Actor(Permission.Read), Required(body, "name", 1000), scope, expires, ct);
        return Wire.Answer(new { view.Id, view.Name, view.Prefix, Scope = scope.Word(), view.ExpiresAt, Key = key }, StatusCodes.Status201Created);
    }

    private static async Task<IResult> RevokeKeyAsync(HttpContext http, string id, ApiKeys keys, CancellationToken ct) =>
        await keys.RevokeAsync(http.Actor(Permission.Read), id, http.User.May(Permission.Administer), ct) ? Results.NoContent() : None();

    private static async Task<IResult> SessionsAsync(HttpContext http, Sessions sessions, CancellationToken ct) =>
        Wire.Answer(new { Sessions = await sessions.ListAsync(http.User.TenantId(), Whose(http), ct) });

    private static async Task<IResult> EndSessionAsync(HttpContext http, string id, Sessions sessions, CancellationToken ct) =>
        await sessions.EndAsync(http.Actor(Permission.Read), id, http.User.May(Permission.Administer), ct) ? Results.NoContent() : None();

    private static async Task<IResult> SetSecretAsync(HttpContext http, string name, SecretBox secrets, CancellationToken ct)
    {
        using var body = await ObjectAsync(http.Request, ct);
        await secrets.SetAsync(http.Actor(SecretBox.Needs(name)), name, Required(body, "value", SecretBox.MaxLength), ct);
        return Results.NoContent();
    }

    private static async Task<IResult> CreateTenantAsync(HttpContext http, Tenants tenants, CancellationToken ct)
    {
        using var body = await ObjectAsync(http.Request, ct);
        var (id, name) = (Required(body, "id", 100), Required(body, "name", 1000));
        return await tenants.CreateAsync(http.Actor(Permission.Install), id, name, ct)
            ? Wire.Answer(new { Id = id, Name = name.Trim() }, StatusCodes.Status201Created)
            : Wire.Refuse(StatusCodes.Status409Conflict, $"There is a tenant {id} already.");
    }

    /// <summary>The body as an object; throws <c>invalid_option</c> where it is none.</summary>
    internal static async Task<JsonDocument> ObjectAsync(HttpRequest request, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(request, ct);
        if (json is not { RootElement.ValueKind: JsonValueKind.Object }) throw new IngestionException(ErrorCodes.InvalidOption, "Send a JSON object.");
        JsonFields.RequireText(json.RootElement);
        return json;
    }

    internal static string Required(JsonDocument body, string name, int longest) => body.RootElement.TryGetProperty(name, out var value)
        ? JsonFields.Read(() => JsonFields.Text(name, value, longest))
        : throw new IngestionException(ErrorCodes.InvalidOption, $"{name} is missing.");

    // Everybody's for administrators, one's own for others.
    private static string? Whose(HttpContext http) => http.User.May(Permission.Administer) ? null : http.User.Id();

    private static object View(ApiKeyView k) => new { k.Id, k.Name, k.Prefix, Scope = k.Scope.Word(), Account = k.AccountId, k.Person, k.CreatedAt, k.ExpiresAt, k.LastUsedAt };
}

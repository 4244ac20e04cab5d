using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Admin.Api;

/// <summary><c>/api/v1/users</c> and <c>/api/v1/invitations</c>: the people of the caller's tenant.</summary>
internal static class UsersApi
{
    public static void MapUsers(this RouteGroupBuilder api)
    {
        api.MapGet("/users", async (HttpContext http, Members members, CancellationToken ct) => Wire.Answer(new { Users = (await members.ListAsync(http.User.TenantId(), ct)).Select(View) }));
        api.MapPut("/users/{id}", SetRoleAsync);
        api.MapDelete("/users/{id}", (HttpContext http, string id, Members members, CancellationToken ct) => DoneAsync(http, id, members, actor => members.RemoveAsync(actor, id, ct), Permission.Administer, ct));
        foreach (var (verb, disabled) in new[] { ("disable", true), ("enable", false) })
            api.MapPost($"/users/{{id}}/{verb}", (HttpContext http, string id, Members members, CancellationToken ct) =>
                DoneAsync(http, id, members, actor => members.SetDisabledAsync(actor, id, disabled, ct), Permission.Install, ct));
        api.MapGet("/invitations", async (HttpContext http, Invitations invitations, CancellationToken ct) => Wire.Answer(new { Invitations = (await invitations.ListAsync(http.User.TenantId(), ct)).Select(View) }));
        api.MapPost("/invitations", InviteAsync).WithMetadata(CreatesOnce.Mark);
        api.MapDelete("/invitations/{id}", async (HttpContext http, string id, Invitations invitations, CancellationToken ct) =>
            await invitations.WithdrawAsync(http.Actor(Permission.Administer), id, ct) ? Results.NoContent() : AccessApi.None());
    }

    private static async Task<IResult> SetRoleAsync(HttpContext http, string id, Members members, Contexts contexts, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        if (await members.FindAsync(http.User.TenantId(), id, ct) is not { } member) return AccessApi.None();
        var (role, narrowing) = (member.Role, member.Narrowing);
        foreach (var part in body.RootElement.EnumerateObject())
            switch (part.Name)
            {
                case "role":
                    role = JsonFields.Word<Role>("role", part.Value);
                    break;
                case "collections":
                    narrowing = narrowing with { Collections = await CollectionsAsync(contexts, http.User.TenantId(), part.Value, ct) };
                    break;
                case "connections":
                    narrowing = narrowing with { Connections = part.Value.ValueKind == JsonValueKind.Null ? null : JsonFields.List("connections", part.Value, (n, v) => JsonFields.Text(n, v, 200)) };
                    break;
                case "own_batches":
                    narrowing = narrowing with { OwnBatches = JsonFields.Flag("own_batches", part.Value) };
                    break;
                default:
                    throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(part.Name)} is not known here. Known are: role, collections, connections, own_batches.");
            }
        return await DoneAsync(http, id, members, actor => members.SetRoleAsync(actor, id, role, narrowing, ct), Permission.Administer, ct);
    }

    private static async Task<IResult> InviteAsync(HttpContext http, Invitations invitations, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var role = body.RootElement.TryGetProperty("role", out var word) ? JsonFields.Word<Role>("role", word) : Role.Viewer;
        var (view, token) = await invitations.CreateAsync(http.Actor(Permission.Administer), AccessApi.Required(body, "name", 1000), role, ct);
        return Wire.Answer(new { view.Id, view.Name, Role = role.Word(), view.ExpiresAt, Link = $"{http.Request.Scheme}://{http.Request.Host}/invite?token={token}" }, StatusCodes.Status201Created);
    }

    private static async Task<IResult> DoneAsync(HttpContext http, string id, Members members, Func<Actor, Task<ControlResult>> act, Permission permission, CancellationToken ct)
    {
        if (await members.FindAsync(http.User.TenantId(), id, ct) is null) return AccessApi.None();
        var result = await act(http.Actor(permission));
        return result.Done ? Wire.Answer(new { result.Message }) : Wire.Refuse(StatusCodes.Status409Conflict, result.Message);
    }

    // Collections go by their keys outside, and only the tenant's own can be named.
    private static async Task<IReadOnlyList<long>?> CollectionsAsync(Contexts contexts, string tenant, JsonElement value, CancellationToken ct)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        var keys = JsonFields.List("collections", value, (n, v) => JsonFields.Text(n, v, 200));
        await using var db = contexts.For(Scope.OfTenant(tenant));
        var found = await db.Collections.Where(c => keys.Contains(c.Key)).ToDictionaryAsync(c => c.Key, c => c.Id, ct);
        return keys.FirstOrDefault(k => !found.ContainsKey(k)) is { } unknown
            ? throw new IngestionException(ErrorCodes.InvalidOption, $"There is no collection {JsonFields.Shown(unknown)}.")
            : [.. keys.Distinct().Select(k => found[k])];
    }

    private static object View(MemberView m) => new
    {
        m.Id, m.UserName, m.Name, Role = m.Role.Word(), m.Narrowing.Collections, m.Narrowing.Connections, m.Narrowing.OwnBatches, m.Owner, m.ByProvider, m.HasPassword, m.Passkeys,
        m.CreatedAt, m.LastSignInAt, m.DisabledAt,
    };

    private static object View(InvitationView i) => new { i.Id, i.Name, Role = i.Role.Word(), i.CreatedBy, i.CreatedAt, i.ExpiresAt };
}

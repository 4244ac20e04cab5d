using System.Security.Claims;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Access;

/// <summary>Who asks, as a principal. What the caller may do is asked of <see cref="Facts"/>, and of nothing else.</summary>
internal sealed class CallerIdentity(CallerFacts facts, string scheme, string? address = null) : ClaimsIdentity(ClaimsOf(facts), scheme)
{
    public CallerFacts Facts { get; } = facts;

    /// <summary>The network address the caller came from.</summary>
    public string? Address { get; } = address;

    public override ClaimsIdentity Clone() => new CallerIdentity(Facts, AuthenticationType!, Address);

    private static Claim[] ClaimsOf(CallerFacts facts) =>
        [new(ClaimTypes.NameIdentifier, facts.Id), new(ClaimTypes.Name, facts.Name), new(ClaimTypes.Role, facts.Role.Word())];
}

internal static class Caller
{
    /// <summary>Who holds the machine's own key.</summary>
    private static readonly CallerFacts Machine = new("administrator", "Administrator", Tenant.Default, Role.Administrator, Owner: true, Narrowing.None);

    public static ClaimsPrincipal OfScheme(string scheme, string? address = null) => Of(Machine, scheme, address);

    public static ClaimsPrincipal Of(CallerFacts facts, string scheme, string? address = null) => new(new CallerIdentity(facts, scheme, address));

    /// <summary>What is known of the caller; null where nobody is signed in.</summary>
    public static CallerFacts? Facts(this ClaimsPrincipal caller) => caller.Identities.OfType<CallerIdentity>().FirstOrDefault()?.Facts;

    /// <summary>The one question of every page and every route.</summary>
    public static bool May(this ClaimsPrincipal caller, Permission permission) => caller.Facts()?.May(permission) ?? false;

    /// <summary>What of the data the caller sees: what every query is given. Throws <c>forbidden</c> where nobody is signed in, which a page that stays open can come to.</summary>
    public static Scope Scope(this ClaimsPrincipal caller) => caller.Facts() is { } facts ? new(facts.TenantId, facts.Id, facts.Narrowing) : throw SignedOut();

    /// <summary>The id of the caller's tenant, for what is of the tenant and not narrowed: people, keys, sessions, secrets, audit.</summary>
    public static string TenantId(this ClaimsPrincipal caller) => caller.Facts()?.TenantId ?? throw SignedOut();

    /// <summary>
    /// The caller as the pipeline records it. Every change needs one, so here it is asked again whether the caller may: a page is open
    /// for longer than a role lasts. Throws <c>forbidden</c>.
    /// </summary>
    public static Actor Actor(this ClaimsPrincipal caller, Permission permission = Permission.Ingest)
    {
        var identity = caller.Identities.OfType<CallerIdentity>().FirstOrDefault() ?? throw SignedOut();
        return identity.Facts.May(permission)
            ? new(identity.Facts.TenantId, identity.Facts.Id) { DisplayName = identity.Facts.Name, Address = identity.Address, Narrowing = identity.Facts.Narrowing }
            : throw new IngestionException(ErrorCodes.Forbidden, "Your role does not allow that.");
    }

    /// <summary>Who sent the request, as the pipeline records it.</summary>
    public static Actor Actor(this HttpContext context, Permission permission = Permission.Ingest) => context.User.Actor(permission);

    /// <summary>The caller's id for records of who asked.</summary>
    public static string Id(this ClaimsPrincipal caller) => caller.Facts()?.Id ?? throw SignedOut();

    /// <summary>The network address of a request.</summary>
    public static string? Address(this HttpContext context) => context.Connection.RemoteIpAddress?.ToString();

    private static IngestionException SignedOut() => new(ErrorCodes.Forbidden, "You are not signed in any more.");
}

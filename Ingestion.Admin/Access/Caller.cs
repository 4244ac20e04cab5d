using System.Security.Claims;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Access;

/// <summary>Who asks. Until there are accounts everybody who is let in is the administrator of the default tenant.</summary>
internal static class Caller
{
    public const string TenantClaim = "tenant";
    public const string DefaultTenant = "default";
    public const string Administrator = "administrator";

    public static ClaimsPrincipal OfScheme(string scheme) => new(new ClaimsIdentity(
        [
            new(ClaimTypes.NameIdentifier, Administrator),
            new(ClaimTypes.Name, "Administrator"),
            new(ClaimTypes.Role, Administrator),
            new(TenantClaim, DefaultTenant),
        ],
        scheme));

    /// <summary>The tenant of an authenticated caller.</summary>
    public static string Tenant(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(TenantClaim) ?? throw new InvalidOperationException("The caller has no tenant.");

    /// <summary>The caller as the pipeline records it.</summary>
    public static Actor Actor(this ClaimsPrincipal caller) => new(caller.Tenant(), caller.Id());

    /// <summary>Who sent the request, as the pipeline records it.</summary>
    public static Actor Actor(this HttpContext context) => context.User.Actor();

    /// <summary>The caller's id for records of who asked.</summary>
    public static string Id(this ClaimsPrincipal caller) =>
        caller.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("The caller has no id.");
}

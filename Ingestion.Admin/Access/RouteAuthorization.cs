using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authorization;

namespace Ingestion.Admin.Access;

/// <summary>Asks the table of routes. It is the fallback policy: whatever says nothing about access comes here.</summary>
internal sealed class RouteRequirement : IAuthorizationRequirement;

/// <summary>
/// Lets a caller through whose rights cover the matched route; a key that only reads changes nothing, whatever the route needs. Where no route matched, whoever is known is told that nothing is there.
/// </summary>
internal sealed class RouteAuthorization : AuthorizationHandler<RouteRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, RouteRequirement requirement)
    {
        if (context.Resource is HttpContext http && Allows(http)) context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private static bool Allows(HttpContext http)
    {
        if (http.GetEndpoint() is not { } endpoint) return http.User.Facts() is not null;
        if (RuleOf(http, endpoint) is not { } rule) return false;
        return rule.Needs is not { } needed || (http.User.Facts() is { } facts && facts.May(needed) && (facts.Scope != KeyScope.Read || RequestedWith.IsSafe(http.Request)));
    }

    /// <summary>The rule of a request's endpoint; null where it has none.</summary>
    public static RouteRule? RuleOf(HttpContext http, Endpoint endpoint) => RouteRules.Find((endpoint as RouteEndpoint)?.RoutePattern.RawText, http.Request.Method);
}

/// <summary>
/// A user or tenant that a client names in a query or a path is never believed: it must be the caller's own, or the caller an administrator
/// and the user one of the tenant's. Otherwise the answer is that of an id that does not exist.
/// </summary>
internal sealed class NamedCaller(RequestDelegate next, NamedUsers users)
{
    public const string User = "user_id";
    private const string Tenant = "tenant_id";

    public async Task InvokeAsync(HttpContext context)
    {
        if (context.User.Facts() is not { } facts || (Named(context, Tenant).All(named => named == facts.TenantId) && await FitAsync(context, facts)))
        {
            await next(context);
            return;
        }
        context.Response.StatusCode = StatusCodes.Status404NotFound;
    }

    private async Task<bool> FitAsync(HttpContext context, CallerFacts facts)
    {
        foreach (var named in Named(context, User))
            if (!await users.MayNameAsync(facts, named, context.RequestAborted)) return false;
        return true;
    }

    private static IEnumerable<string?> Named(HttpContext context, string name) =>
        context.Request.Query[name].Concat(context.Request.RouteValues.TryGetValue(name, out var value) ? [value?.ToString()] : []);
}

using Ingestion.Admin.Api;
using Microsoft.AspNetCore.Antiforgery;

namespace Ingestion.Admin.Access;

/// <summary>
/// Refuses state-changing requests that a foreign page could send with our cookie. A header of our own cannot be set across
/// origins without being asked first; pages have their antiforgery token, the circuit its own handshake, keys are no cookies.
/// </summary>
internal sealed class RequestedWith(RequestDelegate next)
{
    public const string Header = "X-Requested-With";
    public const string Value = "ingestion";

    public Task InvokeAsync(HttpContext context) =>
        !IsSafe(context.Request) && IsByCookie(context) && !HasOwnProtection(context) && context.Request.Headers[Header] != Value
            ? Answers.WriteAsync(context, StatusCodes.Status403Forbidden, $"With a cookie this request needs the header {Header}: {Value}.")
            : next(context);

    /// <summary>True for a request that changes nothing.</summary>
    public static bool IsSafe(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);

    private static bool IsByCookie(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, AuthenticationType: SessionHandler.SchemeName };

    private static bool HasOwnProtection(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/_blazor")
        || context.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: true };
}

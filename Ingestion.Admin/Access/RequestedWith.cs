using Ingestion.Admin.Api;
using Microsoft.AspNetCore.Antiforgery;

namespace Ingestion.Admin.Access;

/// <summary>
/// Refuses changes and live connections that a foreign page asks for with our cookie: by the origin that the browser names, and for
/// changes by a header of our own, which cannot be set across origins without being asked first. Pages have their antiforgery token,
/// keys are no cookies.
/// </summary>
internal sealed class RequestedWith(RequestDelegate next)
{
    public const string Header = "X-Requested-With";
    public const string Value = "ingestion";

    public Task InvokeAsync(HttpContext context)
    {
        var changes = !IsSafe(context.Request);
        // A live connection is a GET, and no browser asks before it opens one across origins.
        if (!IsByCookie(context) || (!changes && !context.WebSockets.IsWebSocketRequest)) return next(context);
        if (!IsOwn(context.Request)) return Answers.WriteAsync(context, StatusCodes.Status403Forbidden, "This request comes from a page of another site.");
        return changes && !HasOwnProtection(context) && context.Request.Headers[Header] != Value
            ? Answers.WriteAsync(context, StatusCodes.Status403Forbidden, $"With a cookie this request needs the header {Header}: {Value}.")
            : next(context);
    }

    /// <summary>
    /// False where a browser says that a page of another origin asks. Browsers name the origin of whatever could change something, and of
    /// live connections; some only say how far away it is. The scheme is left out: before a proxy that speaks TLS it is another one.
    /// </summary>
    public static bool IsOwn(HttpRequest request) =>
        (request.Headers.Origin.ToString() is var origin && (origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase))))
        && request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none";

    /// <summary>True for a request that changes nothing.</summary>
    public static bool IsSafe(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);

    private static bool IsByCookie(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, AuthenticationType: SessionHandler.SchemeName };

    private static bool HasOwnProtection(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/_blazor")
        || context.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: true };
}

using System.Text.Encodings.Web;
using Ingestion.Admin.Api;
using Ingestion.Core;
using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>
/// Knows a browser by a cookie that holds a random token and nothing else. The session is a row: ended there, it is gone with the next
/// request, from whatever machine.
/// </summary>
internal sealed class SessionHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, Callers callers, IOptions<AccessOptions> access, IOptions<IngestionOptions> settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "Session";
    private const string Plain = "ingestion";

    // The prefix makes browsers refuse the cookie from a plain connection, another path or a sub-domain.
    private const string OverTls = "__Host-ingestion";

    /// <summary>The token a request carries; null where it carries none.</summary>
    public static string? TokenOf(HttpRequest request) => request.Cookies[CookieName(request)];

    public static void SetCookie(HttpContext context, string token, TimeSpan lifetime) =>
        context.Response.Cookies.Append(CookieName(context.Request), token, Cookie(context.Request, lifetime));

    public static void RemoveCookie(HttpContext context) =>
        context.Response.Cookies.Delete(CookieName(context.Request), Cookie(context.Request, null));

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Assets, health and the sign-in page are for anybody; they also have to answer while the database does not.
        if (TokenOf(Request) is not { } token || Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return AuthenticateResult.NoResult();
        return await callers.OfSessionAsync(token, access.Value.SessionIdle, Context.RequestAborted) is { } facts
            ? AuthenticateResult.Success(new(Caller.Of(facts, SchemeName, Context.Address()), SchemeName))
            : AuthenticateResult.Fail("The session has ended.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (!settings.Value.RunsWeb || !Request.WantsPage()) return Refusal.UnauthorizedAsync(Context);
        Response.Redirect($"/sign-in?returnUrl={Uri.EscapeDataString(Request.PathBase + Request.Path + Request.QueryString)}");
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refusal.ForbiddenAsync(Context);

    private static string CookieName(HttpRequest request) => request.IsHttps ? OverTls : Plain;

    private static CookieOptions Cookie(HttpRequest request, TimeSpan? lifetime) =>
        new() { HttpOnly = true, SameSite = SameSiteMode.Lax, Secure = request.IsHttps, Path = "/", MaxAge = lifetime, IsEssential = true };
}

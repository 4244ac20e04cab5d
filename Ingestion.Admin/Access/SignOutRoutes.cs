using Ingestion.Admin.Api;
using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>The ways out, and the way to the provider. Signing out ends the session's row, so open pages of this browser end too.</summary>
internal static class SignOutRoutes
{
    public static WebApplication MapSignInAndOut(this WebApplication app)
    {
        app.MapPost("/sign-out", SignOutAsync);
        app.MapGet("/sign-in/provider", Provider).AllowAnonymous();
        return app;
    }

    private static IResult Provider(IOptions<OidcSettings> provider, string? returnUrl) => provider.Value.Enabled
        ? Results.Challenge(new() { RedirectUri = SignInDesk.Home(returnUrl) }, [ProviderSetup.SignInScheme])
        : Results.NotFound();

    private static async Task<IResult> SignOutAsync(
        HttpContext http, Sessions sessions, ProviderAccounts provider, IOptions<OidcSettings> settings, IOptionsMonitor<OidcOptions> oidc, CancellationToken ct)
    {
        SessionHandler.RemoveCookie(http);
        if (http.User is not { Identity.AuthenticationType: SessionHandler.SchemeName } user || user.Facts()?.CredentialId is not { } session) return Results.NoContent();
        var token = provider.Open(await sessions.ProviderTokenAsync(session, ct));
        await sessions.EndAsync(user.Actor(Permission.Read), session, anybodys: false, ct);
        if (token is null || !settings.Value.Enabled) return Results.NoContent();
        var address = await OidcHandler.SignOutAddressAsync(oidc.Get(ProviderSetup.SignInScheme), token, $"{http.Request.Scheme}://{http.Request.Host}/sign-in", ct);
        return address is null ? Results.NoContent() : Wire.Answer(new { Location = address });
    }
}

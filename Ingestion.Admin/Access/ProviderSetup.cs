using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Ingestion.Admin.Access;

/// <summary>Sign-in by an OpenID Connect provider, and its bearer tokens for the API, where the settings name one.</summary>
internal static class ProviderSetup
{
    public const string SignInScheme = "Provider";
    public const string BearerScheme = "ProviderBearer";
    private static readonly string[] UsualRoleClaims = ["roles", "groups"];

    public static void AddProvider(this AuthenticationBuilder schemes, IConfiguration configuration)
    {
        schemes.Services.AddSingleton<ProviderAccounts>();
        // Read here because schemes are fixed once the host is built; checked like all sections when it starts.
        var provider = configuration.GetSection(OidcSettings.Section).Get<OidcSettings>() ?? new();
        if (!provider.Enabled) return;
        schemes.AddOAuth<OidcOptions, OidcHandler>(SignInScheme, provider.DisplayName, o =>
        {
            (o.Provider, o.ClientId, o.ClientSecret, o.UsePkce, o.CallbackPath) = (provider, provider.ClientId, provider.ClientSecret, true, "/sign-in/provider/done");
            foreach (var scope in new[] { "openid", "profile", "email" }) o.Scope.Add(scope);
            o.Description = Description(provider);
            (o.CorrelationCookie.SameSite, o.CorrelationCookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
            o.SignInScheme = SessionHandler.SchemeName;
            o.Events.OnTicketReceived = context => Accounts(context.HttpContext).EnterAsync(context, provider);
            o.Events.OnRemoteFailure = context => Accounts(context.HttpContext).RefuseAsync(context);
        });
        if (provider.ApiAudience.Length == 0) return;
        schemes.AddJwtBearer(BearerScheme, o =>
        {
            (o.Authority, o.Audience, o.MapInboundClaims, o.RequireHttpsMetadata) = (provider.Authority, provider.ApiAudience, false, IsTls(provider));
            (o.TokenValidationParameters.RequireExpirationTime, o.TokenValidationParameters.RequireSignedTokens, o.TokenValidationParameters.ClockSkew) = (true, true, TimeSpan.FromMinutes(2));
            o.Events = new() { OnTokenValidated = context => Accounts(context.HttpContext).RecogniseAsync(context, provider), OnChallenge = ChallengeAsync, OnForbidden = context => Refusal.ForbiddenAsync(context.HttpContext) };
        });
    }

    /// <summary>True where a request's bearer token is one of the provider's, by its three parts, and such are taken.</summary>
    public static bool TakesBearer(HttpContext context) =>
        context.RequestServices.GetRequiredService<IOptions<OidcSettings>>().Value is { Enabled: true, ApiAudience.Length: > 0 }
        && !context.Request.Headers.ContainsKey(ApiKeyHandler.Header) && ApiKeyHandler.BearerOf(context.Request)?.Count(c => c == '.') == 2;

    /// <summary>The claims whose values grants name.</summary>
    public static IEnumerable<string> RoleClaims(OidcSettings provider) => provider.RoleClaims.Count > 0 ? provider.RoleClaims : UsualRoleClaims;

    private static ConfigurationManager<OpenIdConnectConfiguration> Description(OidcSettings provider) => new(
        provider.Authority.TrimEnd('/') + "/.well-known/openid-configuration", new OpenIdConnectConfigurationRetriever(), new HttpDocumentRetriever { RequireHttps = IsTls(provider) })
    {
        // A key that is not known is looked for at once, not only every five minutes.
        RefreshInterval = TimeSpan.FromSeconds(1),
    };

    private static ProviderAccounts Accounts(HttpContext http) => http.RequestServices.GetRequiredService<ProviderAccounts>();

    private static bool IsTls(OidcSettings provider) => provider.Authority.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    private static Task ChallengeAsync(JwtBearerChallengeContext context)
    {
        context.HandleResponse();
        return Refusal.UnauthorizedAsync(context.HttpContext);
    }
}

using System.Net;
using Ingestion.Admin.Api;
using Ingestion.Core;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Who gets in. Deny is the default: an endpoint without a row in <see cref="RouteRules"/> is nobody's.</summary>
internal static class AccessSetup
{
    private const string AnyScheme = "Caller";
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    public static WebApplicationBuilder AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SignInLinks>().AddSingleton<SignInDesk>().AddSingleton<OpenSockets>().AddSingleton<NamedUsers>();
        builder.Services.AddHostedService<SignInAnnouncement>();
        var schemes = builder.Services.AddAuthentication(AnyScheme)
            .AddPolicyScheme(AnyScheme, null, o => o.ForwardDefaultSelector = SchemeOf)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, CompatHandler>(CompatHandler.SchemeName, null)
            .AddScheme<AuthenticationSchemeOptions, SessionHandler>(SessionHandler.SchemeName, null)
            // What a passkey ceremony needs to remember between its two requests.
            .AddCookie(IdentityConstants.TwoFactorUserIdScheme, o => (o.Cookie.Name, o.Cookie.SameSite, o.Cookie.SecurePolicy, o.ExpireTimeSpan) =
                ("ingestion-passkey", SameSiteMode.Strict, CookieSecurePolicy.SameAsRequest, TimeSpan.FromMinutes(5)));
        schemes.AddProvider(builder.Configuration);
        // Sign-in is one object for the whole process, and what it hashes with is as well.
        builder.Services.AddSingleton<IPasswordHasher<Account>, PasswordHasher<Account>>().AddScoped<IUserPasskeyStore<Account>, AccountStore>();
        builder.Services.AddIdentityCore<Account>().AddSignInManager().AddUserStore<AccountStore>();
        builder.Services.AddOptions<PasswordHasherOptions>().Configure(o => o.IterationCount = PasswordRules.Iterations);

        builder.Services.AddSingleton<IAuthorizationHandler, RouteAuthorization>();
        var routes = new AuthorizationPolicyBuilder().AddRequirements(new RouteRequirement()).Build();
        builder.Services.AddAuthorizationBuilder().SetDefaultPolicy(routes).SetFallbackPolicy(routes);
        builder.Services.AddCascadingAuthenticationState();
        // Who may frame us says the policy that every response carries.
        builder.Services.AddAntiforgery(o => (o.SuppressXFrameOptionsHeader, o.Cookie.Name, o.Cookie.SecurePolicy) = (true, "ingestion-form", CookieSecurePolicy.SameAsRequest));

        // A page elsewhere whose name is made to point here would else count as our own origin.
        builder.Services.AddOptions<HostFilteringOptions>().Configure<IOptions<IngestionOptions>>((filter, settings) =>
            filter.AllowedHosts = settings.Value switch
            {
                { AllowedHosts.Count: > 0 } named => named.AllowedHosts,
                { IsLoopback: true } => LoopbackNames,
                _ => ["*"],
            });
        builder.Services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<AccessOptions>>((forwarded, access) =>
        {
            forwarded.ForwardedHeaders = access.Value.KnownProxies.Count == 0 ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // Only who is named is believed; the framework would believe this machine by itself.
            forwarded.KnownIPNetworks.Clear();
            forwarded.KnownProxies.Clear();
            foreach (var proxy in access.Value.KnownProxies)
            {
                if (IPAddress.TryParse(proxy, out var address)) forwarded.KnownProxies.Add(address);
                else forwarded.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
            }
        });
        return builder;
    }

    /// <summary>The caller's own authentication, after the pages have set theirs.</summary>
    public static WebApplicationBuilder AddLiveAuthentication(this WebApplicationBuilder builder)
    {
        builder.Services.AddScoped<AuthenticationStateProvider, LiveAuthentication>();
        return builder;
    }

    public static WebApplication UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<NamedCaller>();
        app.UseMiddleware<RequestedWith>();
        app.UseMiddleware<RateLimiting>();
        app.UseAntiforgery();
        return app;
    }

    private static string SchemeOf(HttpContext context)
    {
        var services = context.RequestServices;
        if (ApiKeyHandler.KeyOf(context.Request) is not null)
            return ProviderSetup.TakesBearer(context) ? ProviderSetup.BearerScheme : ApiKeyHandler.SchemeName;
        return SessionHandler.TokenOf(context.Request) is null && CompatHandler.Accepts(context, services.GetRequiredService<IOptions<AccessOptions>>().Value)
            ? CompatHandler.SchemeName
            : SessionHandler.SchemeName;
    }
}

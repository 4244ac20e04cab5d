using Ingestion.Admin.Api;
using Ingestion.Core;
using Ingestion.Core.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Who gets in. Deny is the default: an endpoint that says nothing about access needs a caller.</summary>
internal static class AccessSetup
{
    private const string EitherScheme = "Caller";
    private static readonly string[] LoopbackNames = ["localhost", "127.0.0.1", "[::1]"];

    public static WebApplicationBuilder AddAccess(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SignInLinks>();
        builder.Services.AddHostedService<SignInAnnouncement>();
        builder.Services.AddAuthentication(EitherScheme)
            .AddPolicyScheme(EitherScheme, null, o => o.ForwardDefaultSelector = context =>
                ApiKeyHandler.KeyOf(context.Request) is null ? CookieAuthenticationDefaults.AuthenticationScheme : ApiKeyHandler.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null)
            .AddCookie(ConfigureCookie);
        builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build())
            .AddPolicy(Caller.Administrator, p => p.RequireRole(Caller.Administrator));
        builder.Services.AddCascadingAuthenticationState();

        builder.Services.AddDataProtection().SetApplicationName("ingestion");
        builder.Services.AddOptions<KeyManagementOptions>().Configure<DataDirectory, ILoggerFactory>((o, data, logs) =>
            o.XmlRepository = new FileSystemXmlRepository(new(data.Private("keys")), logs));
        // A page elsewhere whose name is made to point here would else count as our own origin.
        builder.Services.AddOptions<HostFilteringOptions>().Configure<IOptions<IngestionOptions>>((filter, settings) =>
            filter.AllowedHosts = settings.Value switch
            {
                { AllowedHosts.Count: > 0 } named => named.AllowedHosts,
                { IsLoopback: true } => LoopbackNames,
                _ => ["*"],
            });
        return builder;
    }

    public static WebApplication UseAccess(this WebApplication app)
    {
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<RequestedWith>();
        app.UseAntiforgery();
        return app;
    }

    public static WebApplication MapSignOut(this WebApplication app)
    {
        app.MapPost("/sign-out", async (HttpContext context) =>
        {
            await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
            return Results.NoContent();
        });
        return app;
    }

    private static void ConfigureCookie(CookieAuthenticationOptions o)
    {
        o.Cookie.Name = "ingestion";
        o.Cookie.HttpOnly = true;
        o.Cookie.SameSite = SameSiteMode.Lax;
        o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        o.ExpireTimeSpan = TimeSpan.FromHours(12);
        o.SlidingExpiration = true;
        o.LoginPath = "/sign-in";
        o.ReturnUrlParameter = "returnUrl";
        o.Events.OnRedirectToLogin = context =>
        {
            var pages = context.HttpContext.RequestServices.GetRequiredService<IOptions<IngestionOptions>>().Value.RunsWeb;
            if (!pages || !context.Request.WantsPage())
                return Refusal.UnauthorizedAsync(context.HttpContext);
            context.Response.Redirect(context.RedirectUri);
            return Task.CompletedTask;
        };
        o.Events.OnRedirectToAccessDenied = context => Refusal.ForbiddenAsync(context.HttpContext);
    }
}

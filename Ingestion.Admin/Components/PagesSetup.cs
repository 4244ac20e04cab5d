using Microsoft.AspNetCore.Components.Server;
using Radzen;

namespace Ingestion.Admin.Components;

/// <summary>The pages: interactive on the server, drawn once before the circuit is up so that nobody looks at a blank window.</summary>
internal static class PagesSetup
{
    public static WebApplicationBuilder AddPages(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.Configure<CircuitOptions>(o =>
        {
            o.DetailedErrors = false;
            o.DisconnectedCircuitMaxRetained = 100;
            o.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(3);
            o.JSInteropDefaultCallTimeout = TimeSpan.FromMinutes(1);
            o.MaxBufferedUnacknowledgedRenderBatches = 10;
        });
        builder.Services.AddSignalR(o => o.MaximumReceiveMessageSize = 32 << 10);
        builder.Services.AddRadzenComponents();
        builder.Services.AddScoped<Pages.Reviews.ReviewSession>().AddScoped<Pages.Reviews.ReviewerNames>();
        builder.Services.AddSingleton<Pages.Operations.InstallationFacts>().AddSingleton<Pages.Operations.SelfCheckRuns>().AddSingleton<Pages.Operations.SubjectLinks>();
        return builder;
    }

    public static WebApplication MapPages(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        // Our own header names who may frame us; the framework would send a second one.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(o => o.ContentSecurityFrameAncestorsPolicy = null);
        return app;
    }
}

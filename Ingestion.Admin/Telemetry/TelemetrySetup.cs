using Ingestion.Core.Telemetry;

namespace Ingestion.Admin.Telemetry;

/// <summary>What the program measures of itself: on <c>/metrics</c> for whoever scrapes, and to a collector where the settings name one.</summary>
internal static class TelemetrySetup
{
    public static WebApplicationBuilder AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<InstallationGauges>().AddSingleton<Measurements>();
        builder.Services.AddHostedService<OtlpExport>();
        return builder;
    }

    public static WebApplication MapMetrics(this WebApplication app)
    {
        app.MapGet("/metrics", (Measurements measurements) => Results.Text(measurements.Write(), "text/plain; version=0.0.4", System.Text.Encoding.UTF8));
        // It listens from now on: what is counted before anybody asks counts too.
        app.Services.GetRequiredService<Measurements>();
        return app;
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Settings;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>GET /health</c> for whoever wants to know whether work can be done, <c>GET /health/live</c> for whoever restarts dead processes.
/// Both answer without sign-in, so reasons name things of ours and never a document, a host or a person.
/// </summary>
internal static class Health
{
    private const string Service = "ingestion";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static WebApplicationBuilder AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks()
            .AddCheck<StorageCheck>("storage", timeout: TimeSpan.FromSeconds(5))
            .AddCheck<DatabaseCheck>("database")
            .AddCheck<QueueCheck>("queue")
            .AddCheck<TransactionCheck>("transactions")
            .AddCheck<EmbeddingCheck>("embedding");
        return builder;
    }

    public static WebApplication MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health", new() { ResponseWriter = WriteAsync }).AllowAnonymous();
        app.MapGet("/health/live", (TimeProvider time) => Results.Json(new HealthAnswer("healthy", Service, Stamp(time), Checks: null), Json)).AllowAnonymous();
        return app;
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        var answer = new HealthAnswer(
            report.Status == HealthStatus.Unhealthy ? "unhealthy" : "healthy",
            Service,
            Stamp(time),
            report.Entries.ToDictionary(e => e.Key, e => new CheckAnswer(Word(e.Value.Status), e.Value.Description)));
        return context.Response.WriteAsJsonAsync(answer, Json, context.RequestAborted);
    }

    private static string Word(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };

    private static string Stamp(TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private sealed record HealthAnswer(string Status, string Service, string Timestamp, IReadOnlyDictionary<string, CheckAnswer>? Checks);

    private sealed record CheckAnswer(string Status, string? Reason);
}

/// <summary>The data directory takes writes and has room.</summary>
internal sealed class StorageCheck(DataDirectory data) : IHealthCheck
{
    private const long Scarce = 1L << 30;
    private const long Exhausted = 64L << 20;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var probe = Path.Combine(data.Private("health"), Guid.NewGuid().ToString("n"));
        try
        {
            await File.WriteAllTextAsync(probe, "", cancellationToken);
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(context.Registration.FailureStatus, "The data directory takes no writes.", e);
        }

        return new DriveInfo(data.Path).AvailableFreeSpace switch
        {
            < Exhausted => new(context.Registration.FailureStatus, "The data directory's disk is full."),
            < Scarce => HealthCheckResult.Degraded("The data directory's disk has less than 1 GiB left."),
            _ => HealthCheckResult.Healthy(),
        };
    }
}

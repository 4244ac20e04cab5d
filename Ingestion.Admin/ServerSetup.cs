using System.Net;
using Ingestion.Admin.Cli;
using Ingestion.Core;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Settings;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin;

/// <summary>The web server itself: settings, address, limits.</summary>
internal static class ServerSetup
{
    /// <summary>A builder that reads our layers of settings and nothing else.</summary>
    public static WebApplicationBuilder CreateBuilder(string[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = settings, ContentRootPath = AppContext.BaseDirectory });
        // The framework's own layers would let an appsettings.json of whatever directory we are started in win over ours.
        builder.Configuration.Sources.Clear();
        foreach (var remark in builder.Configuration.AddSettings(SettingPlaces.OfProcess(settings)))
            Console.WriteLine(remark);
        builder.Services.AddIngestionOptions();
        builder.WebHost.UseStaticWebAssets();
        return builder;
    }

    public static WebApplicationBuilder AddServerLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<KestrelServerOptions>().Configure<IOptions<IngestionOptions>>((kestrel, settings) =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Parse(settings.Value.Bind), settings.Value.Port);
            // Small by default; the endpoints that take files raise it for themselves.
            kestrel.Limits.MaxRequestBodySize = 4 << 20;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 << 10;
            // What waits in the program for a client that takes nothing; the kernel holds as much again.
            kestrel.Limits.MaxResponseBufferSize = 32 << 10;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            kestrel.Limits.MinRequestBodyDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
            kestrel.Limits.MinResponseDataRate = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));
        });
        return builder;
    }

    /// <summary>Checks every section before anything has begun; the host would check too, but with a trace in the log.</summary>
    public static IngestionOptions CheckedOptions(this WebApplication app)
    {
        app.Services.GetService<IStartupValidator>()?.Validate();
        var options = app.Services.GetRequiredService<IOptions<IngestionOptions>>().Value;
        if (FaultPoints.Refusal(options.IsLoopback) is { } refusal) throw new SettingException(refusal);
        if (FaultPoints.Warning is { } warning) Console.WriteLine(warning);
        return options;
    }

    /// <summary>Runs until stopped. Returns 1 with a line on the console where a person's setting is in the way.</summary>
    public static async Task<int> RunUntilStoppedAsync(this WebApplication app, CancellationToken ct)
    {
        if (StartFailure.TakenPort(app.Services.GetRequiredService<IOptions<IngestionOptions>>().Value) is { } taken)
        {
            await Console.Error.WriteLineAsync(taken);
            return 1;
        }

        await app.RunAsync(ct);
        return 0;
    }
}

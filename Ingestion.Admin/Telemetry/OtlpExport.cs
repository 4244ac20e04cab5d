using System.Diagnostics.Metrics;
using Ingestion.Admin.Access;
using Ingestion.Core.Telemetry;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ingestion.Admin.Telemetry;

/// <summary>Sends measurements and traces to a collector, where the settings name one. One that is away costs what was measured meanwhile, nothing else.</summary>
internal sealed class OtlpExport(IOptions<TelemetryOptions> options, InstallationGauges gauges, OpenSockets sockets, IMeterFactory factory) : IHostedService, IDisposable
{
    private static readonly string[] Sources = [PipelineTelemetry.Name, "Microsoft.AspNetCore", "Npgsql"];
    private static readonly string[] Meters = [PipelineTelemetry.Name, "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql"];
    private MeterProvider? _meters;
    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value is not { OtlpEndpoint.Length: > 0 } to) return Task.CompletedTask;
        // Another installation in this process, as in tests, measures for itself.
        object[] own = [gauges, sockets, factory];
        var resource = ResourceBuilder.CreateEmpty().AddService(to.ServiceName, serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3), serviceInstanceId: Environment.MachineName);
        _meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters)
            .AddView(i => i.Meter.Scope is { } scope && !own.Contains(scope) ? MetricStreamConfiguration.Drop : null)
            .AddOtlpExporter((exporter, reader) =>
            {
                Address(exporter, to, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)to.Interval.TotalMilliseconds;
            }).Build();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources).SetSampler(new ParentBasedSampler(new AlwaysOnSampler()))
            .AddOtlpExporter(exporter => Address(exporter, to, "v1/traces")).Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        // What was measured last goes out, where the collector is there to take it.
        _meters?.ForceFlush(2000);
        _traces?.ForceFlush(2000);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        _meters?.Dispose();
        _traces?.Dispose();
    }

    private static void Address(OtlpExporterOptions exporter, TelemetryOptions to, string path) =>
        (exporter.Protocol, exporter.Endpoint) = (OtlpExportProtocol.HttpProtobuf, new Uri(to.OtlpEndpoint.TrimEnd('/') + "/" + path));
}

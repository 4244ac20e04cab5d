using Ingestion.Core.Settings;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Telemetry;

/// <summary>Where measurements and traces go besides <c>/metrics</c>: section <c>Ingestion:Telemetry</c>.</summary>
public sealed class TelemetryOptions
{
    public const string Section = "Ingestion:Telemetry";

    /// <summary>The address of an OpenTelemetry collector that speaks OTLP over HTTP, such as <c>http://collector:4318</c>; empty for none.</summary>
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>What the collector calls this program.</summary>
    public string ServiceName { get; set; } = "ingestion";

    /// <summary>How often measurements are sent.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(30);
}

internal sealed class TelemetryOptionsCheck : IValidateOptions<TelemetryOptions>
{
    public ValidateOptionsResult Validate(string? name, TelemetryOptions o) => new SettingCheck(TelemetryOptions.Section)
        .That("OtlpEndpoint", o.OtlpEndpoint.Length == 0 || (Uri.TryCreate(o.OtlpEndpoint, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)), "must be an absolute http or https address")
        .That("ServiceName", o.ServiceName.Length is > 0 and <= 100, "must be a name of at most 100 characters")
        .Range("Interval", o.Interval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1))
        .Result;
}

using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>How documents are fetched from other hosts; the section <c>Ingestion:Acquire</c>. Lists left empty take their defaults.</summary>
public sealed record AcquireOptions
{
    public const string Section = "Ingestion:Acquire";

    private static readonly int[] DefaultPorts = [80, 443, 8080, 8443];
    private static readonly TimeSpan[] DefaultRetries = [TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)];

    /// <summary>Places that may be fetched although they are not public; the forms are those of <see cref="Sources.AllowedTargets"/>.</summary>
    public string[] AllowedTargets { get; set; } = [];

    /// <summary>Ports that may be fetched without an entry of their own; empty means 80, 443, 8080 and 8443.</summary>
    public int[] AllowedPorts { get; set; } = [];

    /// <summary>Redirects followed for one document, 0 to 20.</summary>
    public int MaxRedirects { get; set; } = 5;

    /// <summary>Time to look a name up and connect, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time from the request to the end of the answer's headers, connecting included.</summary>
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A body that comes slower than this many bytes a second over <see cref="RateWindow"/> is given up; 0 allows any pace.</summary>
    public int MinBytesPerSecond { get; set; } = 512;

    /// <summary>The span over which the pace of a body is judged.</summary>
    public TimeSpan RateWindow { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Requests in flight in this process.</summary>
    public int MaxConcurrentRequests { get; set; } = 8;

    /// <summary>Requests begun per minute and host, evenly spaced; 0 sets no limit.</summary>
    public int RequestsPerMinutePerHost { get; set; } = 120;

    /// <summary>Requests in flight per host.</summary>
    public int ConnectionsPerHost { get; set; } = 4;

    /// <summary>Waits before the first, second … automatic retry; empty means 2, 10 and 60 seconds.</summary>
    public TimeSpan[] RetryIntervals { get; set; } = [];

    /// <summary>How the product names itself to other hosts; empty means <c>Ingestion/(version)</c>.</summary>
    public string UserAgent { get; set; } = "";

    internal IReadOnlyList<int> Ports => AllowedPorts.Length > 0 ? AllowedPorts : DefaultPorts;

    /// <summary>The waits in force: what is configured, or the defaults.</summary>
    public IReadOnlyList<TimeSpan> RetryWaits() => RetryIntervals.Length > 0 ? RetryIntervals : DefaultRetries;

    internal string AgentName => UserAgent.Length > 0
        ? UserAgent
        : $"Ingestion/{typeof(AcquireOptions).Assembly.GetName().Version?.ToString(2)} (+https://localhost)";
}

/// <summary>Refuses settings that could not work, all at once, each message naming its key.</summary>
public sealed class AcquireOptionsValidator : IValidateOptions<AcquireOptions>
{
    public ValidateOptionsResult Validate(string? name, AcquireOptions options)
    {
        var errors = new List<string>();
        void Require(bool holds, string key, string rule)
        {
            if (!holds)
                errors.Add($"{AcquireOptions.Section}:{key} {rule}.");
        }

        Require(Sources.AllowedTargets.TryParse(options.AllowedTargets, out _, out var wrong), nameof(options.AllowedTargets), $"cannot be read: {wrong}");
        Require(options.AllowedPorts.All(p => p is >= 1 and <= 65535), nameof(options.AllowedPorts), "must hold ports from 1 to 65535");
        Require(options.MaxRedirects is >= 0 and <= 20, nameof(options.MaxRedirects), "must be from 0 to 20");
        Require(options.ConnectTimeout > TimeSpan.Zero, nameof(options.ConnectTimeout), "must be longer than zero");
        Require(options.HeadersTimeout > TimeSpan.Zero, nameof(options.HeadersTimeout), "must be longer than zero");
        Require(options.RateWindow > TimeSpan.Zero, nameof(options.RateWindow), "must be longer than zero");
        Require(options.MinBytesPerSecond >= 0, nameof(options.MinBytesPerSecond), "must not be negative");
        Require(options.MaxConcurrentRequests is >= 1 and <= 1000, nameof(options.MaxConcurrentRequests), "must be from 1 to 1000");
        Require(options.RequestsPerMinutePerHost >= 0, nameof(options.RequestsPerMinutePerHost), "must not be negative");
        Require(options.ConnectionsPerHost is >= 1 and <= 100, nameof(options.ConnectionsPerHost), "must be from 1 to 100");
        Require(options.RetryIntervals.All(i => i >= TimeSpan.Zero), nameof(options.RetryIntervals), "must not be negative");
        Require(options.UserAgent.All(c => c is >= ' ' and <= '~'), nameof(options.UserAgent), "must be printable ASCII");

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}

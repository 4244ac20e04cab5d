using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;
using Shouldly;

namespace Ingestion.Tests.Sources;

/// <summary>A guarded client with a file to fetch into, and settings that a test can change while it runs.</summary>
internal sealed class Fetching : IDisposable
{
    private readonly Settings _settings;

    public Fetching(AcquireOptions options, ResolveHost? resolve = null, DialAddress? dial = null, TimeProvider? time = null)
    {
        _settings = new Settings(options);
        Http = new SafeHttp(
            _settings,
            time ?? TimeProvider.System,
            resolve ?? GuardedConnector.ResolveBySystemAsync,
            dial ?? GuardedConnector.DialTcpAsync,
            new HostLedger(time ?? TimeProvider.System), new HostRates());
    }

    public Fetching(params string[] allowed)
        : this(Options(allowed))
    {
    }

    public SafeHttp Http { get; }

    public string File { get; } = Path.Join(Path.GetTempPath(), $"fetch-{Guid.NewGuid():N}");

    public FetchLimits Limits { get; init; } = new(10_000_000, TimeSpan.FromSeconds(30));

    public static AcquireOptions Options(params string[] allowed) =>
        new() { AllowedTargets = allowed, RequestsPerMinutePerHost = 0, RateWindow = TimeSpan.FromSeconds(30) };

    public Task<FetchResult> FetchAsync(Uri url, FetchConditions? conditions = null) =>
        Http.FetchAsync(url, File, Limits, conditions);

    public Task<FetchResult> FetchAsync(string url) => FetchAsync(new Uri(url));

    /// <summary>Fetches what must fail, and leave no file behind.</summary>
    public async Task<IngestionException> FailAsync(Uri url)
    {
        var failure = await Should.ThrowAsync<IngestionException>(() => FetchAsync(url));
        System.IO.File.Exists(File).ShouldBeFalse();
        return failure;
    }

    public Task<IngestionException> FailAsync(string url) => FailAsync(new Uri(url));

    public void Change(AcquireOptions options) => _settings.Change(options);

    public void Dispose()
    {
        Http.Dispose();
        System.IO.File.Delete(File);
    }

    private sealed class Settings(AcquireOptions options) : IOptionsMonitor<AcquireOptions>
    {
        private Action<AcquireOptions, string?>? _listener;

        public AcquireOptions CurrentValue { get; private set; } = options;

        public AcquireOptions Get(string? name) => CurrentValue;

        public IDisposable? OnChange(Action<AcquireOptions, string?> listener)
        {
            _listener += listener;
            return null;
        }

        public void Change(AcquireOptions options)
        {
            CurrentValue = options;
            _listener?.Invoke(options, null);
        }
    }
}

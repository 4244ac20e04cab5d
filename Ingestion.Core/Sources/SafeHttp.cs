using System.Net;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>
/// The one client through which this product talks to other hosts. Judges every address, of redirects too, on the connection itself;
/// keeps limits of size, time, pace and politeness; and puts every failure in the taxonomy. Holds no cookies, uses no proxy.
/// </summary>
public sealed class SafeHttp : IDisposable
{
    // Taking a free place takes a moment too, and is no wait.
    private static readonly TimeSpan Noticed = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider _time;
    private readonly ResolveHost _resolve;
    private readonly DialAddress _dial;
    private readonly IDisposable? _changes;
    private readonly HostLedger _ledger;
    private readonly HostRates _rates;
    private volatile Guard _guard;

    public SafeHttp(IOptionsMonitor<AcquireOptions> options, TimeProvider time, HostLedger ledger, HostRates rates)
        : this(options, time, GuardedConnector.ResolveBySystemAsync, GuardedConnector.DialTcpAsync, ledger, rates)
    {
    }

    internal SafeHttp(IOptionsMonitor<AcquireOptions> options, TimeProvider time, ResolveHost resolve, DialAddress dial, HostLedger ledger, HostRates rates)
    {
        (_ledger, _rates) = (ledger, rates);
        _time = time;
        _resolve = resolve;
        _dial = dial;
        _guard = Guard.Create(options.CurrentValue, time, resolve, dial);
        _changes = options.OnChange(Use);
    }

    /// <summary>What can be judged of a URL before it is fetched, under the settings of this moment.</summary>
    public UrlRules Rules => _guard.Rules;

    /// <inheritdoc cref="FetchAsync(FetchRequest, CancellationToken)"/>
    public Task<FetchResult> FetchAsync(
        Uri url,
        string destinationPath,
        FetchLimits limits,
        FetchConditions? conditions = null,
        FetchProgress? progress = null,
        CancellationToken ct = default) =>
        FetchAsync(new FetchRequest(url, destinationPath, limits) { Conditions = conditions, Progress = progress }, ct);

    /// <summary>
    /// Fetches a document into a file, hashing while it streams. Throws <see cref="IngestionException"/> with a code of the section
    /// "places", <c>too_large</c>, <c>limit_exceeded</c> or <c>storage_full</c>; no file is left behind then.
    /// </summary>
    public async Task<FetchResult> FetchAsync(FetchRequest request, CancellationToken ct = default)
    {
        var guard = _guard;
        var url = guard.Rules.Parse(request.Url.OriginalString);
        var redirects = new List<Uri>();
        var seen = new HashSet<string>();
        var lostEncryption = false;
        var left = request.Limits.Timeout;

        while (true)
        {
            if (!seen.Add(url.GetLeftPart(UriPartial.Query)))
                throw new IngestionException(ErrorCodes.TooManyRedirects, $"{url.IdnHost} redirects in a circle.");
            if (redirects.Count > guard.Options.MaxRedirects)
                throw new IngestionException(ErrorCodes.TooManyRedirects, $"{request.Url.IdnHost} redirects more than {guard.Options.MaxRedirects} times.");

            using var turn = await guard.Hosts.EnterAsync(url.IdnHost, ct, _rates.Of(HostBudgets.KeyOf(url)));
            _ledger.Waited(HostBudgets.KeyOf(url), HostRule.Rate, turn.Spaced);
            _ledger.Waited(HostBudgets.KeyOf(url), HostRule.Concurrency, turn.Queued > Noticed ? turn.Queued : TimeSpan.Zero);
            var begun = _time.GetTimestamp();
            var hop = new Hop(guard, request, url, _time);
            var (next, result) = await NotedAsync(url, () => RunAsync(url.IdnHost, left, hop.RunAsync, ct), _ => hop.Status, done => done.Result?.Length ?? 0, () => hop.Status);
            if (result is not null)
                return result with { Redirects = redirects, LostEncryption = lostEncryption };
            if (request.StopAtRedirect)
                return new FetchResult(url, (int)HttpStatusCode.Found, null, null, 0, "", null, null, false, redirects) { RedirectsTo = next };

            left -= _time.GetElapsedTime(begun);
            lostEncryption |= url.Scheme == Uri.UriSchemeHttps && next!.Scheme == Uri.UriSchemeHttp;
            redirects.Add(url = next!);
        }
    }

    /// <summary>
    /// Sends one small request under the same guard. Follows no redirect and takes every status for an answer; a body longer than
    /// <paramref name="limits"/> allows comes truncated. Not paced per host: callers keep their own measure.
    /// Throws <see cref="IngestionException"/> where no answer came.
    /// </summary>
    public async Task<SafeResponse> SendAsync(HttpRequestMessage request, FetchLimits limits, CancellationToken ct = default)
    {
        var guard = _guard;
        var url = guard.Rules.Parse(request.RequestUri?.OriginalString ?? "");
        request.RequestUri = url;
        return await NotedAsync(url, () => RunAsync(url.IdnHost, limits.Timeout, token => Hop.SendSmallAsync(guard, request, url.IdnHost, limits, _time, token), ct), a => a.StatusCode, a => a.Body.Length, () => null);
    }

    public void Dispose()
    {
        _changes?.Dispose();
        _guard.Dispose();
    }

    /// <summary>
    /// Takes new settings: a new handler, so that no connection made under the old ones is used again. The old one is left to the
    /// requests that still run on it; its connections close when they have been idle.
    /// </summary>
    private void Use(AcquireOptions options) => _guard = Guard.Create(options, _time, _resolve, _dial);

    // Every request is noted once, however it ends; one that the caller gave up is none.
    private async Task<T> NotedAsync<T>(Uri url, Func<Task<T>> ask, Func<T, int?> status, Func<T, long> bytes, Func<int?> statusOfFailure)
    {
        var begun = _time.GetTimestamp();
        try
        {
            var answer = await ask();
            _ledger.Asked(url, _time.GetElapsedTime(begun), status(answer), null, bytes(answer));
            return answer;
        }
        catch (IngestionException e)
        {
            _ledger.Asked(url, _time.GetElapsedTime(begun), statusOfFailure(), e.Code.Code, 0);
            throw;
        }
    }

    private static async Task<T> RunAsync<T>(string host, TimeSpan limit, Func<CancellationToken, Task<T>> run, CancellationToken ct)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(limit > TimeSpan.Zero ? limit : TimeSpan.Zero);
        try
        {
            return await run(deadline.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw e.InnerException is TimeoutException
                ? new IngestionException(ErrorCodes.FetchTimeout, $"{host} could not be connected to in time.", e)
                : new IngestionException(ErrorCodes.FetchTimeout, $"{host} did not finish in time.", e);
        }
        catch (Exception e) when (e is not (IngestionException or OperationCanceledException) && FetchFailures.FromException(host, e) is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>Everything that follows from one state of the settings.</summary>
    internal sealed record Guard(AcquireOptions Options, UrlRules Rules, HostPace Hosts, HttpMessageInvoker Client) : IDisposable
    {
        public static Guard Create(AcquireOptions options, TimeProvider time, ResolveHost resolve, DialAddress dial)
        {
            if (!AllowedTargets.TryParse(options.AllowedTargets, out var allowed, out var error))
                throw new OptionsValidationException(nameof(AcquireOptions), typeof(AcquireOptions), [error]);

            var handler = CreateHandler(options, new GuardedConnector(allowed, options.Ports, time, resolve, dial));
            var hosts = new HostPace(options.MaxConcurrentRequests, options.ConnectionsPerHost, options.RequestsPerMinutePerHost, time);
            return new Guard(options, new UrlRules(allowed, options.Ports), hosts, new HttpMessageInvoker(handler));
        }

        /// <summary>A handler without any will of its own: no redirects, no proxy, no cookies, no decompression, no tracing headers.</summary>
        public static SocketsHttpHandler CreateHandler(AcquireOptions options, GuardedConnector connector) => new()
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = connector.ConnectAsync,
            ConnectTimeout = options.ConnectTimeout,
            MaxResponseDrainSize = 64 * 1024,
            MaxResponseHeadersLength = 64,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            ResponseHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8,
            UseCookies = false,
            UseProxy = false,
        };

        public void Dispose() => Client.Dispose();
    }
}

using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Webhooks;

/// <summary>
/// Sends what is due, beside the pipeline: what waits for a receiver are rows, so a stuck one delays nothing but itself. At least once:
/// a crash between sending and writing it down sends again, under the same id.
/// </summary>
public sealed class WebhookSender(
    NpgsqlDataSource worker, SafeHttp http, SecretBox secrets, RunningTasks running, IOptions<WebhookOptions> options, PipelineOptions pipeline, TimeProvider time, ILogger<WebhookSender> log)
    : BackgroundService
{
    // What the receiver asks for by Retry-After is believed up to here.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    // Beyond the exchange itself: reading the secret, and writing down what came of it while the database is slow.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(15);

    private readonly WebhookQueue _queue = new(worker);
    private readonly WebhookOptions _options = options.Value;

    /// <summary>Sends everything that is due now, and waits for it. How many were sent.</summary>
    public async Task<int> SendDueAsync(CancellationToken ct)
    {
        var sent = 0;
        while (await _queue.ClaimAsync(running.Worker, _options.MaxConcurrentRequests, _options.Timeout + Slack, ct) is { Count: > 0 } claimed)
        {
            await Task.WhenAll(claimed.Select(d => SendAsync(d, ct)));
            sent += claimed.Count;
        }
        return sent;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(pipeline.Poll, time);
        var under = new List<Task>();
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                under.RemoveAll(t => t.IsCompleted);
                // Slow receivers keep their own places busy; the others go on.
                if (_options.MaxConcurrentRequests - under.Count is > 0 and var free) under.AddRange(await ClaimAsync(free, stoppingToken));
            }
        }
        catch (OperationCanceledException)
        {
            // The program stops; what is under way is interrupted, and sent again by whoever runs next.
        }
        await Task.WhenAll(under).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<IEnumerable<Task>> ClaimAsync(int free, CancellationToken ct)
    {
        try
        {
            return (await _queue.ClaimAsync(running.Worker, free, _options.Timeout + Slack, ct)).Select(d => SendAsync(d, ct)).ToList();
        }
        catch (Exception e) when (Transient.Is(e) || e is NpgsqlException)
        {
            log.WebhooksNotClaimed(e.Message);
            return [];
        }
    }

    private async Task SendAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        try
        {
            var sent = await ExchangeAsync(delivery, ct);
            FaultPoints.Reach(FaultPoints.AfterWebhook, delivery.Event);
            if (!await _queue.SettleAsync(delivery, sent, ct)) return;
            if (sent.Error is { } error) log.WebhookFailed(delivery.PublicId, delivery.Endpoint, delivery.Attempt, error, sent.Wait is null ? "given up" : "tried again");
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The lease runs out, and whoever runs then sends it.
            return;
        }
        catch (Exception e) when (Transient.Is(e) || e is NpgsqlException)
        {
            log.WebhookNotSettled(delivery.PublicId, e.Message);
        }
    }

    private async Task<SentDelivery> ExchangeAsync(ClaimedDelivery delivery, CancellationToken ct)
    {
        var (at, started) = (time.GetUtcNow(), time.GetTimestamp());
        try
        {
            using var request = await RequestAsync(delivery, at, ct);
            var answer = await http.SendAsync(request, new(WebhookOptions.MaxReply, _options.Timeout), ct);
            return Judge(delivery, new(at, time.GetElapsedTime(started), answer.StatusCode, answer.Body.Length, null, null), answer.RetryAfter);
        }
        catch (IngestionException e)
        {
            // A refused address stays refused until somebody changes a setting; everything else may be better later.
            var refused = e.Code == ErrorCodes.BlockedUrl || e.Code == ErrorCodes.InvalidUrl;
            return new(at, time.GetElapsedTime(started), null, 0, ItemFailures.OneLine(e.Message), refused ? null : Wait(delivery, null));
        }
    }

    private async Task<HttpRequestMessage> RequestAsync(ClaimedDelivery delivery, DateTimeOffset at, CancellationToken ct)
    {
        var keys = new List<string> { await secrets.ReadAsync(delivery.TenantId, WebhookSecrets.Of(delivery.Endpoint), ct) };
        if (delivery.PreviousSecret && await secrets.FindAsync(delivery.TenantId, WebhookSecrets.PreviousOf(delivery.Endpoint), ct) is { } before) keys.Add(before);
        var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Payload)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Add(WebhookSignature.IdHeader, delivery.PublicId);
        request.Headers.Add(WebhookSignature.TimeHeader, at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Of(keys, delivery.PublicId, at, delivery.Payload));
        return request;
    }

    private SentDelivery Judge(ClaimedDelivery delivery, SentDelivery sent, TimeSpan? retryAfter) => sent.Status switch
    {
        >= 200 and < 300 => sent,
        410 => sent with { Error = "The receiver answered 410: it wants to hear no more.", Gone = true },
        >= 300 and < 400 => sent with { Error = $"The receiver answered {sent.Status}; redirects are not followed.", Wait = Wait(delivery, retryAfter) },
        _ => sent with { Error = $"The receiver answered {sent.Status}.", Wait = Wait(delivery, retryAfter) },
    };

    // Spread a little, so that what failed together does not come back together.
    private TimeSpan? Wait(ClaimedDelivery delivery, TimeSpan? asked)
    {
        if (_options.WaitAfter(delivery.Failures + 1) is not { } wait) return null;
        var spread = wait * (1 + 0.1 * Random.Shared.NextDouble());
        return asked is { } longer && longer > spread ? (longer < LongestWait ? longer : LongestWait) : spread;
    }
}

using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Decides whether a model's service may be called. Five failures in a row open it for 30 s; then one request is let through, whose
/// failure doubles the pause (up to five minutes) and whose answer closes it. A Retry-After pauses it as long as it says, an hour at most.
/// Not thread-safe: its owner calls it under its own lock.
/// </summary>
internal sealed class EmbeddingBreaker(string model, TimeProvider time, ILogger logger)
{
    public const int FailuresToOpen = 5;
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan LongestThrottle = TimeSpan.FromHours(1);

    private int _failures;
    private TimeSpan _backoff;
    private ErrorCode _reason = ErrorCodes.EmbeddingUnavailable;
    private DateTimeOffset _pausedUntil;

    /// <summary>
    /// Counts the pauses. A request carries the number it was sent under; what was sent before a pause tells nothing about the service after it.
    /// </summary>
    public int Epoch { get; private set; }

    /// <summary>True while a single request is to find out whether the service is back.</summary>
    public bool IsTrial => _backoff > TimeSpan.Zero;

    /// <summary>Null where a call may go out; else what its caller is told.</summary>
    public IngestionException? Refusal()
    {
        var left = _pausedUntil - time.GetUtcNow();
        if (left <= TimeSpan.Zero) return null;
        var message = _reason == ErrorCodes.EmbeddingThrottled
            ? $"The embedding service for {model} asked to slow down; it is called again in {Seconds(left)} s."
            : $"The embedding service for {model} failed {_failures} times in a row; it is called again in {Seconds(left)} s.";
        return new IngestionException(_reason, message) { RetryAfter = left };
    }

    /// <summary>The service answered, with vectors or with a refusal.</summary>
    public void Answered(int epoch)
    {
        if (epoch != Epoch) return;
        if (IsTrial) Log.EmbeddingServiceBack(logger, model);
        (_failures, _backoff) = (0, TimeSpan.Zero);
    }

    /// <summary>The service failed. True where this opened the breaker.</summary>
    public bool Failed(int epoch, IngestionException failure)
    {
        if (epoch != Epoch) return false;
        if (failure.Code == ErrorCodes.EmbeddingThrottled) return Throttle(failure.RetryAfter);
        if (++_failures < FailuresToOpen && !IsTrial) return false;
        _backoff = IsTrial ? Min(_backoff * 2, LongestPause) : FirstPause;
        Pause(ErrorCodes.EmbeddingUnavailable, failure.RetryAfter is { } wish && wish > _backoff ? Min(wish, LongestThrottle) : _backoff);
        Log.EmbeddingServiceDown(logger, model, _failures, failure.Code.Code, failure.Message, _pausedUntil - time.GetUtcNow());
        return true;
    }

    private bool Throttle(TimeSpan? retryAfter)
    {
        // It answered, so it is not down; without a time there is nothing to wait for here, the task's own retry waits.
        (_failures, _backoff) = (0, TimeSpan.Zero);
        if (retryAfter is not { } wait || wait <= TimeSpan.Zero) return false;
        Pause(ErrorCodes.EmbeddingThrottled, Min(wait, LongestThrottle));
        Log.EmbeddingServiceThrottles(logger, model, Min(wait, LongestThrottle));
        return true;
    }

    private void Pause(ErrorCode reason, TimeSpan pause)
    {
        Epoch++;
        _reason = reason;
        _pausedUntil = time.GetUtcNow() + pause;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static int Seconds(TimeSpan left) => (int)Math.Ceiling(left.TotalSeconds);
}

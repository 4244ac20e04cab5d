namespace Ingestion.Core.Pipeline;

/// <summary>Whether a failed attempt is followed by another one by itself, and when.</summary>
public sealed class RetryPolicy(RetryOptions options, IReadOnlyList<TimeSpan> acquireIntervals)
{
    /// <summary>
    /// The pause before the next attempt, or null where the failure is final. <paramref name="failures"/> counts those charged before
    /// this one; <paramref name="retryAfter"/>, what the other side asked for, is never undercut.
    /// </summary>
    public TimeSpan? Next(Stage stage, ErrorCode code, int failures, int maxRetries, TimeSpan? retryAfter)
    {
        // A fault of ours is tried once more: it may have been a surprise of the moment.
        var allowed = code.Retries ? maxRetries : code.Class == ErrorClass.Bug ? Math.Min(1, maxRetries) : 0;
        if (failures >= allowed) return null;
        var pause = stage is Stage.Acquire or Stage.Discover && acquireIntervals.Count > 0
            ? acquireIntervals[Math.Min(failures, acquireIntervals.Count - 1)]
            : TimeSpan.FromSeconds(Math.Min(options.MaxDelay.TotalSeconds, options.InitialDelay.TotalSeconds * Math.Pow(options.Factor, failures)));
        pause *= 1 + options.Jitter * (2 * Random.Shared.NextDouble() - 1);
        return retryAfter > pause ? retryAfter : pause;
    }
}

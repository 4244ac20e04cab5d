using Npgsql;
using Polly;
using Polly.Retry;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Does a short transaction again that lost to another one: a deadlock or a serialisation failure says nothing about what was asked.
/// Only what the server rolled back for certain is repeated; whether a commit whose reply was lost happened is not known here.
/// </summary>
internal static class Conflicts
{
    private static readonly ResiliencePipeline Pipeline = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<PostgresException>(e =>
                e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable),
            MaxRetryAttempts = 5,
            BackoffType = DelayBackoffType.Exponential,
            Delay = TimeSpan.FromMilliseconds(20),
            UseJitter = true,
        })
        .Build();

    public static async Task<T> RepeatAsync<T>(Func<CancellationToken, Task<T>> transaction, CancellationToken ct) =>
        await Pipeline.ExecuteAsync(async token => await transaction(token), ct);
}

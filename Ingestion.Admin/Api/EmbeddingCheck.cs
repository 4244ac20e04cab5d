using System.Globalization;
using Ingestion.Core.Embeddings;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ingestion.Admin.Api;

/// <summary>
/// The embedding service answers, by what came of this process's own requests: a look at it costs no call. The local model needs no network and
/// is always there. Never worse than degraded: documents wait for it, and words are still found.
/// </summary>
internal sealed class EmbeddingCheck(EmbeddingModels models, EmbeddingBatcher batcher) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(models.Default.IsLocal ? HealthCheckResult.Healthy() : Of(batcher.Standing));

    private static HealthCheckResult Of(EmbeddingStanding standing)
    {
        var answered = standing.AnsweredAt is { } at ? $"It last answered at {Stamp(at)}." : "It has not answered since this process started.";
        return standing switch
        {
            { FailedInRow: > 0, FailedAt: { } failed } => HealthCheckResult.Degraded(
                $"The embedding service failed: {standing.Code} at {Stamp(failed)}{(standing.FailedInRow > 1 ? string.Create(CultureInfo.InvariantCulture, $", {standing.FailedInRow} times in a row") : "")}. {answered}"),
            { AnsweredAt: null } => HealthCheckResult.Healthy("Nothing has been asked of the embedding service since this process started."),
            _ => HealthCheckResult.Healthy(answered),
        };
    }

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}

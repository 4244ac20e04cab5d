using Ingestion.Core.Sources;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Keeps requests to the embedding service within its rate, whichever process makes them: each takes its turn from a row that all share,
/// as those to other hosts do, and waits for it.
/// </summary>
/// <param name="service">The service's name among the rows: what it is asked for, and its host and port.</param>
public sealed class EmbeddingTurns(HostBudgets budgets, string service, int perMinute, TimeProvider time)
{
    public async Task WaitAsync(CancellationToken ct)
    {
        var turn = await budgets.ReserveAsync(service, perMinute, ct);
        if (turn.Wait > TimeSpan.Zero) await Task.Delay(turn.Wait, time, ct);
    }
}

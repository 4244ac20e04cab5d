using System.Collections.Concurrent;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// The one door to vectors in a process. Texts of documents that are embedded at the same time travel together, equal texts once;
/// a caller that gives up takes only its own texts back. A service that keeps failing is left alone for a while.
/// Keeps no vector: a caller embeds a long document in slices and stores each.
/// </summary>
public sealed class EmbeddingBatcher(IOptions<EmbeddingOptions> options, TimeProvider time, ILogger<EmbeddingBatcher> logger) : IDisposable
{
    /// <summary>Texts computed in one go; small enough that a cancel is felt at once.</summary>
    private const int LocalSlice = 8;

    private static readonly TaskScheduler Processors =
        new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, Environment.ProcessorCount).ConcurrentScheduler;

    private readonly ConcurrentDictionary<IEmbeddingGenerator<string, Embedding<float>>, Lazy<EmbeddingLane>> _lanes = new();
    private readonly EmbeddingTally _tally = new(time);

    public EmbeddingCounters Counters => _tally.Read();

    /// <summary>How the remote service answered last; nothing is asked of it for this.</summary>
    public EmbeddingStanding Standing => _tally.Standing;

    /// <summary>
    /// One vector per text, in order. Vectors may be shared with other callers: they are not to be changed.
    /// A local model's texts are computed at once, on as many threads as there are processors in the whole process.
    /// </summary>
    /// <exception cref="IngestionException">One of the <c>embedding_…</c> codes; with RetryAfter where the service or the breaker names a time.</exception>
    /// <exception cref="OperationCanceledException">This caller gave up; others are not disturbed.</exception>
    public Task<IReadOnlyList<float[]>> EmbedAsync(EmbeddingModel model, IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(texts);
        if (ct.IsCancellationRequested) return Task.FromCanceled<IReadOnlyList<float[]>>(ct);
        return model.IsLocal ? ComputeAsync(model, texts, ct) : LaneOf(model).EmbedAsync(texts, ct);
    }

    public void Dispose()
    {
        foreach (var lane in _lanes.Values) lane.Value.Dispose();
    }

    private EmbeddingLane LaneOf(EmbeddingModel model) => _lanes.GetOrAdd(
        model.Generator, _ => new Lazy<EmbeddingLane>(() => new EmbeddingLane(model, options.Value, _tally, time, logger))).Value;

    private async Task<IReadOnlyList<float[]>> ComputeAsync(EmbeddingModel model, IReadOnlyList<string> texts, CancellationToken ct)
    {
        var vectors = new float[texts.Count][];
        var slices = Enumerable.Range(0, (texts.Count + LocalSlice - 1) / LocalSlice);
        var parallel = new ParallelOptions { CancellationToken = ct, MaxDegreeOfParallelism = Environment.ProcessorCount, TaskScheduler = Processors };
        await Parallel.ForEachAsync(slices, parallel, async (slice, token) =>
        {
            var start = slice * LocalSlice;
            var part = texts.Skip(start).Take(LocalSlice).ToArray();
            var reply = await model.Generator.GenerateAsync(part, cancellationToken: token);
            for (var i = 0; i < part.Length; i++) vectors[start + i] = reply[i].Vector.ToArray();
        });
        _tally.Computed(texts.Count);
        return vectors;
    }
}

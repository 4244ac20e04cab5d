namespace Ingestion.Core.Indexing;

/// <summary>One generation's vectors. Any number search at once; adding waits for them and they for it.</summary>
public sealed class VectorRows(long generation, string model, int dimensions)
{
    private readonly VectorSearchRows<VectorKey> _rows = new(dimensions, (int)Math.Min(int.MaxValue, VectorIndex.MaxBytes / (dimensions * sizeof(float))));
    private readonly ReaderWriterLockSlim _turns = new();

    public long Generation { get; } = generation;

    public string Model { get; } = model;

    public int Dimensions { get; } = dimensions;

    /// <summary>Bytes of the vectors that are in.</summary>
    public long Bytes => (long)_rows.Count * Dimensions * sizeof(float);

    /// <summary>False where the bound is reached.</summary>
    public bool TryAdd(VectorKey key, ReadOnlySpan<byte> embedding)
    {
        _turns.EnterWriteLock();
        try
        {
            return _rows.TryAdd(key, embedding);
        }
        finally
        {
            _turns.ExitWriteLock();
        }
    }

    /// <summary>Chunks nearest to the query, nearest first.</summary>
    /// <param name="keep">Which rows count; null for all.</param>
    /// <param name="above">The dot product a row must exceed.</param>
    public IReadOnlyList<long> TopK(ReadOnlySpan<float> query, Func<VectorKey, bool>? keep, float above, int k, CancellationToken ct)
    {
        _turns.EnterReadLock();
        try
        {
            var best = keep is null ? _rows.TopK(query, k, ct) : _rows.TopK(query, k, keep, ct);
            return [.. best.Where(b => b.Score > above).Select(b => b.Key.Chunk)];
        }
        finally
        {
            _turns.ExitReadLock();
        }
    }
}

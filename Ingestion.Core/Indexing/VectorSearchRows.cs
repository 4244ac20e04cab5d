namespace Ingestion.Core.Indexing;

/// <summary>
/// Vectors of one length with their keys, in bounded memory, in blocks of contiguous rows that never move. Filled by one thread;
/// once filled, any number may search.
/// </summary>
/// <param name="dimensions">Floats in a row.</param>
/// <param name="maxRows">Rows it takes at most.</param>
public sealed class VectorSearchRows<TKey>(int dimensions, int maxRows)
{
    /// <summary>About 16 MB: large enough to scan in parallel, small enough that the last one wastes little.</summary>
    private readonly int _rowsPerBlock = Math.Max(1, (4 << 20) / dimensions);

    private readonly List<float[]> _blocks = [];
    private readonly List<TKey> _keys = [];

    public int Count => _keys.Count;

    public int Dimensions => dimensions;

    /// <summary>Bytes held for vectors, unused rows of the last block included.</summary>
    public long Bytes => (long)_blocks.Count * _rowsPerBlock * dimensions * sizeof(float);

    /// <summary>Takes a stored vector, copied once, straight into its row. False where the bound is reached.</summary>
    /// <exception cref="ArgumentException">The bytes are not a row of <see cref="Dimensions"/>.</exception>
    public bool TryAdd(TKey key, ReadOnlySpan<byte> embedding) => TryAdd(key, VectorSearchBytes.ToFloats(embedding));

    /// <inheritdoc cref="TryAdd(TKey, ReadOnlySpan{byte})"/>
    public bool TryAdd(TKey key, ReadOnlySpan<float> vector)
    {
        if (vector.Length != dimensions) throw new ArgumentException($"A vector of {vector.Length} among rows of {dimensions}.", nameof(vector));
        if (_keys.Count == maxRows) return false;
        var row = _keys.Count % _rowsPerBlock;
        if (row == 0) _blocks.Add(GC.AllocateUninitializedArray<float>(_rowsPerBlock * dimensions));
        vector.CopyTo(_blocks[^1].AsSpan(row * dimensions));
        _keys.Add(key);
        return true;
    }

    /// <summary>The <paramref name="k"/> keys whose vectors have the largest dot product with the query, largest first, equal ones in order of adding.</summary>
    public IReadOnlyList<(TKey Key, float Score)> TopK(ReadOnlySpan<float> query, int k, CancellationToken ct = default)
    {
        if (query.Length != dimensions) throw new ArgumentException($"A query of {query.Length} over rows of {dimensions}.", nameof(query));
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var best = new VectorSearchHeap(Math.Min(k, Count));
        for (var block = 0; block < _blocks.Count; block++)
        {
            var first = block * _rowsPerBlock;
            var rows = _blocks[block].AsMemory(0, Math.Min(_rowsPerBlock, Count - first) * dimensions);
            foreach (var hit in VectorSearch.TopK(query, rows, k, ct)) best.Add(hit with { Row = first + hit.Row });
        }
        return [.. best.Descending().Select(hit => (_keys[hit.Row], hit.Score))];
    }

    /// <summary>As <see cref="TopK(ReadOnlySpan{float}, int, CancellationToken)"/>, over the rows whose key is wanted; one thread, and only those rows are read.</summary>
    public IReadOnlyList<(TKey Key, float Score)> TopK(ReadOnlySpan<float> query, int k, Func<TKey, bool> keep, CancellationToken ct = default)
    {
        if (query.Length != dimensions) throw new ArgumentException($"A query of {query.Length} over rows of {dimensions}.", nameof(query));
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        var best = new VectorSearchHeap(Math.Min(k, Count));
        for (var row = 0; row < Count; row++)
        {
            if (row % 4096 == 0) ct.ThrowIfCancellationRequested();
            if (!keep(_keys[row])) continue;
            var vector = _blocks[row / _rowsPerBlock].AsSpan(row % _rowsPerBlock * dimensions, dimensions);
            best.Add(new(row, VectorSearch.Dot(query, vector)));
        }
        return [.. best.Descending().Select(hit => (_keys[hit.Row], hit.Score))];
    }
}

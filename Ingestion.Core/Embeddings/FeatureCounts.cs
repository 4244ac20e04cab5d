using System.Buffers;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Sums weights by 32-bit feature hash: an open table over pooled arrays, sized by its content alone, never by what the pool hands out,
/// so that the order of summing (and with it the last bit) is the same everywhere.
/// </summary>
internal sealed class FeatureCounts : IDisposable
{
    private const int InitialCapacity = 2048;

    private int _capacity = InitialCapacity;
    private int _count;
    private uint[] _hashes = Rent<uint>(InitialCapacity);
    private float[] _weights = Rent<float>(InitialCapacity);

    public bool IsEmpty => _count == 0;

    public void Add(uint hash, float weight)
    {
        // Zero marks a free place.
        if (hash == 0) hash = 1;
        var place = Place(hash);
        if (_hashes[place] == 0)
        {
            _hashes[place] = hash;
            if (++_count > _capacity / 8 * 5)
            {
                Grow();
                place = Place(hash);
            }
        }
        _weights[place] += weight;
    }

    /// <summary>Adds every feature to its place in the vector: the lowest bits choose it, the highest bit is the sign.</summary>
    /// <param name="vector">Its length is a power of two.</param>
    public void AddTo(Span<float> vector)
    {
        for (var i = 0; i < _capacity; i++)
        {
            var hash = _hashes[i];
            if (hash == 0) continue;
            // In double and rounded once: single-precision logarithms differ in the last bit between platforms.
            var weight = (float)Math.Log(1.0 + _weights[i]);
            vector[(int)(hash & (uint)(vector.Length - 1))] += hash >> 31 == 0 ? weight : -weight;
        }
    }

    public void Dispose()
    {
        ArrayPool<uint>.Shared.Return(_hashes);
        ArrayPool<float>.Shared.Return(_weights);
        _hashes = [];
        _weights = [];
        _capacity = 0;
    }

    private int Place(uint hash)
    {
        // The middle bits: the lowest also choose the place in the vector and would crowd together here.
        var mask = _capacity - 1;
        var place = (int)(hash * 2654435769u >> 7) & mask;
        while (_hashes[place] != 0 && _hashes[place] != hash) place = (place + 1) & mask;
        return place;
    }

    private void Grow()
    {
        var (hashes, weights, before) = (_hashes, _weights, _capacity);
        _capacity = before * 2;
        _hashes = Rent<uint>(_capacity);
        _weights = Rent<float>(_capacity);
        for (var i = 0; i < before; i++)
        {
            if (hashes[i] == 0) continue;
            var place = Place(hashes[i]);
            _hashes[place] = hashes[i];
            _weights[place] = weights[i];
        }
        ArrayPool<uint>.Shared.Return(hashes);
        ArrayPool<float>.Shared.Return(weights);
    }

    private static T[] Rent<T>(int length)
    {
        var array = ArrayPool<T>.Shared.Rent(length);
        Array.Clear(array, 0, length);
        return array;
    }
}

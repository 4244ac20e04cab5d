namespace Ingestion.Core.Indexing;

/// <summary>Keeps the best of any number of hits in memory for <paramref name="capacity"/>: a binary heap with the worst of them on top. Not thread-safe.</summary>
internal sealed class VectorSearchHeap(int capacity)
{
    private readonly VectorHit[] _hits = new VectorHit[capacity];
    private int _count;

    public void Add(VectorHit hit)
    {
        if (float.IsNaN(hit.Score)) return;
        if (_count < _hits.Length)
        {
            var at = _count++;
            for (; at > 0 && IsWorse(hit, _hits[(at - 1) / 2]); at = (at - 1) / 2) _hits[at] = _hits[(at - 1) / 2];
            _hits[at] = hit;
        }
        else if (_count > 0 && IsWorse(_hits[0], hit))
        {
            SinkFromTop(hit);
        }
    }

    public void AddAll(VectorSearchHeap other)
    {
        foreach (var hit in other._hits.AsSpan(0, other._count)) Add(hit);
    }

    /// <summary>Best first; equal scores by row.</summary>
    public VectorHit[] Descending()
    {
        var sorted = _hits[.._count];
        Array.Sort(sorted, (a, b) => IsWorse(a, b) ? 1 : IsWorse(b, a) ? -1 : 0);
        return sorted;
    }

    private void SinkFromTop(VectorHit hit)
    {
        var at = 0;
        for (int child; (child = 2 * at + 1) < _count; at = child)
        {
            if (child + 1 < _count && IsWorse(_hits[child + 1], _hits[child])) child++;
            if (!IsWorse(_hits[child], hit)) break;
            _hits[at] = _hits[child];
        }
        _hits[at] = hit;
    }

    private static bool IsWorse(VectorHit a, VectorHit b) => a.Score < b.Score || (a.Score == b.Score && a.Row > b.Row);
}

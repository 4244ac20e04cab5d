using System.Numerics;
using System.Runtime.InteropServices;

namespace Ingestion.Core.Indexing;

/// <summary>Exact nearest neighbours by dot product, which is the cosine for vectors of length 1. Reads every row once, on all processors.</summary>
public static class VectorSearch
{
    /// <summary>Below this many floats a second thread costs more than it saves (about 0.1 ms of work).</summary>
    private const int FloatsPerPart = 1 << 18;

    /// <summary>The <paramref name="k"/> rows with the largest dot product, largest first, equal ones by row number. Rows that give NaN are left out.</summary>
    /// <param name="query">Its length is the length of a row.</param>
    /// <param name="rows">Rows one after the other.</param>
    /// <param name="k">How many are wanted; fewer come back where there are fewer rows.</param>
    /// <param name="ct">Looked at between parts of about a megabyte.</param>
    /// <exception cref="ArgumentException">An empty query, or memory that does not divide into rows of its length.</exception>
    public static IReadOnlyList<VectorHit> TopK(ReadOnlySpan<float> query, ReadOnlyMemory<float> rows, int k, CancellationToken ct = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (query.IsEmpty) throw new ArgumentException("The query is empty.", nameof(query));
        if (rows.Length % query.Length != 0) throw new ArgumentException($"{rows.Length} floats are not rows of {query.Length}.", nameof(rows));

        var dimensions = query.Length;
        var count = rows.Length / dimensions;
        var rowsPerPart = Math.Max(1, FloatsPerPart / dimensions);
        var parts = (count + rowsPerPart - 1) / rowsPerPart;
        var best = new VectorSearchHeap(Math.Min(k, count));
        if (parts <= 1)
        {
            Scan(query, rows.Span, 0, count, best);
            return best.Descending();
        }

        var wanted = query.ToArray();
        var options = new ParallelOptions { CancellationToken = ct, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, parts, options, () => new VectorSearchHeap(Math.Min(k, count)), (part, _, heap) =>
        {
            var first = part * rowsPerPart;
            Scan(wanted, rows.Span, first, Math.Min(first + rowsPerPart, count), heap);
            return heap;
        }, heap =>
        {
            lock (best) best.AddAll(heap);
        });
        return best.Descending();
    }

    /// <summary>Dot product of two vectors of one length. Sums in another order than a plain loop, so the last bits may differ from it.</summary>
    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length) throw new ArgumentException($"A vector of {a.Length} does not fit one of {b.Length}.", nameof(b));
        var x = MemoryMarshal.Cast<float, Vector<float>>(a);
        var y = MemoryMarshal.Cast<float, Vector<float>>(b)[..x.Length];
        // Four sums: one alone would wait for each addition to end before the next.
        Vector<float> s0 = default, s1 = default, s2 = default, s3 = default;
        var i = 0;
        for (; i + 3 < x.Length; i += 4)
        {
            s0 += x[i] * y[i];
            s1 += x[i + 1] * y[i + 1];
            s2 += x[i + 2] * y[i + 2];
            s3 += x[i + 3] * y[i + 3];
        }
        for (; i < x.Length; i++) s0 += x[i] * y[i];
        var sum = Vector.Sum(s0 + s1 + (s2 + s3));
        for (var j = x.Length * Vector<float>.Count; j < a.Length; j++) sum += a[j] * b[j];
        return sum;
    }

    private static void Scan(ReadOnlySpan<float> query, ReadOnlySpan<float> rows, int first, int end, VectorSearchHeap best)
    {
        for (var row = first; row < end; row++)
            best.Add(new VectorHit(row, Dot(query, rows.Slice(row * query.Length, query.Length))));
    }
}

/// <param name="Row">Number of the row, from 0.</param>
/// <param name="Score">Dot product with the query.</param>
public readonly record struct VectorHit(int Row, float Score);

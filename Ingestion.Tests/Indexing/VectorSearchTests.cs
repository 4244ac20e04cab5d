using Ingestion.Core.Indexing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Indexing;

public sealed class VectorSearchTests
{
    /// <summary>Small whole numbers: every sum is exact, whatever its order, so that results can be compared for equality.</summary>
    private static float[] Random(int seed, int length)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, length).Select(_ => (float)random.Next(-4, 5))];
    }

    private static IEnumerable<VectorHit> BruteForce(float[] query, float[] rows, int k) => Enumerable.Range(0, rows.Length / query.Length)
        .Select(row => new VectorHit(row, Enumerable.Range(0, query.Length).Sum(i => query[i] * rows[row * query.Length + i])))
        .OrderByDescending(h => h.Score).ThenBy(h => h.Row).Take(k);

    [Theory]
    [InlineData(1, 50, 10)]
    [InlineData(3, 1000, 25)]
    [InlineData(7, 1000, 1)]
    [InlineData(31, 500, 500)]
    [InlineData(32, 500, 600)]
    [InlineData(256, 5000, 40)]
    [InlineData(1023, 700, 10)]
    [InlineData(1024, 2000, 100)]
    public void Equals_brute_force(int dimensions, int count, int k)
    {
        var (query, rows) = (Random(1, dimensions), Random(2, dimensions * count));
        VectorSearch.TopK(query, rows, k).ShouldBe(BruteForce(query, rows, k));
    }

    [Fact]
    public void Equal_scores_come_by_row()
    {
        var rows = Enumerable.Repeat(1f, 300_000).ToArray();
        VectorSearch.TopK([1f, 1f], rows, 5).Select(h => h.Row).ShouldBe([0, 1, 2, 3, 4]);
    }

    [Fact]
    public void Rows_that_are_not_numbers_are_left_out() =>
        VectorSearch.TopK([1f], new[] { float.NaN, 2f, float.NaN, 3f }, 4).Select(h => h.Row).ShouldBe([3, 1]);

    [Fact]
    public void No_rows_no_hits() => VectorSearch.TopK([1f, 2f], Array.Empty<float>(), 3).ShouldBeEmpty();

    [Fact]
    public void Memory_that_does_not_divide_into_rows_is_refused()
    {
        Should.Throw<ArgumentException>(() => VectorSearch.TopK([1f, 2f], new float[3], 1));
        Should.Throw<ArgumentException>(() => VectorSearch.TopK([], new float[3], 1));
        Should.Throw<ArgumentException>(() => VectorSearch.TopK([1f], new float[3], 0));
        Should.Throw<ArgumentException>(() => VectorSearch.Dot([1f], [1f, 2f]));
    }

    [Fact]
    public void A_cancelled_search_stops()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        Should.Throw<OperationCanceledException>(() => VectorSearch.TopK(new float[1024], new float[1024 * 2000], 5, cancel.Token));
    }

    [Fact]
    public void Bytes_are_little_endian_and_come_back_as_they_went()
    {
        VectorSearchBytes.ToBytes([1f, -2.5f]).ShouldBe([0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC0]);
        float[] vector = [0f, float.MinValue, 1e-40f, MathF.PI];
        VectorSearchBytes.ToFloats(VectorSearchBytes.ToBytes(vector)).ToArray().ShouldBe(vector);
        VectorSearchBytes.ToFloats([]).Length.ShouldBe(0);
        Should.Throw<ArgumentException>(() => VectorSearchBytes.ToFloats(new byte[6]).Length);
    }

    [Fact]
    public void Rows_over_several_blocks_equal_brute_force()
    {
        const int dimensions = 2048, count = 5000;
        var (query, data) = (Random(3, dimensions), Random(4, dimensions * count));
        var rows = new VectorSearchRows<string>(dimensions, count);
        for (var i = 0; i < count; i++)
            rows.TryAdd($"key {i}", VectorSearchBytes.ToBytes(data.AsSpan(i * dimensions, dimensions))).ShouldBeTrue();

        rows.TopK(query, 30).ShouldBe(BruteForce(query, data, 30).Select(h => ($"key {h.Row}", h.Score)));
        rows.Bytes.ShouldBeInRange(dimensions * count * 4L, dimensions * count * 4L + (16 << 20));
    }

    [Fact]
    public void Rows_keep_their_bound_and_their_length()
    {
        var rows = new VectorSearchRows<int>(2, maxRows: 1);
        rows.TopK([1f, 0f], 3).ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => rows.TryAdd(1, [1f, 2f, 3f]));
        rows.TryAdd(1, [1f, 2f]).ShouldBeTrue();
        rows.TryAdd(2, [3f, 4f]).ShouldBeFalse();
        rows.TopK([1f, 1f], 3).ShouldBe([(1, 3f)]);
        Should.Throw<ArgumentException>(() => rows.TopK([1f], 3));
    }
}

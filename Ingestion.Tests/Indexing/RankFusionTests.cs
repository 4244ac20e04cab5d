using Ingestion.Core.Indexing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Indexing;

public sealed class RankFusionTests
{
    private static IEnumerable<long> Order(params IReadOnlyList<long>[] lists) => RankFusion.Fuse(lists).Select(f => f.Id);

    [Fact]
    public void What_both_lists_like_comes_first() => Order([1, 2, 3], [4, 3, 5]).First().ShouldBe(3);

    [Fact]
    public void One_list_keeps_its_order() => Order([7, 5, 6]).ShouldBe([7, 5, 6]);

    [Fact]
    public void Equal_scores_keep_the_order_of_the_lists() => Order([1, 2], [3, 4]).ShouldBe([1, 3, 2, 4]);

    [Fact]
    public void A_repeated_id_counts_once_per_list()
    {
        var fused = RankFusion.Fuse<long>([9, 9, 9, 8]);
        fused.ShouldBe([new Fused<long>(9, 1.0 / 61), new Fused<long>(8, 1.0 / 64)]);
    }

    [Fact]
    public void Scores_are_sums_of_reciprocal_ranks() =>
        RankFusion.Fuse<string>(["a", "b"], ["b"]).ShouldBe([new Fused<string>("b", 1.0 / 62 + 1.0 / 61), new Fused<string>("a", 1.0 / 61)]);

    [Fact]
    public void Nothing_fuses_to_nothing()
    {
        RankFusion.Fuse<int>().ShouldBeEmpty();
        RankFusion.Fuse<int>([], []).ShouldBeEmpty();
    }
}

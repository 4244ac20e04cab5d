using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class RemainingTimeTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly BatchCounts Counts = BatchCounts.None with { Total = 500, Open = 400, Running = 4 };
    private static readonly WorkPlaces Places = new(4, StageOrder.Standard.ToDictionary(s => s, _ => 8));

    // 400 documents of 10,000 bytes and 10 chunks each; a second to acquire, two to parse, a tenth a chunk to embed and to index.
    private static readonly BatchOutlook Outlook = new(
        [new(Stage.Acquire, 400, 0, 0, 0, 0)],
        [new(Stage.Acquire, 100, 100, 1_000_000, 0), new(Stage.Parse, 100, 200, 1_000_000, 1000), new(Stage.Embed, 100, 100, 1_000_000, 1000), new(Stage.Index, 100, 100, 1_000_000, 1000)],
        [], [], Places);

    [Fact]
    public void Work_of_every_stage_is_shared_by_the_places_of_the_batch()
    {
        // 400 × (1 + 2 + 1 + 1) s in four places: 500 s, with a margin of 0.15 + 0.6 / √100.
        var time = Estimate(Outlook).ShouldNotBeNull();
        time.AtBest.TotalSeconds.ShouldBe(500 / 1.21, tolerance: 1);
        time.AtWorst.TotalSeconds.ShouldBe(500 * 1.21, tolerance: 1);
        time.Host.ShouldBeNull();
    }

    [Fact]
    public void A_stage_with_few_slots_holds_up_the_others()
    {
        var narrow = Outlook with { Places = Places with { Stages = new Dictionary<Stage, int>(Places.Stages) { [Stage.Parse] = 1 } } };
        Estimate(narrow)!.AtBest.TotalSeconds.ShouldBe(800 / 1.21, tolerance: 1);
    }

    [Fact]
    public void What_is_past_a_stage_is_not_counted_there_and_known_sizes_go_before_the_mean()
    {
        // 10 documents with a chunk each wait to be published: one second in all, in four places.
        var nearly = Outlook with { Left = [new(Stage.Index, 10, 10, 10_000_000, 10, 10)] };
        Estimate(nearly)!.AtBest.TotalSeconds.ShouldBe(0.25 / 1.21, tolerance: 0.01);
        // 10 documents of 1 MB each instead of 10 kB: a hundred times the work for each.
        var large = Outlook with { Left = [new(Stage.Parse, 10, 10, 10_000_000, 0, 0)] };
        Estimate(large)!.AtBest.TotalSeconds.ShouldBe((2000 + 1000 + 1000) / 4 / 1.21, tolerance: 2);
    }

    [Fact]
    public void A_hosts_pace_decides_where_it_takes_longer_than_the_work()
    {
        var paced = Outlook with { Hosts = [new("fast.example", 100, 120, null), new("slow.example", 300, 12, Now.AddMinutes(5))] };
        var time = Estimate(paced).ShouldNotBeNull();
        time.Host!.Host.ShouldBe("slow.example");
        // 25 minutes at 12 a minute, after 5 minutes away.
        time.AtBest.TotalMinutes.ShouldBe(30 / 1.21, tolerance: 0.1);
    }

    [Fact]
    public void Batches_before_tell_what_to_expect_of_stages_that_were_not_come_to()
    {
        var begun = Outlook with { Measured = [Outlook.Measured[0] with { Tasks = 2, Bytes = 20_000 }] };
        Estimate(begun).ShouldBeNull();
        Estimate(begun with { Prior = Outlook.Measured }).ShouldNotBeNull().AtBest.TotalSeconds.ShouldBe(500 / 1.21, tolerance: 1);
    }

    [Fact]
    public void The_pace_of_whole_documents_widens_the_range()
    {
        // 40 a minute: 400 take ten minutes rather than 500 s.
        var time = RemainingTime.Estimate(Outlook, Counts, new(40, 200, 5, 2000, 0), Now).ShouldNotBeNull();
        time.AtBest.TotalSeconds.ShouldBe(500 / 1.21, tolerance: 1);
        time.AtWorst.TotalMinutes.ShouldBe(10 * 1.21, tolerance: 0.1);
    }

    [Fact]
    public void It_is_not_known_while_items_are_found_while_nothing_moves_and_without_work_seen()
    {
        Estimate(Outlook, Counts with { Discovering = 1 }).ShouldBeNull();
        Estimate(Outlook, Counts with { Running = 0 }).ShouldBeNull();
        Estimate(Outlook with { Measured = [] }).ShouldBeNull();
        Estimate(BatchOutlook.None).ShouldBeNull();
        Estimate(Outlook, Counts with { Open = 0 }).ShouldBeNull();
    }

    [Theory]
    [InlineData(20, 40, "less than a minute")]
    [InlineData(20, 100, "up to 2 minutes")]
    [InlineData(1800, 2650, "30 to 45 minutes")]
    [InlineData(2040, 2050, "about 34 minutes")]
    [InlineData(3600, 10_000, "1 to 3 hours")]
    public void Ranges_read_as_people_say_them(int least, int most, string words) =>
        Spans.Range(TimeSpan.FromSeconds(least), TimeSpan.FromSeconds(most)).ShouldBe(words);

    private static RemainingTime? Estimate(BatchOutlook outlook, BatchCounts? counts = null) => RemainingTime.Estimate(outlook, counts ?? Counts, BatchPace.None, Now);
}

using Ingestion.Admin.Components.Pages.Batches;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class BatchWordsTests
{
    [Fact]
    public void The_three_figures_are_in_the_agreed_words()
    {
        var counts = Batch.Counts(10, acquired: 5, done: 1);
        BatchWords.Downloading(counts).ShouldBe("Downloading 5/10");
        BatchWords.Ingested(counts).ShouldBe("Ingested 1/10");
        BatchWords.Overall(counts).ShouldBe("30%");
    }

    [Theory]
    [InlineData(0, 0, 0, "0%")]
    [InlineData(9999, 9999, 9998, "99.9%")]
    [InlineData(10_000, 1, 0, "0.1%")]
    [InlineData(3, 3, 3, "100%")]
    public void Only_what_is_complete_reads_100_and_only_nothing_reads_0(int total, int acquired, int done, string overall) =>
        BatchWords.Overall(Batch.Counts(total, acquired, done)).ShouldBe(overall);

    [Fact]
    public void Endings_name_what_happened_and_leave_out_what_did_not()
    {
        BatchWords.Endings(Batch.Counts(2000, done: 1204, failed: 16)).ShouldBe("1,204 published, 16 failed");
        BatchWords.Endings(Batch.Counts(5)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(BatchState.Running, 0, "Nothing discovered yet")]
    [InlineData(BatchState.Completed, 0, "Nothing was found")]
    [InlineData(BatchState.Failed, 1, "Nothing could be discovered")]
    public void Without_documents_the_line_says_what_became_of_that(BatchState state, int failedInputs, string text) =>
        BatchWords.Progress(Batch.In(state, Batch.Counts(0, failedInputs: failedInputs))).ShouldBe(text);

    [Fact]
    public void The_rate_is_told_once_enough_has_ended()
    {
        BatchWords.Rate(new(100, 300, 5, 3000, 0)).ShouldBe("60 documents a minute");
        BatchWords.Rate(BatchPace.None).ShouldBe("not known yet");
        BatchWords.Rate(new(4, 4, 0.1, 40, 0)).ShouldBe("not known yet");
    }

    [Fact]
    public void A_step_expects_what_did_not_end_before_it_and_tells_its_failures_apart()
    {
        // 40: 8 failed while downloading, 2 still download, 1 failed in parsing, 4 wait to be embedded, 25 are published.
        var live = BatchLive.None with
        {
            Stages =
            [
                new(Stage.Acquire, Open: 2, Running: 2, Ended: 8, Failed: 8, Cancelled: 0), new(Stage.Parse, 0, 0, 1, 1, 0),
                new(Stage.Embed, 4, 0, 0, 0, 0), new(Stage.Index, 0, 0, 25, 0, 0),
            ],
        };
        var strip = BatchWords.Strip(Batch.Counts(40, done: 25, failed: 9), live);
        strip.Select(s => (s.Name, s.Done, s.Total, s.Failed)).ShouldBe(
        [
            ("Discovered", 40, 40, 0), ("Acquired", 30, 40, 8), ("Parsed", 29, 32, 1), ("Embedded", 25, 31, 0), ("Published", 25, 31, 0),
        ]);
        strip[1].Active.ShouldBeTrue();
        strip[2].IsComplete.ShouldBeFalse();
    }

    [Fact]
    public void While_items_are_found_no_step_knows_its_total()
    {
        var strip = BatchWords.Strip(Batch.Counts(1240, discovering: 1), BatchLive.None);
        strip.ShouldAllBe(s => s.Total == null);
        strip[0].Done.ShouldBe(1240);
        strip[0].Active.ShouldBeTrue();
    }
}

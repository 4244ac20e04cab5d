using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class WaitWordsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Every_reason_has_a_sentence_of_its_own()
    {
        var sentences = Reasons.Closed.Select(r => WaitSentence.Of(new Waiting(1, r, Now.AddSeconds(12), "3"), Now)).ToList();
        sentences.ShouldBeUnique();
        sentences.ShouldAllBe(s => s.EndsWith('.') && !s.StartsWith("Waits ("));
    }

    [Theory]
    [InlineData(WaitReasons.Retry, null, "An attempt failed; the next one starts in 12 s.")]
    [InlineData(WaitReasons.HostPacing, "example.org", "The host example.org is asked slowly; its turn comes in 12 s.")]
    [InlineData(HoldReasons.BatchWorkers, "1", "The batch has 1 document at work at once, as its options say; waits for a free place.")]
    [InlineData(HoldReasons.BatchQueued, "4", "The batch waits for its turn: 4 are active at a time.")]
    public void Sentences_name_what_is_waited_for(string reason, string? subject, string sentence) =>
        WaitSentence.Of(new Waiting(1, reason, Now.AddSeconds(12), subject), Now).ShouldBe(sentence);

    [Theory]
    [InlineData(HoldReasons.NotStarted, "start")]
    [InlineData(HoldReasons.BatchPaused, "resume")]
    [InlineData(WaitReasons.Retry, "try-now")]
    [InlineData(WaitReasons.StorageFull, "try-now")]
    public void What_a_person_can_end_has_its_button(string reason, string act) => WaitHelp.Of(reason, "job_1")!.Act.ShouldBe(act);

    [Fact]
    public void Every_pause_of_ours_can_be_cut_short_and_what_helps_elsewhere_is_a_link()
    {
        WaitReasons.OurPauses.ShouldAllBe(r => WaitHelp.Of(r, "job_1")!.Act == WaitHelp.TryNow);
        WaitHelp.Of(HoldReasons.BatchWorkers, "job_1")!.Href.ShouldBe("/batches/job_1/settings");
        WaitHelp.Of(HoldReasons.Running, "job_1").ShouldBeNull();
    }

    [Theory]
    [InlineData(BatchState.Pending, "The batch has not been started.")]
    [InlineData(BatchState.Queued, "The batch waits for its turn among the active ones.")]
    [InlineData(BatchState.Paused, "The batch is paused.")]
    [InlineData(BatchState.Running, null)]
    public void A_batch_that_stands_still_says_why(BatchState state, string? sentence) => WaitWords.Of(Batch.In(state)).ShouldBe(sentence);
}

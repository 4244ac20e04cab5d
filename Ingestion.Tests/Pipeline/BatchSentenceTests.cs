using Ingestion.Core.Pipeline;
using Ingestion.Tests.Admin.Batches;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class BatchSentenceTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly BatchLive Working = new([], [], BatchPace.None, 1);

    [Theory]
    [InlineData(BatchState.Pending, "Not started: 412 documents wait until somebody starts the batch.")]
    [InlineData(BatchState.Paused, "Paused: 412 documents wait until somebody resumes the batch.")]
    [InlineData(BatchState.Running, "Running: 412 documents left; how long that takes is not known yet.")]
    public void A_batch_says_where_it_stands(BatchState state, string sentence) => Of(Batch.In(state, Batch.Counts(500, done: 88))).ShouldBe(sentence);

    [Fact]
    public void A_host_that_most_wait_for_is_named_with_its_pace_and_how_long_that_takes()
    {
        var live = Working with
        {
            Waiting = [new(WaitReasons.HostPacing, "example.org", 400, Now, Now), new(HoldReasons.StageBusy, "parse", 12, null, null)],
            Outlook = BatchOutlook.None with { Hosts = [new("example.org", 412, 12, null)] },
        };
        Of(Batch.In(BatchState.Running, Batch.Counts(500, done: 88)), live).ShouldBe("Waiting: host example.org allows 12 requests a minute, 412 pages left, about 34 minutes.");
        var away = live with { Outlook = BatchOutlook.None with { Hosts = [new("example.org", 1, 0, Now.AddMinutes(5))] } };
        Of(Batch.In(BatchState.Running, Batch.Counts(500, done: 88)), away).ShouldBe("Waiting: host example.org asked us to stay away (about 5 minutes), 1 page left.");
    }

    [Fact]
    public void Without_a_worker_that_is_what_it_waits_for() =>
        Of(Batch.In(BatchState.Running, Batch.Counts(5)), Working with { Workers = 0 }).ShouldBe("Waiting: no worker is running, 5 documents left.");

    [Fact]
    public void Where_nothing_is_at_work_the_commonest_wait_is_told() =>
        Of(Batch.In(BatchState.Running, Batch.Counts(5)), Working with { Waiting = [new(WaitReasons.EmbeddingUnavailable, "embed", 5, Now.AddSeconds(5), Now)] })
            .ShouldBe("Waiting: the embedding service does not answer; it is asked again in 5 s.");

    [Fact]
    public void While_items_are_found_their_number_so_far_is_told() =>
        Of(Batch.In(BatchState.Running, Batch.Counts(1240, done: 3, discovering: 1))).ShouldBe("Discovering: 1,240 documents so far, 3 ended.");

    [Fact]
    public void An_end_tells_its_message_and_what_was_not_read_yet_nothing()
    {
        Of(Batch.In(BatchState.Failed, Batch.Counts(1, failed: 1)) with { Message = "Every document failed." }).ShouldBe("Every document failed.");
        Of(Batch.In(BatchState.Completed, Batch.Counts(1, done: 1))).ShouldBeNull();
        Of(Batch.In(BatchState.Running, Batch.Counts(5)), BatchLive.None).ShouldBeNull();
    }

    private static string? Of(BatchView batch, BatchLive? live = null) => BatchSentence.Of(batch, live ?? Working, Now);
}

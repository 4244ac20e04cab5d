using Ingestion.Admin.Components.Pages.Batches;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class BatchActsTests
{
    [Theory]
    [InlineData(BatchState.Pending, "Cancel Start")]
    [InlineData(BatchState.Queued, "Cancel Pause")]
    [InlineData(BatchState.Running, "Cancel Pause")]
    [InlineData(BatchState.Retrying, "Cancel Pause")]
    [InlineData(BatchState.Paused, "Cancel Resume")]
    [InlineData(BatchState.Completed, "")]
    [InlineData(BatchState.Failed, "")]
    [InlineData(BatchState.Cancelled, "")]
    public void Each_state_allows_its_acts(BatchState state, string acts) => Names(Batch.In(state, Batch.Counts(5))).ShouldBe(acts);

    [Theory]
    [InlineData(BatchState.Running, "Cancel Retry Pause")]
    [InlineData(BatchState.Completed, "Retry")]
    [InlineData(BatchState.Pending, "Cancel Start")]
    public void Failures_can_be_retried_once_the_batch_was_started(BatchState state, string acts) => Names(Batch.In(state, Batch.Counts(5, failed: 1))).ShouldBe(acts);

    [Fact]
    public void A_source_that_failed_can_be_retried_although_no_document_did() =>
        Names(Batch.In(BatchState.Failed, Batch.Counts(0, failedInputs: 1))).ShouldBe("Retry");

    [Fact]
    public void A_draft_and_a_batch_being_cancelled_allow_nothing()
    {
        Names(Batch.In(BatchState.Pending, draft: true)).ShouldBeEmpty();
        Names(Batch.In(BatchState.Running, Batch.Counts(5, failed: 1), DesiredState.Cancel)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(8, 0, "Retry failed (8)")]
    [InlineData(0, 1_240, "Retry cancelled (1,240)")]
    [InlineData(2, 3, "Retry failed and cancelled (5)")]
    public void The_retry_button_names_what_it_hits(int failed, int cancelled, string label) =>
        BatchActs.RetryLabel(Batch.Counts(2000, failed: failed, cancelled: cancelled)).ShouldBe(label);

    [Fact]
    public void The_question_before_a_cancel_names_how_many_it_hits_and_what_stays()
    {
        var question = BatchActs.CancelQuestion(Batch.In(BatchState.Running, Batch.Counts(900, done: 250, running: 4, discovering: 1)));
        question.Text.ShouldBe("650 documents of 900 will be dropped (4 at work now). Nothing more is discovered. 250 documents already published stay searchable.");
        question.Action.ShouldBe("Cancel batch");
    }

    private static string Names(BatchView batch) => string.Join(' ', BatchActs.Of(batch));
}

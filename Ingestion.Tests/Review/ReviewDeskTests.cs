using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

public sealed class ReviewDeskTests : DatabaseTest
{
    private static readonly Actor Reviewer = Make.Actor with { Reason = "Not ours." };
    private ReviewSeed? _seed;

    private ReviewSeed Seed => _seed ??= new(Spine, Make);

    [Fact]
    public async Task A_batch_ends_when_nothing_but_review_is_left_and_says_how_many()
    {
        var (batch, reviews) = await Seed.BatchAsync(3);
        reviews.Count.ShouldBe(3);
        (await BatchAsync(batch)).ShouldBe(("completed", 3, "3 documents wait for review."));
        (await new WhyWaiting(Database, Spine.Options).ForBatchAsync("default", batch, CancellationToken.None)).Select(w => (w.Reason, w.Count)).ShouldBe([(HoldReasons.Review, 3)]);
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Of_two_who_decide_one_item_the_second_is_told_what_the_first_did()
    {
        var (_, reviews) = await Seed.BatchAsync(1, others: 1);
        (await Seed.Desk.ApproveAsync(Reviewer, reviews[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        var second = await Seed.Desk.RejectAsync(Reviewer with { Name = "other" }, reviews[0], 1, CancellationToken.None);
        (second.Outcome, second.Version).ShouldBe((ReviewOutcome.Conflict, 2));
        second.Message.ShouldContain("approved");
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Of_many_at_once_one_decides()
    {
        var (_, reviews) = await Seed.BatchAsync(1, others: 1);
        var results = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => i % 2 == 0
            ? Seed.Desk.ApproveAsync(Reviewer with { Name = $"r{i}" }, reviews[0], 1, CancellationToken.None)
            : Seed.Desk.RejectAsync(Reviewer with { Name = $"r{i}" }, reviews[0], 1, CancellationToken.None)));
        results.Count(r => r.Outcome == ReviewOutcome.Done).ShouldBe(1);
        results.Count(r => r.Outcome == ReviewOutcome.Conflict).ShouldBe(11);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.review_decision")).ShouldBe(1);
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Approval_goes_on_in_an_ended_batch_and_leaves_its_word()
    {
        var (batch, reviews) = await Seed.BatchAsync(2);
        (await Seed.Desk.ApproveAsync(Reviewer, reviews[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        var task = (await Spine.ClaimAsync(Stage.Embed)).ShouldHaveSingleItem();
        await NothingIsWrongAsync();
        await Spine.DoneAsync(task);
        (await BatchAsync(batch)).State.ShouldBe("completed");
        await Spine.FailAsync((await Spine.ClaimAsync(Stage.Index)).Single(), ErrorCodes.NoText);
        (await BatchAsync(batch)).ShouldBe(("completed", 1, "1 document waits for review."));
        (await QueryAsync<bool>("SELECT DISTINCT active FROM ingestion.import_job WHERE batch_id = $1", batch)).ShouldBe([false]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE batch_id = $1 AND kind = 'batch_completed'", batch)).ShouldBe(1);
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Rejection_wants_a_reason_and_ends_the_item()
    {
        var (batch, reviews) = await Seed.BatchAsync(1, others: 1);
        (await Seed.Desk.RejectAsync(Make.Actor, reviews[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.RejectAsync(Reviewer, reviews[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await QueryAsync<string>("SELECT state || ' ' || error_code || ' ' || error_message FROM ingestion.import_item WHERE batch_id = $1 AND state <> 'open'", batch)).ShouldBe(["rejected rejected Not ours."]);
        // What a person turned away is nothing that failed.
        (await Spine.Retry.RetryAsync(Make.Actor, batch, RetryScope.Failed, null, null, CancellationToken.None)).Done.ShouldBeFalse();
        (await QueryAsync<string>("SELECT action FROM ingestion.audit_entry WHERE target = $1", $"review {reviews[0]}")).ShouldBe(["review_reject"]);
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Sent_back_it_runs_from_there()
    {
        var (_, reviews) = await Seed.BatchAsync(1);
        (await Seed.Desk.SendBackAsync(Reviewer, reviews[0], 1, Stage.Index, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.SendBackAsync(Reviewer, reviews[0], 1, Stage.Parse, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await Spine.ClaimAsync(Stage.Parse)).Count.ShouldBe(1);
        (await Seed.Queries.FindAsync("default", reviews[0], CancellationToken.None))!.Review.State.ShouldBe(ReviewStates.SentBack);
        await NothingIsWrongAsync();
    }

    [Theory]
    [InlineData("approve")]
    [InlineData("reject")]
    [InlineData("send_back")]
    public async Task Taking_a_decision_back_restores_the_document_and_it_can_be_decided_again(string action)
    {
        var (batch, reviews) = await Seed.BatchAsync(2);
        var (before, fields) = (await BatchAsync(batch), await FieldsAsync(reviews[0]));
        (await DecideAsync(action, reviews[0], 1)).Outcome.ShouldBe(ReviewOutcome.Done);
        if (action != "reject") (await Spine.ClaimAsync(action == "approve" ? Stage.Embed : Stage.Parse)).Count.ShouldBe(1);

        (await Seed.Desk.UndoAsync(Reviewer, reviews[0], 2, CancellationToken.None)).ShouldBe(new(ReviewOutcome.Done, $"Taken back: {action.Replace('_', ' ')}.", 3));
        (await BatchAsync(batch)).ShouldBe(before);
        (await FieldsAsync(reviews[0])).ShouldBe(fields);
        (await QueryAsync<string>("SELECT DISTINCT state || ' ' || stage FROM ingestion.import_item WHERE batch_id = $1", batch)).ShouldBe(["open review"]);
        await NothingIsWrongAsync();

        (await Seed.Desk.UndoAsync(Reviewer, reviews[0], 3, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await DecideAsync(action, reviews[0], 3)).Outcome.ShouldBe(ReviewOutcome.Done);
        await NothingIsWrongAsync();
        (await Seed.Queries.FindAsync("default", reviews[0], CancellationToken.None))!.Decisions.Select(d => (d.Action, d.TakenBack)).ShouldBe([(action, true), ("undo", false), (action, false)]);
    }

    [Fact]
    public async Task What_a_worker_still_does_for_a_decision_taken_back_is_not_written()
    {
        var (_, reviews) = await Seed.BatchAsync(1);
        await Seed.Desk.ApproveAsync(Reviewer, reviews[0], 1, CancellationToken.None);
        var running = (await Spine.ClaimAsync(Stage.Embed)).Single();
        await Seed.Desk.UndoAsync(Reviewer, reviews[0], 2, CancellationToken.None);
        (await Spine.DoneAsync(running)).ShouldBeFalse();
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task Cancelling_the_document_or_deleting_its_batch_withdraws_the_question()
    {
        var (batch, reviews) = await Seed.BatchAsync(2);
        var item = await ScalarAsync<long>("SELECT item_id FROM ingestion.review_item WHERE id = $1", reviews[0]);
        (await Spine.Items.CancelAsync(Make.Actor, batch, [item], CancellationToken.None)).Done.ShouldBeTrue();
        (await Seed.Desk.ApproveAsync(Reviewer, reviews[0], 2, CancellationToken.None)).Message.ShouldContain("withdrawn");
        (await BatchAsync(batch)).Waiting.ShouldBe(1);
        await NothingIsWrongAsync();
        (await Spine.Deletion.DeleteAsync(Make.Actor, batch, false, CancellationToken.None)).Done.ShouldBeTrue();
        (await Seed.Queries.ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, CancellationToken.None)).Total.ShouldBe(0);
        (await Seed.Desk.ApproveAsync(Reviewer, reviews[1], 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.NotFound);
        await NothingIsWrongAsync();
    }

    [Fact]
    public async Task What_is_out_of_reach_is_not_there()
    {
        await Make.OtherTenant("other");
        var (_, theirs) = await Seed.BatchAsync(1, tenant: "other");
        var (_, ours) = await Seed.BatchAsync(1);
        (await Seed.Desk.ApproveAsync(Reviewer, theirs[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.NotFound);
        (await Seed.Desk.ApproveAsync(Reviewer with { Narrowing = new Narrowing(OwnBatches: true), Name = "somebody" }, ours[0], 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.NotFound);
        (await Seed.Queries.FindAsync("default", theirs[0], CancellationToken.None)).ShouldBeNull();
        (await Seed.Queries.ListAsync("default", new(), ReviewOrder.Newest, 0, 10, CancellationToken.None)).Rows.Select(r => r.Id).ShouldBe(ours);
    }

    private Task<ReviewResult> DecideAsync(string action, long review, int seen) => action switch
    {
        "approve" => Seed.Desk.ApproveAsync(Reviewer, review, seen, CancellationToken.None),
        "reject" => Seed.Desk.RejectAsync(Reviewer, review, seen, CancellationToken.None),
        _ => Seed.Desk.SendBackAsync(Reviewer, review, seen, Stage.Parse, CancellationToken.None),
    };

    private async Task<string> FieldsAsync(long review) => ResolvedField.ToJson((await Seed.Queries.FindAsync("default", review, CancellationToken.None))!.Fields);

    private async Task<(string State, int Waiting, string? Message)> BatchAsync(long batch)
    {
        var row = (await QueryAsync<string>("SELECT state || '|' || coalesce(final_counts ->> 'AwaitingReview', '-1') || '|' || coalesce(message, '') FROM ingestion.import_batch WHERE id = $1", batch)).Single().Split('|');
        return (row[0], int.Parse(row[1], System.Globalization.CultureInfo.InvariantCulture), row[2]);
    }

    private async Task NothingIsWrongAsync() => (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
}

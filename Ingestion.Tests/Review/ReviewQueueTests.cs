using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

/// <summary>How people keep a queue in order: marks, assignments, views, neighbours, and the look before a bulk decision.</summary>
public sealed class ReviewQueueTests : DatabaseTest
{
    private static readonly CancellationToken None = CancellationToken.None;
    private ReviewSeed? _seed;

    private ReviewSeed Seed => _seed ??= new(Spine, Make);

    private ReviewAssignments Assignments => new(Database, new Contexts(Database), Spine.Hints);

    private SavedReviewViews Views => new(Database);

    private ReviewPlaces Places => new(Database, Seed.Queries);

    [Fact]
    public async Task Who_is_unsure_leaves_it_open_marked_and_last_and_can_take_that_back()
    {
        var (_, reviews) = await Seed.BatchAsync(3, others: 1);
        (await Seed.Desk.UnsureAsync(Make.Actor with { Reason = "Two spellings." }, reviews[0], 1, None)).ShouldBe(new(ReviewOutcome.Done, "Marked as unsure: it waits for somebody else.", 2));
        var rows = (await Seed.Queries.ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, None)).Rows;
        rows.Select(r => r.Id).ShouldBe([reviews[1], reviews[2], reviews[0]]);
        (rows[2].State, rows[2].Unsure!.By, rows[2].Unsure!.Reason).ShouldBe((ReviewStates.Open, "test", "Two spellings."));
        (await Seed.Queries.CountAsync("default", new(Unsure: true), None)).ShouldBe(1);
        (await Seed.Queries.CountAsync("default", new(Unsure: false), None)).ShouldBe(2);
        (await QueryAsync<string>("SELECT data ->> 'action' FROM ingestion.import_event WHERE kind = 'review_decided'")).ShouldBe(["unsure"]);
        (await QueryAsync<string>("SELECT action FROM ingestion.audit_entry WHERE action LIKE 'review%'")).ShouldBe(["review_unsure"]);

        // Another mark on top, each taken back to what was before it.
        await Seed.Desk.UnsureAsync(Make.Actor with { Name = "other" }, reviews[0], 2, None);
        await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 3, None);
        (await RowAsync(reviews[0])).Unsure.ShouldBe(rows[2].Unsure);
        await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 4, None);
        (await RowAsync(reviews[0])).Unsure.ShouldBeNull();
        // Marked or not, it is decided as any other, and the mark tells that somebody hesitated.
        await Seed.Desk.UnsureAsync(Make.Actor, reviews[0], 5, None);
        (await Seed.Desk.ApproveAsync(Make.Actor, reviews[0], 6, None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await Seed.Desk.UnsureAsync(Make.Actor, reviews[0], 7, None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 7, None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await RowAsync(reviews[0])).Unsure.ShouldNotBeNull();
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Open_reviews_are_given_to_reviewers_one_by_one_or_by_filter_and_move_no_fence()
    {
        var (_, reviews) = await Seed.BatchAsync(4, others: 1);
        var (bea, ann) = (await MemberAsync("Bea", Role.Reviewer), await MemberAsync("Ann", Role.Viewer));
        (await Assignments.ReviewersAsync("default", None)).ShouldBe([new(bea, "Bea")]);
        (await Should.ThrowAsync<IngestionException>(() => Assignments.AssignAsync(Make.Actor, new(), ann, None))).Code.ShouldBe(ErrorCodes.InvalidOption);

        (await Assignments.AssignAsync(Make.Actor, new(Ids: [reviews[0]]), "test", None)).ShouldBe(1);
        (await Assignments.AssignAsync(Make.Actor, new(MinConfidence: 0.5), bea, None)).ShouldBe(2);
        (await Assignments.AssignAsync(Make.Actor, new(MinConfidence: 0.5), bea, None)).ShouldBe(0);
        (await Seed.Queries.ListAsync("default", new(AssignedTo: bea), ReviewOrder.Oldest, 0, 10, None)).Rows.Select(r => r.Id).ShouldBe([reviews[2], reviews[3]]);
        (await Seed.Queries.ListAsync("default", new(AssignedTo: ""), ReviewOrder.Oldest, 0, 10, None)).Rows.Select(r => r.Id).ShouldBe([reviews[1]]);
        // It parts the work and keeps nobody out.
        (await Seed.Desk.ApproveAsync(Make.Actor, reviews[3], 1, None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await Assignments.AssignAsync(Make.Actor, new(State: null), null, None)).ShouldBe(2);
        (await QueryAsync<string>("SELECT action || ' ' || (data ->> 'reviews') FROM ingestion.audit_entry WHERE action LIKE 'review%assign' ORDER BY id")).ShouldBe(["review_assign 1", "review_assign 2", "review_assign 0", "review_unassign 2"]);

        await Make.OtherTenant("other");
        var (_, theirs) = await Seed.BatchAsync(1, tenant: "other");
        (await Assignments.AssignAsync(Make.Actor, new(Ids: theirs), "test", None)).ShouldBe(0);
    }

    [Fact]
    public async Task Views_are_kept_by_name_each_persons_own()
    {
        var (ann, bea) = (new Actor("default", "ann"), new Actor("default", "bea"));
        var view = await Views.SaveAsync(ann, " Doubtful ragas ", new(State: null, MaxConfidence: 0.6, Ids: [1, 2]), ReviewOrder.LeastSure, None);
        await Views.SaveAsync(bea, "Doubtful ragas", new(Reason: ReviewReasons.Quality), ReviewOrder.WorstQuality, None);
        await Views.SaveAsync(ann, "Doubtful ragas", new(State: null, MaxConfidence: 0.7, AssignedTo: ""), ReviewOrder.Newest, None);
        var kept = (await Views.ListAsync(ann.Scope, None)).ShouldHaveSingleItem();
        (kept.Id, kept.Name, kept.Filter, kept.Order).ShouldBe((view.Id, "Doubtful ragas", new(State: null, MaxConfidence: 0.7, AssignedTo: ""), ReviewOrder.Newest));
        (await Should.ThrowAsync<IngestionException>(() => Views.SaveAsync(ann, " ", new(), ReviewOrder.Oldest, None))).Code.ShouldBe(ErrorCodes.InvalidOption);
        (await Views.DeleteAsync(bea, view.Id, None)).ShouldBeFalse();
        (await Views.DeleteAsync(ann, view.Id, None)).ShouldBeTrue();
        (await Views.ListAsync(ann.Scope, None)).ShouldBeEmpty();
        (await Views.ListAsync(bea.Scope, None)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_review_knows_what_comes_before_and_after_it_in_a_filter()
    {
        var (_, reviews) = await Seed.BatchAsync(4, others: 1);
        Task<ReviewNeighbours> Around(long review, ReviewOrder order = ReviewOrder.Oldest, ReviewFilter? filter = null) => Places.AroundAsync("default", filter ?? new(), order, review, None);
        (await Around(reviews[0])).ShouldBe(new(null, reviews[1], 1, 4));
        (await Around(reviews[1], ReviewOrder.MostSure)).ShouldBe(new(reviews[2], reviews[0], 3, 4));
        (await Around(reviews[2], filter: new(MinConfidence: 0.5))).ShouldBe(new(null, reviews[3], 1, 2));
        // Decided meanwhile: on to the next one that is left, at the end to the first.
        await Seed.Desk.ApproveAsync(Make.Actor, reviews[1], 1, None);
        await Seed.Desk.ApproveAsync(Make.Actor, reviews[3], 1, None);
        (await Around(reviews[1])).ShouldBe(new(null, reviews[2], 0, 2));
        (await Around(reviews[3])).ShouldBe(new(null, reviews[0], 0, 2));
        (await Around(reviews[0], filter: new(Entity: "nobody"))).ShouldBe(new(null, null, 0, 0));
    }

    [Fact]
    public async Task Alike_are_those_with_the_value_or_the_likeliest_entity_of_a_field()
    {
        var (_, reviews) = await Seed.BatchAsync(5, others: 1);
        await ExecuteAsync("""
            UPDATE ingestion.item_record SET fields = jsonb_set(fields, '{0,found,value}', '"kalyANi"') WHERE item_id IN (SELECT item_id FROM ingestion.review_item WHERE id = ANY($1))
            """, reviews.Take(3).ToArray());
        var detail = (await Seed.Queries.FindAsync("default", reviews[0], None))!;
        (await Places.AlikeAsync("default", detail.Review, detail.Fields[0], None)).ShouldBe(new(2, 4));
        (await Seed.Queries.ListAsync("default", ReviewPlaces.SameValue(detail.Review, detail.Fields[0]), ReviewOrder.Oldest, 0, 10, None)).Rows.Select(r => r.Id).ShouldBe(reviews.Take(3));
        detail.Review.Question.ShouldBe(new("raga", Core.Resolution.FieldState.Uncertain, "kalyANi", "Kalyāni", detail.Fields[0].Confidence, false));
        (await Seed.Queries.LatestOfAsync("default", detail.Review.ItemId, None)).ShouldBe((reviews[0], detail.Review.Version, ReviewStates.Open));
    }

    [Fact]
    public async Task What_a_bulk_decision_would_hit_is_shown_before_it()
    {
        var (_, reviews) = await Seed.BatchAsync(12, others: 1);
        await Seed.BatchAsync(2, reason: ReviewReasons.Quality);
        await Seed.Desk.UnsureAsync(Make.Actor, reviews[0], 1, None);
        await Assignments.AssignAsync(Make.Actor with { Name = "ann" }, new(Ids: [reviews[5]]), "ann", None);
        var preview = await new BulkPreviews(Database, Seed.Queries).OfAsync(Make.Actor.Scope, new(State: ReviewStates.Approved, MaxConfidence: 0.8), None);
        (preview.Total, preview.Unsure, preview.OfOthers).ShouldBe((await Seed.Queries.CountAsync("default", new(MaxConfidence: 0.8), None), 1, 1));
        preview.Reasons.Select(r => r.Word).ShouldBe([ReviewReasons.Uncertain, ReviewReasons.Quality]);
        preview.Collections.ShouldBe([new("default", preview.Total)]);
        preview.LeastSure.Select(r => r.Confidence!.Value).ShouldBeInOrder();
        preview.LeastSure.Count.ShouldBe(5);
        preview.Samples.Select(r => r.Id).Distinct().Count().ShouldBe(10);
        var spread = preview.Fields.ShouldHaveSingleItem();
        (spread.Field, spread.Values, spread.Most.Count).ShouldBe(("raga", preview.Total, 5));
    }

    private async Task<ReviewRow> RowAsync(long review) => (await Seed.Queries.FindAsync("default", review, None))!.Review;

    private async Task<string> MemberAsync(string name, Role role)
    {
        await using var db = new Contexts(Database).Worker();
        var id = PublicId.New("usr_");
        db.Accounts.Add(new() { Id = id, UserName = name, NormalizedUserName = name.ToUpperInvariant(), Name = name, SecurityStamp = "x", CreatedAt = DateTimeOffset.UtcNow });
        db.Memberships.Add(new() { TenantId = "default", AccountId = id, Role = role });
        await db.SaveChangesAsync();
        return id;
    }
}

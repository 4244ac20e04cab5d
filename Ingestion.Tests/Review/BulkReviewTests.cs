using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Review;

public sealed class BulkReviewTests(ITestOutputHelper output) : DatabaseTest
{
    private ReviewSeed? _seed;

    private ReviewSeed Seed => _seed ??= new(Spine, Make);

    [Fact]
    public async Task A_filter_is_approved_slice_by_slice_and_what_it_does_not_find_stays()
    {
        var (batch, reviews) = await Seed.BatchAsync(450);
        var filter = new ReviewFilter(MinConfidence: 0.5);
        var meant = await Seed.Queries.CountAsync("default", filter, CancellationToken.None);
        var bulk = await Seed.Bulks.StartAsync(Make.Actor, filter, ReviewActions.Approve, CancellationToken.None);
        (bulk.State, bulk.Total, bulk.Decided).ShouldBe(("running", meant, 0));
        // One of them is decided by somebody else before its turn comes; one comes later and is not meant.
        var taken = (await QueryAsync<long>("SELECT id FROM ingestion.review_item WHERE confidence >= 0.5 ORDER BY id DESC LIMIT 1")).Single();
        await Seed.Desk.RejectAsync(Make.Actor with { Reason = "no" }, taken, 1, CancellationToken.None);
        var (_, late) = await Seed.BatchAsync(2);

        await Seed.Bulks.CarryOutAsync(CancellationToken.None);
        bulk = (await Seed.Bulks.FindAsync("default", bulk.PublicId, CancellationToken.None))!;
        output.WriteLine($"{bulk}");
        (bulk.State, bulk.Decided).ShouldBe(("done", meant - 1));
        (await Seed.Queries.CountAsync("default", new(Batch: await PublicIdAsync(batch)), CancellationToken.None)).ShouldBe(reviews.Count - meant);
        (await QueryAsync<string>("SELECT DISTINCT state FROM ingestion.review_item WHERE id = ANY($1)", late.ToArray())).ShouldBe(["open"]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE batch_id = $1 AND stage = 'embed' AND state = 'ready'", batch)).ShouldBe(meant - 1);
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Several_that_carry_it_out_decide_each_once()
    {
        await Seed.BatchAsync(500);
        var bulk = await Seed.Bulks.StartAsync(Make.Actor with { Reason = "Out of scope." }, new(), ReviewActions.Reject, CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Seed.Bulks.CarryOutAsync(CancellationToken.None)));
        await Seed.Bulks.CarryOutAsync(CancellationToken.None);
        (await Seed.Bulks.FindAsync("default", bulk.PublicId, CancellationToken.None))!.Decided.ShouldBe(500);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.review_decision")).ShouldBe(500);
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bulk_decision_of_another_tenant_is_not_there_and_hits_nothing_here()
    {
        await Make.OtherTenant("other");
        await Seed.BatchAsync(3);
        var (_, theirs) = await Seed.BatchAsync(3, tenant: "other");
        var bulk = await Seed.Bulks.StartAsync(Make.Actor, new(), ReviewActions.Approve, CancellationToken.None);
        await Seed.Bulks.CarryOutAsync(CancellationToken.None);
        (await QueryAsync<string>("SELECT DISTINCT state FROM ingestion.review_item WHERE id = ANY($1)", theirs.ToArray())).ShouldBe(["open"]);
        (await Seed.Bulks.FindAsync("other", bulk.PublicId, CancellationToken.None)).ShouldBeNull();
        (await Should.ThrowAsync<IngestionException>(() => Seed.Bulks.StartAsync(Make.Actor, new(), ReviewActions.Reject, CancellationToken.None))).Code.ShouldBe(ErrorCodes.InvalidOption);
        (await Should.ThrowAsync<IngestionException>(() => Seed.Bulks.StartAsync(Make.Actor, new(), ReviewActions.Merge, CancellationToken.None))).Code.ShouldBe(ErrorCodes.InvalidOption);
    }

    [Fact]
    public async Task Reviews_are_found_by_what_is_known_of_them()
    {
        var (batch, reviews) = await Seed.BatchAsync(10);
        var (_, unread) = await Seed.BatchAsync(2, reason: ReviewReasons.Quality);
        async Task<IEnumerable<long>> FindAsync(ReviewFilter filter, ReviewOrder order = ReviewOrder.Oldest) => (await Seed.Queries.ListAsync("default", filter, order, 0, 100, CancellationToken.None)).Rows.Select(r => r.Id);
        (await FindAsync(new(Batch: await PublicIdAsync(batch)))).ShouldBe(reviews);
        (await FindAsync(new(Reason: ReviewReasons.Quality))).ShouldBe(unread);
        (await FindAsync(new(MaxConfidence: 0.15), ReviewOrder.Newest)).ShouldBe([unread[0], reviews[0]]);
        (await FindAsync(new(Batch: await PublicIdAsync(batch)), ReviewOrder.MostSure)).ShouldBe(reviews.Reverse());
        (await FindAsync(new(Entity: "kalyani"))).Count().ShouldBe(12);
        (await FindAsync(new(Entity: "nobody"))).ShouldBeEmpty();
        var name = await ScalarAsync<long>("SELECT item_id FROM ingestion.review_item WHERE id = $1", reviews[3]);
        (await FindAsync(new(Text: $"RAGA {name}"))).ShouldBe([reviews[3]]);
        (await FindAsync(new(Text: "kALYĀNI"))).Count().ShouldBe(12);
        (await FindAsync(new(Text: "candidates"))).ShouldBeEmpty("a record's keys are no values");
        (await FindAsync(new(Text: "%"))).ShouldBeEmpty();
        (await FindAsync(new(State: ReviewStates.Approved))).ShouldBeEmpty();
        (await Seed.Queries.ReasonsAsync("default", new(), CancellationToken.None)).ShouldBe([new(ReviewReasons.Uncertain, 10), new(ReviewReasons.Quality, 2)]);
        var page = await Seed.Queries.ListAsync("default", new(), ReviewOrder.Oldest, 10, 5, CancellationToken.None);
        (page.Rows.Count, page.Total).ShouldBe((2, 12));
    }

    private async Task<string> PublicIdAsync(long batch) => await ScalarAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch);
}

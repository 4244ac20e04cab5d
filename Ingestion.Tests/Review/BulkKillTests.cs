using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Postgres;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Review;

[Collection(RunningProgram.Name)]
public sealed class BulkKillTests(ITestOutputHelper output)
{
    private const int Items = 1000;

    [Fact]
    public async Task A_bulk_approval_survives_a_kill_in_its_middle()
    {
        using var data = new TemporaryDirectory("bulk-").Traversable();
        // It carries the decision out and leaves the documents where that sends them.
        (string, string)[] settings = [("Ingestion:Pipeline:Stages:0", "Discover"), ("Logging:LogLevel:Default", "Warning")];
        string bulk;
        await using (var doomed = AppProcess.Begin(new(data.Path) { Settings = settings, Environment = [(FaultPoints.Variable, $"{FaultPoints.InBulk}:3")] }))
        {
            await doomed.ReadyAsync();
            await using var spine = new Spine(new Database(EmbeddedPostgres.TryFind(data.Path)!));
            var seed = new ReviewSeed(spine, new(spine.Database.Worker));
            await seed.BatchAsync(Items);
            bulk = (await seed.Bulks.StartAsync(Make.Actor, new(), ReviewActions.Approve, CancellationToken.None)).PublicId;
            await Eventually.IsAsync(() => Task.FromResult(doomed.HasExited), "it dies in the third slice", 60);
        }
        await using var app = await AppProcess.StartAsync(data.Path, settings);
        await using var after = new Spine(new Database(EmbeddedPostgres.TryFind(data.Path)!));
        var queries = new BulkReviews(after.Database, after.Hints, after.Waker);
        await Eventually.IsAsync(async () => (await queries.FindAsync("default", bulk, CancellationToken.None))!.State == "done", "the bulk decision is done", 60);
        var view = (await queries.FindAsync("default", bulk, CancellationToken.None))!;
        output.WriteLine($"{view}");
        (view.Decided, view.PassedOver).ShouldBe((Items, 0));
        var worker = after.Database.Worker;
        (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.review_decision")).ShouldBe([Items]);
        (await worker.QueryAsync<long>("SELECT count(DISTINCT review_id) FROM ingestion.review_decision")).ShouldBe([Items]);
        (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE stage = 'embed' AND state = 'ready'")).ShouldBe([Items]);
        (await Rows.ProblemsAsync(worker)).ShouldBeEmpty();
    }
}

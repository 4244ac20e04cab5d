using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Pipeline;

/// <summary>Somebody's ten documents beside somebody else's ten thousand, through the real claims, slots and settlings.</summary>
public sealed class FairnessTests(ITestOutputHelper output)
{
    private const int Many = 10_000;
    private const int Few = 10;
    private static readonly Stage[] Stages = [Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index];
    private readonly TaskCompletionSource _large = new();

    [Fact]
    public async Task Ten_documents_beside_ten_thousand_start_at_once_and_take_less_than_twice_their_time_alone()
    {
        await using var app = await StartAsync((_, ct) => Task.Delay(TimeSpan.FromMilliseconds(200), ct));
        // The first time everything is new.
        await TimeAsync(app);
        var alone = (await TimeAsync(app)).Whole;
        var large = await SubmitAsync(app, "large", Many);
        await app.UntilAsync("SELECT count(DISTINCT stage) = 4 FROM ingestion.import_task_run WHERE batch_id = $1 AND state = 'running'", large.BatchId);
        var (start, beside) = await TimeAsync(app);
        output.WriteLine($"alone {alone.TotalSeconds:0.00} s; beside {Many:N0} others {beside.TotalSeconds:0.00} s ({beside / alone:0.00} times), the first began after {start.TotalSeconds:0.00} s");
        start.ShouldBeLessThan(TimeSpan.FromSeconds(5));
        beside.ShouldBeLessThan(alone * 2);
        (await app.FindAsync(large)).State.ShouldBe(BatchState.Running);
    }

    [Fact]
    public async Task However_long_large_ones_take_small_ones_begin()
    {
        // The large one's documents do not end before the test lets them.
        await using var app = await StartAsync((work, ct) => work.Item.SourceKey.Contains("large", StringComparison.Ordinal) ? _large.Task.WaitAsync(ct) : Task.CompletedTask);
        var large = await SubmitAsync(app, "large", 30);
        await app.UntilAsync("SELECT count(*) = 3 FROM ingestion.import_task_run WHERE batch_id = $1 AND state = 'running'", large.BatchId);
        (await app.EndedAsync(await SubmitAsync(app, "small", Few))).State.ShouldBe(BatchState.Completed);
        _large.SetResult();
        (await app.EndedAsync(large)).Counts.Done.ShouldBe(30);
    }

    private static Task<PipelineHost> StartAsync(Func<StageContext, CancellationToken, Task> work) => PipelineHost.StartAsync(services =>
        {
            services.RemoveAll<IStage>();
            foreach (var stage in Stages) services.AddSingleton<IStage>(new TimedStage(stage, work));
        },
        ("Ingestion:Pipeline:MaxConcurrentProcessing", "4"), ("Ingestion:Pipeline:Slots:Acquire", "4"), ("Ingestion:Pipeline:Slots:Embed", "4"), ("Ingestion:Pipeline:Slots:Index", "4"));

    private static Task<Submitted> SubmitAsync(PipelineHost app, string name, int items) => app.SubmitAsync(new(name)
    {
        Urls = [.. Enumerable.Range(1, items).Select(n => new UrlEntry($"https://example.org/{name}/{n}"))],
        Options = new() { MaxWorkers = 64 },
    });

    // From the submission to the first claim and to the end, by the database's clock: how soon this process hears of it is not the question.
    private static async Task<(TimeSpan Start, TimeSpan Whole)> TimeAsync(PipelineHost app)
    {
        var few = await SubmitAsync(app, "few", Few);
        (await app.EndedAsync(few)).Counts.Done.ShouldBe(Few);
        return ((await app.QueryAsync<TimeSpan>("SELECT min(t.claimed_at) - b.created_at FROM ingestion.import_task_run t JOIN ingestion.import_batch b ON b.id = t.batch_id WHERE b.id = $1 GROUP BY b.id", few.BatchId)).Single(),
            (await app.QueryAsync<TimeSpan>("SELECT completed_at - created_at FROM ingestion.import_batch WHERE id = $1", few.BatchId)).Single());
    }

    private sealed class TimedStage(Stage stage, Func<StageContext, CancellationToken, Task> work) : IStage
    {
        public Stage Stage => stage;

        public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
        {
            await work(context, ct);
            return new StageOutcome.Done();
        }
    }
}

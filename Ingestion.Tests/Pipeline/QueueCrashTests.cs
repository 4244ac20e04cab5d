using System.Collections.Concurrent;
using System.Diagnostics;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Pipeline;

/// <summary>
/// Workers that claim and die: what they held is rescued, and they come back too late. Every stage must succeed exactly once for every
/// item all the same.
/// </summary>
public sealed class QueueCrashTests(ITestOutputHelper output) : DatabaseTest
{
    private const int Workers = 8;
    private const int Items = 4000;
    private static readonly Stage[] Stages = [Stage.Embed, Stage.Index];
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<ClaimedTask> _abandoned = new();
    private int _claims;
    private int _accepted;
    private int _late;

    [Fact]
    public async Task Crashes_and_late_completions_leave_every_stage_done_exactly_once()
    {
        var seed = Environment.TickCount;
        var batch = await SeedAsync();
        var started = Stopwatch.GetTimestamp();
        using var over = new CancellationTokenSource();
        var rescuer = RescueAsync(over.Token);
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(w => Task.Run(() => WorkAsync(batch, $"w{w}", new Random(seed + w)))));
        await over.CancelAsync();
        await rescuer;
        await ComeLateAsync(all: true);

        var took = Stopwatch.GetElapsedTime(started);
        var abandoned = await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'lease_lost'");
        output.WriteLine($"seed {seed}: {Items} items x {Stages.Length} stages, {_claims} claims, {abandoned} crashes, {_late} late completions of which {_accepted} accepted, {took.TotalSeconds:0.0} s, {Items * Stages.Length / took.TotalSeconds:0} settled/s");

        _late.ShouldBeGreaterThan(20, "hardly anybody crashed");
        _accepted.ShouldBe(0);
        (await ScalarAsync<string>("SELECT state || ' ' || (final_counts ->> 'Done') FROM ingestion.import_batch")).ShouldBe($"completed {Items}");
        (await ScalarAsync<long>("SELECT count(*) FROM (SELECT 1 FROM ingestion.import_task_run WHERE state = 'succeeded' GROUP BY item_id, stage HAVING count(*) = 1) x")).ShouldBe(Items * Stages.Length);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run")).ShouldBe(Items * Stages.Length);
        (await ScalarAsync<long>("SELECT sum(failures) FROM ingestion.import_task_run")).ShouldBe(0);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'item_done'")).ShouldBe(Items);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'batch_completed'")).ShouldBe(1);
        (await ScalarAsync<long>("SELECT sum(attempt) FROM ingestion.import_task_run")).ShouldBe(_claims);
        await VerifyAsync();
    }

    private async Task WorkAsync(long batch, string worker, Random random)
    {
        while (true)
        {
            var stage = Stages[random.Next(Stages.Length)];
            var claimed = await Spine.ClaimAsync(stage, random.Next(1, 32), worker, Lease);
            Interlocked.Add(ref _claims, claimed.Count);
            if (claimed.Count == 0 && await ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", batch) == "completed") return;
            var work = new List<Task<bool>>();
            foreach (var task in claimed)
            {
                // A third crash in a row would quarantine it, which is another test's subject.
                if (task.Crashes < 2 && random.NextDouble() < 0.03) _abandoned.Enqueue(task);
                else work.Add(Spine.DoneAsync(task));
            }
            await Task.WhenAll(work);
            await ComeLateAsync(all: false);
        }
    }

    // Those whose claim is gone try to complete what they once held.
    private async Task ComeLateAsync(bool all)
    {
        for (var n = all ? _abandoned.Count : Math.Min(4, _abandoned.Count); n > 0 && _abandoned.TryDequeue(out var task); n--)
        {
            if (!all && await ScalarAsync<bool>("SELECT attempt = $2 AND state = 'running' FROM ingestion.import_task_run WHERE id = $1", task.Id, task.Attempt))
            {
                _abandoned.Enqueue(task);
                continue;
            }
            Interlocked.Increment(ref _late);
            var accepted = Random.Shared.Next(3) switch
            {
                0 => await Spine.FailAsync(task, ErrorCodes.NotFound),
                1 => await Spine.FailAsync(task, ErrorCodes.NetworkError),
                _ => await Spine.DoneAsync(task),
            };
            if (accepted) Interlocked.Increment(ref _accepted);
        }
    }

    private async Task RescueAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
            await Task.Delay(100, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<long> SeedAsync()
    {
        var batch = await Make.Batch(maxWorkers: 10_000);
        await ExecuteAsync("""
            WITH i AS (
                INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
                SELECT 'default', $1, 'url', 'https://example.org/' || n, 0, 'x', '{}', 'open', 'embed', 'pending', 0 FROM generate_series(1, $2) n
                RETURNING id)
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
            SELECT 'default', $1, j.id, i.id, 'embed', 'ready', 0, 0, 0 FROM i, ingestion.import_job j WHERE j.batch_id = $1 AND j.stage = 'embed'
            """, batch, Items);
        return batch;
    }

    // These items carry no documents; all else must add up.
    private async Task VerifyAsync()
    {
        using var folder = new TemporaryDirectory();
        var store = new Core.Artifacts.FolderStore(Microsoft.Extensions.Options.Options.Create(new Core.Artifacts.ArtifactOptions { Folder = folder.Path }));
        var verification = new Core.Pipeline.Verify.Verification(Worker, store, new(Path.Combine(folder.Path, "uploads")), new(Worker, store, Spine.Duties, new(Worker, store)), Spine.Options);
        (await verification.RunAsync(new(), CancellationToken.None)).Checks.Where(c => c.Name != "done_item_was_published").SelectMany(c => c.First).ShouldBeEmpty();
    }
}

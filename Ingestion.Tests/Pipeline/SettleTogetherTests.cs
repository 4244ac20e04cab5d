using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Light tasks of a batch that end while another settling of it is under way share the next transaction.</summary>
public sealed class SettleTogetherTests : DatabaseTest
{
    private static StageOutcome.Done Light(SaveOutput? save = null) => new(save) { IsLight = true };

    [Fact]
    public async Task What_gathers_behind_a_settling_is_settled_in_one_transaction()
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var tasks = new List<ClaimedTask>();
        for (var i = 0; i < 20; i++) tasks.Add(await Make.Task(batch, TaskState.Running, i % 2 == 0 ? Stage.Acquire : Stage.Embed));
        (await BehindAsync(batch, tasks, _ => Light())).ShouldAllBe(ours => ours);
        (await ScalarAsync<long>("SELECT count(DISTINCT xmin::text) FROM ingestion.import_task_run WHERE batch_id = $1 AND state = 'succeeded' AND id = ANY($2)", batch, Ids(tasks))).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE batch_id = $1 AND state = 'ready' AND stage = 'parse'", batch)).ShouldBe(11);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE batch_id = $1 AND state = 'ready' AND stage = 'index'", batch)).ShouldBe(10);
        (await QueryAsync<long>("SELECT seq FROM ingestion.import_event WHERE batch_id = $1 ORDER BY seq", batch)).ShouldBe(Enumerable.Range(1, 22).Select(n => (long)n));
    }

    [Fact]
    public async Task A_task_that_was_taken_away_is_left_out_and_the_others_are_settled()
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var (ours, taken) = (await Make.Task(batch, TaskState.Running), await Make.Task(batch, TaskState.Running));
        await ExecuteAsync("UPDATE ingestion.import_task_run SET attempt = attempt + 1 WHERE id = $1", taken.Id);
        var saved = 0;
        (await BehindAsync(batch, [ours, taken], t => Light((_, _) => Task.FromResult(saved += t == taken ? 1 : 0)))).ShouldBe([true, false]);
        saved.ShouldBe(0);
        (await QueryAsync<string>("SELECT state FROM ingestion.import_task_run WHERE id = ANY($1) ORDER BY id", Ids([ours, taken]))).ShouldBe(["succeeded", "running"]);
    }

    [Fact]
    public async Task A_save_that_throws_fails_its_own_task_alone()
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var (good, bad) = (await Make.Task(batch, TaskState.Running), await Make.Task(batch, TaskState.Running));
        var settling = await HoldAsync(batch);
        var one = Spine.Settler.SettleAsync(good, Light(), CancellationToken.None);
        var two = Spine.Settler.SettleAsync(bad, Light((_, _) => throw new InvalidOperationException("mine")), CancellationToken.None);
        await settling();
        (await one).ShouldBeTrue();
        (await Should.ThrowAsync<InvalidOperationException>(() => two)).Message.ShouldBe("mine");
        (await QueryAsync<string>("SELECT state FROM ingestion.import_task_run WHERE id = ANY($1) ORDER BY id", Ids([good, bad]))).ShouldBe(["succeeded", "running"]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE task_id = $1", bad.Id)).ShouldBe(0);
    }

    [Fact]
    public async Task The_last_tasks_of_a_batch_complete_it_together_and_once()
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var tasks = new List<ClaimedTask>();
        for (var i = 0; i < 5; i++) tasks.Add(await Make.Task(batch, TaskState.Running, Stage.Index));
        (await Task.WhenAll(tasks.Select(t => Spine.Settler.SettleAsync(t, Light(), CancellationToken.None)))).ShouldAllBe(ours => ours);
        (await ScalarAsync<string>("SELECT state || ' ' || (final_counts ->> 'Done') FROM ingestion.import_batch WHERE id = $1", batch)).ShouldBe("completed 5");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE batch_id = $1 AND kind = 'batch_completed'", batch)).ShouldBe(1);
    }

    [Fact]
    public async Task A_final_item_is_never_given_another_task()
    {
        var batch = await Make.Batch();
        var item = await Make.Item(batch, ItemState.Cancelled);
        var task = await Make.Task(batch, TaskState.Running, item: item);
        await Should.ThrowAsync<Npgsql.PostgresException>(() => Spine.Settler.SettleAsync(task, Light(), CancellationToken.None));
        (await QueryAsync<string>("SELECT state FROM ingestion.import_task_run WHERE item_id = $1", item)).ShouldBe(["running"]);
    }

    // Settles tasks while another settling of the same batch holds the queue, and lets it go when all of them wait behind it.
    private async Task<bool[]> BehindAsync(long batch, IReadOnlyList<ClaimedTask> tasks, Func<ClaimedTask, StageOutcome.Done> outcome)
    {
        var letGo = await HoldAsync(batch);
        var settlings = tasks.Select(t => Spine.Settler.SettleAsync(t, outcome(t), CancellationToken.None)).ToList();
        await letGo();
        return await Task.WhenAll(settlings);
    }

    private async Task<Func<Task>> HoldAsync(long batch)
    {
        var (entered, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = Spine.Settler.SettleAsync(await Make.Task(batch, TaskState.Running), Light((_, _) =>
        {
            entered.TrySetResult();
            return leave.Task;
        }), CancellationToken.None);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return async () =>
        {
            leave.SetResult();
            (await first).ShouldBeTrue();
        };
    }

    private static long[] Ids(IEnumerable<ClaimedTask> tasks) => [.. tasks.Select(t => t.Id)];
}

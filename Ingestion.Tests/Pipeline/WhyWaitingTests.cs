using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class WhyWaitingTests : DatabaseTest
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private WhyWaiting Why => new(Database, new() { MaxConcurrentJobs = 4 });

    [Theory]
    [InlineData(BatchState.Pending, HoldReasons.NotStarted)]
    [InlineData(BatchState.Queued, HoldReasons.BatchQueued)]
    [InlineData(BatchState.Paused, HoldReasons.BatchPaused)]
    [InlineData(BatchState.Running, HoldReasons.NoWorker)]
    [InlineData(BatchState.Retrying, HoldReasons.NoWorker)]
    public async Task What_holds_a_batch_holds_its_items(BatchState state, string reason)
    {
        var task = await Make.Task(await Make.Batch(state));
        (await ReasonAsync(task)).Reason.ShouldBe(reason);
        await Reasons.AssertAllAsync(Worker);
    }

    [Fact]
    public async Task A_batch_that_waits_for_its_turn_says_how_many_have_theirs() =>
        (await ReasonAsync(await Make.Task(await Make.Batch(BatchState.Queued)))).Subject.ShouldBe("4");

    [Fact]
    public async Task A_wanted_cancel_goes_before_everything()
    {
        var batch = await Make.Batch(desired: DesiredState.Cancel);
        foreach (var state in new[] { TaskState.Ready, TaskState.Running, TaskState.Blocked })
            (await ReasonAsync(await Make.Task(batch, state))).Reason.ShouldBe(HoldReasons.Cancelling);
    }

    [Fact]
    public async Task What_runs_names_its_worker_and_what_is_blocked_its_person()
    {
        await WorkerAsync();
        var running = await ReasonAsync(await Make.Task(state: TaskState.Running, heldBy: "w7"));
        (running.Reason, running.Subject).ShouldBe((HoldReasons.Running, "w7"));
        (await ReasonAsync(await Make.Task(state: TaskState.Blocked))).Reason.ShouldBe(HoldReasons.Review);
    }

    [Fact]
    public async Task A_batch_that_uses_up_its_workers_says_how_many_they_are()
    {
        await WorkerAsync();
        var batch = await Make.Batch(maxWorkers: 2);
        await Make.Task(batch, TaskState.Running);
        (await ReasonAsync(await Make.Task(batch))).Reason.ShouldBe(HoldReasons.StageBusy);
        await Make.Task(batch, TaskState.Running, Stage.Parse);
        var waiting = await ReasonAsync(await Make.Task(batch));
        (waiting.Reason, waiting.Subject).ShouldBe((HoldReasons.BatchWorkers, "2"));
    }

    [Fact]
    public async Task Each_reason_of_a_task_holds_until_its_time()
    {
        await WorkerAsync();
        foreach (var reason in WaitReasons.All)
        {
            var task = await Make.Task(due: Hour);
            await ExecuteAsync("UPDATE ingestion.import_task_run SET wait_reason = $2 WHERE id = $1", task.Id, reason);
            var waiting = await ReasonAsync(task);
            waiting.Reason.ShouldBe(reason);
            waiting.Until.ShouldNotBeNull();
            waiting.Subject.ShouldBe(reason is WaitReasons.HostPacing or WaitReasons.HostPaused ? "example.org" : "acquire");
            await ExecuteAsync("UPDATE ingestion.import_task_run SET scheduled_at = now() WHERE id = $1", task.Id);
            (await ReasonAsync(task)).Reason.ShouldBe(HoldReasons.StageBusy);
        }
        await Reasons.AssertAllAsync(Worker);
    }

    [Fact]
    public async Task Groups_of_a_batch_add_up_to_its_open_work()
    {
        await WorkerAsync();
        var batch = await Make.Batch(maxWorkers: 3);
        for (var i = 0; i < 3; i++) await Make.Task(batch, TaskState.Running);
        for (var i = 0; i < 5; i++) await Make.Task(batch);
        await Make.Task(batch, stage: Stage.Discover);
        await Make.Task(batch, TaskState.Blocked);
        var groups = await Why.ForBatchAsync(Make.Tenant, batch, CancellationToken.None);
        groups.Select(g => (g.Reason, g.Count)).ShouldBe([(HoldReasons.BatchWorkers, 6), (HoldReasons.Running, 3), (HoldReasons.Review, 1)]);
    }

    [Fact]
    public async Task An_open_item_without_a_task_is_found_out()
    {
        await Make.Item(await Make.Batch());
        await Assert.ThrowsAsync<ShouldAssertException>(() => Reasons.AssertAllAsync(Worker));
    }

    private Task WorkerAsync() => ExecuteAsync("""
        INSERT INTO ingestion.worker_process (id, host, pid, role, version, slots)
        VALUES ('w', 'h', 1, 'both', '1', '{"discover":1,"acquire":1,"parse":1,"embed":1,"index":1}')
        """);

    private async Task<Waiting> ReasonAsync(ClaimedTask task) =>
        (await Why.ForItemsAsync(Make.Tenant, [task.ItemId!.Value], CancellationToken.None)).ShouldHaveSingleItem().Value;
}

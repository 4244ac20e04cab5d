using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class ClaimTests : DatabaseTest
{
    [Fact]
    public async Task A_claim_takes_a_lease_and_raises_the_attempt()
    {
        var ready = await Make.Task(attempt: 4, failures: 1);
        var claimed = (await Spine.ClaimAsync(worker: "me")).ShouldHaveSingleItem();
        claimed.ShouldBe(ready with { Attempt = 5, Alone = true });
        (await ScalarAsync<string>("SELECT state || ' ' || worker || ' ' || (lease_until > now() + interval '25 s') FROM ingestion.import_task_run")).ShouldBe("running me true");
    }

    [Fact]
    public async Task Claims_skip_rows_that_somebody_holds()
    {
        var batch = await Make.Batch();
        var held = await Make.Task(batch);
        var free = await Make.Task(batch);
        await using var other = await Worker.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await other.QueryAsync<long>("SELECT id FROM ingestion.import_task_run WHERE id = $1 FOR UPDATE", held.Id);
        (await Spine.ClaimAsync()).ShouldHaveSingleItem().Id.ShouldBe(free.Id);
    }

    [Fact]
    public async Task A_settling_that_opens_a_task_of_the_stage_does_not_hide_the_stage()
    {
        var batch = await Make.Batch();
        var ready = await Make.Task(batch, stage: Stage.Parse);
        var running = await Make.Task(batch, TaskState.Running);
        (await Spine.DoneAsync(running, async (connection, ct) =>
        {
            // The save opens a task of that stage: its foreign key holds the job's key while the settling goes on.
            await connection.QueryAsync<object>("""
                INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
                SELECT tenant_id, batch_id, id, $2, stage, 'ready', 0, 0, 0 FROM ingestion.import_job WHERE batch_id = $1 AND stage = 'parse'
                """, batch, await Make.Item(batch));
            (await Spine.ClaimAsync(Stage.Parse)).ShouldHaveSingleItem().Id.ShouldBe(ready.Id);
        })).ShouldBeTrue();
    }

    [Fact]
    public async Task What_became_due_first_comes_first()
    {
        var batch = await Make.Batch();
        var late = await Make.Task(batch, due: TimeSpan.FromSeconds(-1));
        var early = await Make.Task(batch, due: TimeSpan.FromSeconds(-9));
        var alsoEarly = await Make.Task(batch, due: TimeSpan.FromSeconds(-5));
        foreach (var expected in new[] { early, alsoEarly, late })
            (await Spine.ClaimAsync(limit: 1)).ShouldHaveSingleItem().Id.ShouldBe(expected.Id);
    }

    [Fact]
    public async Task What_is_scheduled_later_waits()
    {
        await Make.Task(due: TimeSpan.FromMinutes(1));
        (await Spine.ClaimAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(BatchState.Pending)]
    [InlineData(BatchState.Queued)]
    [InlineData(BatchState.Paused)]
    public async Task Batches_that_do_not_work_are_not_claimed_from(BatchState state)
    {
        await Make.Task(await Make.Batch(state));
        (await Spine.ClaimAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(TaskState.Running)]
    [InlineData(TaskState.Blocked)]
    [InlineData(TaskState.Succeeded)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task Only_ready_tasks_are_claimed(TaskState state)
    {
        await Make.Task(state: state);
        (await Spine.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Other_stages_are_left_alone()
    {
        await Make.Task(stage: Stage.Parse);
        (await Spine.ClaimAsync(Stage.Acquire)).ShouldBeEmpty();
        (await Spine.ClaimAsync(Stage.Parse)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Workers_of_a_batch_are_counted_over_its_stages()
    {
        var batch = await Make.Batch(maxWorkers: 3);
        await Make.Task(batch, TaskState.Running, Stage.Embed);
        await Make.Task(batch, TaskState.Running, Stage.Parse);
        await Make.Task(batch);
        await Make.Task(batch);
        (await Spine.ClaimAsync()).Count.ShouldBe(1);
        (await Spine.ClaimAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Claims_of_several_stages_at_once_do_not_exceed_the_workers_of_a_batch()
    {
        const int workers = 3;
        Stage[] stages = [Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index];
        var batch = await Make.Batch(maxWorkers: workers);
        for (var i = 0; i < 6; i++)
            foreach (var stage in stages) await Make.Task(batch, stage: stage);
        for (var round = 0; round < 10; round++)
        {
            var claimed = await Task.WhenAll(stages.SelectMany(s => new[] { s, s }).Select(s => Spine.ClaimAsync(s, worker: s.Word())));
            claimed.Sum(c => c.Count).ShouldBe(workers, $"round {round}");
            await ExecuteAsync("UPDATE ingestion.import_task_run SET state = 'ready', lease_until = NULL WHERE state = 'running'");
        }
    }

    [Fact]
    public async Task Batches_take_turns()
    {
        var (first, second) = (await Make.Batch(maxWorkers: 10), await Make.Batch(maxWorkers: 10));
        for (var i = 0; i < 4; i++) await Make.Task(first);
        for (var i = 0; i < 2; i++) await Make.Task(second);
        var turns = new List<long>();
        for (var i = 0; i < 4; i++) turns.Add((await Spine.ClaimAsync(limit: 1)).Single().BatchId);
        turns.ShouldBe([first, second, first, second]);
    }

    [Fact]
    public async Task A_batch_that_got_nothing_keeps_its_turn()
    {
        var (first, second) = (await Make.Batch(maxWorkers: 10), await Make.Batch(maxWorkers: 10));
        for (var i = 0; i < 4; i++) await Make.Task(first);
        await Make.Task(second);
        (await Spine.ClaimAsync(limit: 3)).ShouldAllBe(t => t.BatchId == first);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(second);
    }

    [Fact]
    public async Task Urgent_goes_before_low_until_low_has_waited_long_enough()
    {
        var low = await Make.Batch(priority: Priority.Low, maxWorkers: 10);
        var urgent = await Make.Batch(priority: Priority.Urgent, maxWorkers: 10);
        foreach (var batch in new[] { low, low, urgent, urgent, urgent }) await Make.Task(batch);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(urgent);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(urgent);
        // The shift between the two is two minutes: served that much longer ago, low has its turn.
        await ExecuteAsync("UPDATE ingestion.import_job SET served_at = served_at - interval '121 s' WHERE batch_id = $1", low);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(low);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(urgent);
    }

    [Fact]
    public async Task Tenants_take_turns_however_many_batches_they_have()
    {
        await Make.OtherTenant("other");
        var mine = new List<long>();
        for (var i = 0; i < 3; i++) mine.Add(await Make.Batch(maxWorkers: 10));
        var theirs = await Make.Batch(maxWorkers: 10, tenant: "other");
        foreach (var batch in mine) await Make.Task(batch);
        for (var i = 0; i < 3; i++) await Make.Task(theirs);
        var turns = new List<long>();
        for (var i = 0; i < 6; i++) turns.Add((await Spine.ClaimAsync(limit: 1)).Single().BatchId);
        turns.ShouldBe([mine[0], theirs, mine[1], theirs, mine[2], theirs]);
    }

    [Fact]
    public async Task Tenants_that_wait_share_one_helping_and_the_next_takes_what_is_left()
    {
        await Make.OtherTenant("other");
        var (mine, theirs) = (await Make.Batch(maxWorkers: 10), await Make.Batch(maxWorkers: 10, tenant: "other"));
        for (var i = 0; i < 8; i++) await Make.Task(mine);
        for (var i = 0; i < 2; i++) await Make.Task(theirs);
        (await Spine.ClaimAsync(limit: 6)).CountBy(t => t.BatchId).ShouldBe([new(mine, 3), new(theirs, 2)], ignoreOrder: true);
        (await Spine.ClaimAsync(limit: 6)).Count.ShouldBe(5);
        (await Spine.ClaimAsync(limit: 6)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_small_batch_goes_first_and_a_large_one_still_has_its_turn()
    {
        var large = await Make.Batch(maxWorkers: 10);
        var small = await SmallAsync();
        for (var i = 0; i < 2; i++) await Make.Task(large);
        for (var i = 0; i < 3; i++) await Make.Task(small);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(small);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(small);
        await ExecuteAsync("UPDATE ingestion.import_job SET served_at = served_at - interval '6 s' WHERE batch_id = $1", large);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(large);
        (await Spine.ClaimAsync(limit: 1)).Single().BatchId.ShouldBe(small);
    }

    [Fact]
    public async Task What_is_kept_for_small_batches_no_other_takes()
    {
        var large = await Make.Batch();
        await Make.Task(large);
        (await Spine.ClaimAsync(smallOnly: true)).ShouldBeEmpty();
        var ready = await Make.Task(await SmallAsync());
        (await Spine.ClaimAsync(smallOnly: true)).ShouldHaveSingleItem().ShouldBe(ready with { Attempt = 1, Small = true, Alone = true });
    }

    private async Task<long> SmallAsync()
    {
        var batch = await Make.Batch(maxWorkers: 10);
        await ExecuteAsync("UPDATE ingestion.import_job SET small = true WHERE batch_id = $1", batch);
        return batch;
    }

    [Fact]
    public async Task Many_at_once_claim_every_task_exactly_once()
    {
        const int tasks = 200;
        var batch = await Make.Batch(maxWorkers: 1000);
        var first = await Make.Task(batch);
        await ExecuteAsync("""
            WITH i AS (
                INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
                SELECT 'default', $1, 'url', 'https://example.org/many', n, 'x', '{}', 'open', 'acquire', 'pending', 0 FROM generate_series(2, $3) n RETURNING id)
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
            SELECT 'default', $1, $2, id, 'acquire', 'ready', 0, 0, 0 FROM i
            """, batch, first.JobId, tasks);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 8).Select(async w =>
        {
            var mine = new List<long>();
            while (await Spine.ClaimAsync(limit: 7, worker: $"w{w}") is { Count: > 0 } some) mine.AddRange(some.Select(t => t.Id));
            return mine;
        }));
        var all = claimed.SelectMany(c => c).ToList();
        all.Count.ShouldBe(tasks);
        all.Distinct().Count().ShouldBe(tasks);
    }
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class CancelTests : DatabaseTest
{
    [Fact]
    public async Task Everything_open_is_cancelled_and_what_ended_stays()
    {
        var batch = await Make.Batch();
        await Make.Task(batch);
        await Make.Task(batch, TaskState.Running);
        await Make.Task(batch, TaskState.Blocked);
        await Make.Task(batch, stage: Stage.Discover);
        await Make.Item(batch, ItemState.Done);
        await Make.Item(batch, ItemState.Failed);
        (await CancelAsync(batch)).Done.ShouldBeTrue();
        (await QueryAsync<string>("SELECT DISTINCT state FROM ingestion.import_task_run")).ShouldBe(["cancelled"]);
        (await QueryAsync<string>("SELECT state || ' ' || count(*) FROM ingestion.import_item GROUP BY state ORDER BY 1")).ShouldBe(["cancelled 3", "done 1", "failed 1"]);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_input")).ShouldBe("cancelled");
        (await ScalarAsync<string>("SELECT state || ' ' || (final_counts ->> 'Cancelled') FROM ingestion.import_batch")).ShouldBe("cancelled 3");
    }

    [Fact]
    public async Task More_than_a_slice_is_cancelled_to_the_last()
    {
        var batch = await Make.Batch();
        var first = await Make.Task(batch);
        await ExecuteAsync("""
            WITH i AS (
                INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
                SELECT 'default', $1, 'url', 'https://example.org/many', n, 'x', '{}', 'open', 'acquire', 'pending', 0 FROM generate_series(2, 2500) n RETURNING id)
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
            SELECT 'default', $1, $2, id, 'acquire', 'ready', 0, 0, 0 FROM i
            """, batch, first.JobId);
        await CancelAsync(batch);
        (await ScalarAsync<string>("SELECT final_counts ->> 'Cancelled' FROM ingestion.import_batch")).ShouldBe("2500");
        (await ScalarAsync<bool>("SELECT count(*) = max(e.seq) AND max(e.seq) = max(s.seq) FROM ingestion.import_event e JOIN ingestion.import_batch_seq s USING (batch_id)")).ShouldBeTrue();
    }

    [Fact]
    public async Task A_running_save_ends_first_and_what_it_opened_is_cancelled_behind_it()
    {
        var batch = await Make.Batch();
        var task = await Make.Task(batch, TaskState.Running);
        var (saving, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        var settling = Spine.DoneAsync(task, async (_, _) =>
        {
            saving.SetResult();
            await go.Task;
        });
        await saving.Task;
        var cancel = CancelAsync(batch);
        // The wish is committed at once; the slice waits for the save.
        await Eventually.IsAsync(async () => await ScalarAsync<string>("SELECT desired_state FROM ingestion.import_batch") == "cancel", "the cancel is wanted");
        await Eventually.IsAsync(async () => await ScalarAsync<long>("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted") > 0, "the cancel waits");
        cancel.IsCompleted.ShouldBeFalse();
        go.SetResult();
        (await settling).ShouldBeTrue();
        await cancel;
        (await QueryAsync<string>("SELECT stage || ' ' || state FROM ingestion.import_task_run ORDER BY id")).ShouldBe(["acquire succeeded", "parse cancelled"]);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_item")).ShouldBe("cancelled");
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("cancelled");
    }

    [Fact]
    public async Task Settlings_and_a_cancel_at_once_leave_nothing_open_and_one_end()
    {
        for (var round = 0; round < 12; round++)
        {
            var batch = await Make.Batch(maxWorkers: 64);
            var tasks = new List<ClaimedTask>();
            foreach (var stage in new[] { Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index, Stage.Index }) tasks.Add(await Make.Task(batch, TaskState.Running, stage));
            using var start = new Barrier(tasks.Count + 1);
            var settle = tasks.Select(t => Task.Run(() =>
            {
                start.SignalAndWait();
                return Spine.DoneAsync(t);
            })).ToList();
            var cancel = Task.Run(() =>
            {
                start.SignalAndWait();
                return CancelAsync(batch);
            });
            await Task.WhenAll(settle);
            (await cancel).Done.ShouldBeTrue();
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE batch_id = $1 AND state IN ('ready', 'running', 'blocked')", batch)).ShouldBe(0, $"round {round}");
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE batch_id = $1 AND state = 'open'", batch)).ShouldBe(0);
            (await QueryAsync<string>("SELECT kind FROM ingestion.import_event WHERE batch_id = $1 AND kind IN ('batch_cancelled', 'batch_completed')", batch)).ShouldBe(["batch_cancelled"]);
        }
    }

    [Fact]
    public async Task Two_cancels_at_once_end_the_batch_once()
    {
        var batch = await Make.Batch();
        for (var i = 0; i < 20; i++) await Make.Task(batch);
        var results = await Task.WhenAll(CancelAsync(batch), CancelAsync(batch), Spine.Control.FinishCancelAsync(batch, CancellationToken.None).ContinueWith(_ => new ControlResult(false, "")));
        results.Count(r => r.Done).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'batch_cancelled'")).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'item_cancelled'")).ShouldBe(20);
    }

    [Fact]
    public async Task A_cancel_that_died_after_its_first_commit_is_carried_to_its_end()
    {
        var batch = await Make.Batch(desired: DesiredState.Cancel);
        await Make.Task(batch, TaskState.Running);
        await Spine.Duties.FinishAsync(CancellationToken.None);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("cancelled");
    }

    [Fact]
    public async Task A_listing_that_inserts_items_and_a_cancel_do_not_deadlock()
    {
        for (var round = 0; round < 10; round++)
        {
            var batch = await Make.Batch();
            var task = await Make.Task(batch, TaskState.Running, Stage.Discover);
            var input = new WorkInput(task.InputId!.Value, batch, "default", "manifest", null, "{}", null);
            var context = new StageContext(task, new(new(), null, input), Worker, Spine.Hints, TimeProvider.System);
            using var start = new Barrier(2);
            var listing = Task.Run(async () =>
            {
                start.SignalAndWait();
                try
                {
                    for (var page = 0; page < 20; page++)
                        await context.CheckpointAsync((connection, ct) => LaunchItems.FromListingAsync(connection, input,
                            [new($"https://example.org/{page}", page + 1, "x", new Dictionary<string, string>())], $"{page}", ct), [new("items_discovered")], CancellationToken.None);
                    return "listed";
                }
                catch (LeaseLostException)
                {
                    return "lost";
                }
            });
            var pausing = Task.Run(async () =>
            {
                start.SignalAndWait();
                await Spine.Control.PauseAsync(Make.Actor, batch, CancellationToken.None);
                await Spine.Control.ResumeAsync(Make.Actor, batch, CancellationToken.None);
                await CancelAsync(batch);
            });
            await Task.WhenAll(listing, pausing);
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE batch_id = $1 AND state = 'open'", batch)).ShouldBe(0);
        }
    }

    private Task<ControlResult> CancelAsync(long batch) => Spine.Control.CancelAsync(Make.Actor, batch, CancellationToken.None);
}

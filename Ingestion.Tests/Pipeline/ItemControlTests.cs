using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class ItemControlTests : DatabaseTest
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Only_the_open_ones_of_a_selection_are_cancelled_and_the_batch_goes_on()
    {
        var batch = await Make.Batch();
        var (ready, running, blocked, other) = (await Make.Task(batch), await Make.Task(batch, TaskState.Running), await Make.Task(batch, TaskState.Blocked), await Make.Task(batch));
        var done = await Make.Item(batch, ItemState.Done);
        (await CancelAsync(batch, Id(ready), Id(running), Id(blocked), done)).ShouldBe(new(true, "3 documents are cancelled."));
        (await QueryAsync<string>("SELECT state FROM ingestion.import_item ORDER BY id")).ShouldBe(["cancelled", "cancelled", "cancelled", "open", "done"]);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("running");
        // What ran is fenced off.
        (await Spine.DoneAsync(running)).ShouldBeFalse();
        (await ScalarAsync<string>("SELECT who || ' ' || action || ' ' || data FROM ingestion.audit_entry")).ShouldBe("""test cancel_items {"items": 3}""");
        (await ScalarAsync<string>("SELECT (data ->> 'by') || (data ->> 'items') FROM ingestion.import_event WHERE kind = 'cancel_requested'")).ShouldBe("test3");
        (await Spine.ClaimAsync()).ShouldHaveSingleItem().Id.ShouldBe(other.Id);
    }

    [Fact]
    public async Task The_last_open_items_end_their_batch()
    {
        var batch = await Make.Batch();
        var task = await Make.Task(batch);
        await CancelAsync(batch, Id(task));
        (await ScalarAsync<string>("SELECT state || ': ' || message FROM ingestion.import_batch")).ShouldBe("completed: Every document was cancelled.");

        var mixed = await Make.Batch();
        await Make.Item(mixed, ItemState.Failed);
        await CancelAsync(mixed, Id(await Make.Task(mixed)));
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", mixed)).ShouldBe("failed");
    }

    [Fact]
    public async Task Settlings_and_a_cancel_of_their_items_at_once_leave_nothing_of_them_open()
    {
        for (var round = 0; round < 8; round++)
        {
            var batch = await Make.Batch(maxWorkers: 64);
            var tasks = new List<ClaimedTask>();
            foreach (var stage in new[] { Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index }) tasks.Add(await Make.Task(batch, TaskState.Running, stage));
            using var start = new Barrier(tasks.Count + 1);
            var settle = tasks.Select(t => Task.Run(() => { start.SignalAndWait(); return Spine.DoneAsync(t); })).ToList();
            var cancel = Task.Run(() => { start.SignalAndWait(); return CancelAsync(batch, [.. tasks.Select(Id)]); });
            await Task.WhenAll(settle);
            await cancel;
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE batch_id = $1 AND state = 'open'", batch)).ShouldBe(0);
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE batch_id = $1 AND kind = 'batch_completed'", batch)).ShouldBe(1);
        }
    }

    [Fact]
    public async Task What_a_task_writes_while_its_cancel_waits_for_it_is_taken_back_with_it()
    {
        var batch = await Make.Batch();
        var task = await Make.Task(batch, TaskState.Running, Stage.Parse);
        await using var connection = await Worker.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        // A checkpoint: the fence is held, and the content claimed under it.
        await connection.QueryAsync<long>("SELECT id FROM ingestion.import_task_run WHERE id = $1 FOR NO KEY UPDATE", task.Id);
        await connection.QueryAsync<long>("INSERT INTO ingestion.content_claim (tenant_id, collection_id, sha256, item_id) SELECT $1, 1, 'aa', $2", task.TenantId, Id(task));
        var cancel = CancelAsync(batch, Id(task));
        await Eventually.IsAsync(async () => await ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"), "the cancel waits for the task");
        await transaction.CommitAsync();
        (await cancel).Done.ShouldBeTrue();
        (await QueryAsync<string>("SELECT state FROM ingestion.import_item")).ShouldBe(["cancelled"]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.content_claim")).ShouldBe(0);
    }

    [Fact]
    public async Task Nothing_open_nothing_of_ours_and_a_cancel_under_way_are_said()
    {
        var batch = await Make.Batch();
        var done = await Make.Item(batch, ItemState.Done);
        (await CancelAsync(batch, done)).Message.ShouldContain("none of these documents is open");
        (await Spine.Items.CancelAsync(new("elsewhere", "x"), batch, [done], default)).Message.ShouldBe("There is no such batch.");
        var cancelling = await Make.Batch(desired: DesiredState.Cancel);
        (await CancelAsync(cancelling, Id(await Make.Task(cancelling)))).Message.ShouldBe("The batch is being cancelled.");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.audit_entry")).ShouldBe(0);
    }

    [Fact]
    public async Task Pauses_of_ours_are_cut_short_and_turns_at_hosts_are_kept()
    {
        var batch = await Make.Batch();
        foreach (var reason in WaitReasons.All)
        {
            var task = await Make.Task(batch, due: Hour);
            await ExecuteAsync("UPDATE ingestion.import_task_run SET wait_reason = $2 WHERE id = $1", task.Id, reason);
        }
        (await Spine.Items.TryNowAsync(Make.Actor, batch, null, default)).ShouldBe(new(true, $"{WaitReasons.OurPauses.Count} documents are tried at once."));
        (await QueryAsync<string>("SELECT wait_reason FROM ingestion.import_task_run WHERE scheduled_at > now() ORDER BY id")).ShouldBe(WaitReasons.All.Except(WaitReasons.OurPauses));
        (await Spine.ClaimAsync()).Count.ShouldBe(4);
        (await Spine.Items.TryNowAsync(Make.Actor, batch, null, default)).Done.ShouldBeFalse();
    }

    private static long Id(ClaimedTask task) => task.ItemId!.Value;

    private Task<ControlResult> CancelAsync(long batch, params long[] items) => Spine.Items.CancelAsync(Make.Actor, batch, items, CancellationToken.None);
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class BatchControlTests : DatabaseTest
{
    /// <summary>Every state, every act: the state after it, or null where it is refused.</summary>
    public static TheoryData<BatchState, string, BatchState?> Edges => new()
    {
        { BatchState.Pending, "start", BatchState.Queued }, { BatchState.Pending, "pause", null }, { BatchState.Pending, "resume", null }, { BatchState.Pending, "cancel", BatchState.Cancelled }, { BatchState.Pending, "retry", null },
        { BatchState.Queued, "start", null }, { BatchState.Queued, "pause", BatchState.Paused }, { BatchState.Queued, "resume", null }, { BatchState.Queued, "cancel", BatchState.Cancelled }, { BatchState.Queued, "retry", BatchState.Queued },
        { BatchState.Running, "start", null }, { BatchState.Running, "pause", BatchState.Paused }, { BatchState.Running, "resume", null }, { BatchState.Running, "cancel", BatchState.Cancelled }, { BatchState.Running, "retry", BatchState.Running },
        { BatchState.Paused, "start", null }, { BatchState.Paused, "pause", null }, { BatchState.Paused, "resume", BatchState.Queued }, { BatchState.Paused, "cancel", BatchState.Cancelled }, { BatchState.Paused, "retry", BatchState.Paused },
        { BatchState.Retrying, "start", null }, { BatchState.Retrying, "pause", BatchState.Paused }, { BatchState.Retrying, "resume", null }, { BatchState.Retrying, "cancel", BatchState.Cancelled }, { BatchState.Retrying, "retry", BatchState.Retrying },
        { BatchState.Completed, "start", null }, { BatchState.Completed, "pause", null }, { BatchState.Completed, "resume", null }, { BatchState.Completed, "cancel", null }, { BatchState.Completed, "retry", BatchState.Retrying },
        { BatchState.Failed, "start", null }, { BatchState.Failed, "pause", null }, { BatchState.Failed, "resume", null }, { BatchState.Failed, "cancel", null }, { BatchState.Failed, "retry", BatchState.Retrying },
        { BatchState.Cancelled, "start", null }, { BatchState.Cancelled, "pause", null }, { BatchState.Cancelled, "resume", null }, { BatchState.Cancelled, "cancel", null }, { BatchState.Cancelled, "retry", BatchState.Retrying },
    };

    [Theory]
    [MemberData(nameof(Edges))]
    public async Task Act_goes_along_its_edge_or_changes_nothing(BatchState from, string act, BatchState? to)
    {
        var batch = await Make.Batch(from);
        await Make.Item(batch, ItemState.Failed);
        if (!from.IsFinal()) await Make.Task(batch);
        var before = await TraceAsync(batch);
        var result = await ActAsync(batch, act);
        result.Done.ShouldBe(to is not null, result.Message);
        result.Message.ShouldEndWith(".");
        if (to is null)
        {
            (await TraceAsync(batch)).ShouldBe(before);
            return;
        }
        (await StateAsync(batch)).ShouldBe(to.Value.Word());
        (await ScalarAsync<string>("SELECT who || ' ' || action FROM ingestion.audit_entry")).ShouldBe("test " + act);
        (await ScalarAsync<long>("SELECT max(seq) FROM ingestion.import_event WHERE batch_id = $1", batch)).ShouldBeGreaterThan(1);
        // Whoever can claim from it afterwards is a batch that works.
        (await ScalarAsync<bool>("SELECT bool_or(active) FROM ingestion.import_job WHERE batch_id = $1", batch)).ShouldBe(to is BatchState.Running or BatchState.Retrying);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    [InlineData("retry")]
    public async Task While_a_cancel_is_carried_out_nothing_else_is_accepted(string act)
    {
        var batch = await Make.Batch(desired: DesiredState.Cancel);
        await Make.Item(batch, ItemState.Failed);
        var result = await ActAsync(batch, act);
        (result.Done, result.Message.Contains("being cancelled", StringComparison.Ordinal)).ShouldBe((false, true));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    [InlineData("retry")]
    public async Task A_foreign_batch_looks_like_one_that_does_not_exist(string act)
    {
        await Make.OtherTenant("other");
        var foreign = await Make.Batch(tenant: "other");
        (await ActAsync(foreign, act)).ShouldBe(await ActAsync(123_456, act));
        (await StateAsync(foreign)).ShouldBe("running");
    }

    [Fact]
    public async Task A_draft_is_neither_started_nor_cancelled()
    {
        var draft = await Make.Batch(BatchState.Pending, draft: true);
        foreach (var act in new[] { "start", "cancel", "pause", "resume", "retry" }) (await ActAsync(draft, act)).Done.ShouldBeFalse(act);
    }

    [Fact]
    public async Task A_paused_batch_is_not_claimed_from_and_what_runs_comes_to_its_end()
    {
        var batch = await Make.Batch();
        var running = await Make.Task(batch, TaskState.Running);
        await Make.Task(batch);
        await ActAsync(batch, "pause");
        (await Spine.ClaimAsync()).ShouldBeEmpty();
        (await Spine.DoneAsync(running)).ShouldBeTrue();
        (await Spine.ClaimAsync(Stage.Parse)).ShouldBeEmpty();
        await ActAsync(batch, "resume");
        await Spine.Duties.ActivateAsync(CancellationToken.None);
        (await Spine.ClaimAsync()).Count.ShouldBe(1);
        (await Spine.ClaimAsync(Stage.Parse)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Many_pausing_and_resuming_at_once_leave_one_event_for_each_that_was_told_yes()
    {
        var batch = await Make.Batch();
        await Make.Task(batch);
        var results = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => ActAsync(batch, i % 2 == 0 ? "pause" : "resume")));
        var told = await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind IN ('batch_paused', 'batch_resumed')");
        told.ShouldBe(results.Count(r => r.Done));
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.audit_entry")).ShouldBe(told);
        var paused = await ScalarAsync<long>("SELECT count(*) FILTER (WHERE kind = 'batch_paused') - count(*) FILTER (WHERE kind = 'batch_resumed') FROM ingestion.import_event");
        (await StateAsync(batch)).ShouldBe(paused == 1 ? "paused" : "queued");
    }

    private Task<ControlResult> ActAsync(long batch, string act) => act switch
    {
        "start" => Spine.Control.StartAsync(Make.Actor, batch, CancellationToken.None),
        "pause" => Spine.Control.PauseAsync(Make.Actor, batch, CancellationToken.None),
        "resume" => Spine.Control.ResumeAsync(Make.Actor, batch, CancellationToken.None),
        "cancel" => Spine.Control.CancelAsync(Make.Actor, batch, CancellationToken.None),
        _ => Spine.Retry.RetryAsync(Make.Actor, batch, RetryScope.Failed, null, null, CancellationToken.None),
    };

    private Task<string> StateAsync(long batch) => ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", batch);

    private Task<string> TraceAsync(long batch) => ScalarAsync<string>("""
        SELECT (SELECT b::text FROM ingestion.import_batch b WHERE id = $1) || (SELECT string_agg(t::text, ';') FROM ingestion.import_event t WHERE batch_id = $1)
            || (SELECT count(*) FROM ingestion.audit_entry)
        """, batch);
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class BatchRetryTests : DatabaseTest
{
    [Fact]
    public async Task Failed_items_get_a_new_run_at_their_stage_and_the_old_one_stays()
    {
        var task = await Make.Task(state: TaskState.Running, stage: Stage.Parse);
        await ExecuteAsync("UPDATE ingestion.import_item SET source_version_id = 1");
        await Spine.FailAsync(task, ErrorCodes.Corrupt);
        (await RetryAsync(task.BatchId)).ShouldBe(new(true, "1 item runs again."));
        (await QueryAsync<string>("SELECT stage || ' ' || state || ' ' || attempt || ' ' || failures FROM ingestion.import_task_run ORDER BY id"))
            .ShouldBe(["parse failed 1 1", "parse ready 0 0"]);
        (await ScalarAsync<string>("SELECT concat_ws(' ', state, stage, error_code, completed_at) FROM ingestion.import_item")).ShouldBe("open parse");
        (await ScalarAsync<string>("SELECT concat_ws(' ', state, completed_at, final_counts, message) FROM ingestion.import_batch")).ShouldBe("retrying");
        var again = (await Spine.ClaimAsync(Stage.Parse)).ShouldHaveSingleItem();
        (await Spine.DoneAsync(again)).ShouldBeTrue();
    }

    [Fact]
    public async Task Only_named_items_are_retried()
    {
        var batch = await Make.Batch(BatchState.Failed);
        var (one, _) = (await Make.Item(batch, ItemState.Failed), await Make.Item(batch, ItemState.Failed));
        (await RetryAsync(batch, items: [one])).Done.ShouldBeTrue();
        (await QueryAsync<long>("SELECT id FROM ingestion.import_item WHERE state = 'open'")).ShouldBe([one]);
    }

    [Theory]
    [InlineData(RetryScope.Failed, new[] { "cancelled", "failed" })]
    [InlineData(RetryScope.All, new[] { "cancelled", "done", "failed", "skipped" })]
    public async Task Scope_decides_which_ends_are_taken_up_again(RetryScope scope, string[] expected)
    {
        var batch = await Make.Batch(BatchState.Completed);
        foreach (var state in new[] { ItemState.Done, ItemState.Skipped, ItemState.Failed, ItemState.Rejected, ItemState.Cancelled }) await Make.Item(batch, state);
        await ExecuteAsync("UPDATE ingestion.import_item SET progress_message = state");
        await ExecuteAsync("UPDATE ingestion.import_item SET name = state");
        await RetryAsync(batch, scope);
        (await QueryAsync<string>("SELECT name FROM ingestion.import_item WHERE state = 'open' ORDER BY name")).ShouldBe(expected);
    }

    [Fact]
    public async Task Changed_options_send_items_whose_bytes_are_here_back_to_parsing()
    {
        var batch = await Make.Batch(BatchState.Failed);
        await Make.Item(batch, ItemState.Failed, Stage.Embed);
        await Make.Item(batch, ItemState.Failed);
        await ExecuteAsync("UPDATE ingestion.import_item SET source_version_id = 1 WHERE stage = 'embed'");
        await RetryAsync(batch, options: new() { ChunkSize = 500, MaxWorkers = 2 });
        (await QueryAsync<string>("SELECT stage FROM ingestion.import_item ORDER BY id")).ShouldBe(["parse", "acquire"]);
        (await QueryAsync<int>("SELECT DISTINCT max_workers FROM ingestion.import_job")).ShouldBe([2]);
    }

    [Fact]
    public async Task A_failed_listing_is_listed_again()
    {
        var task = await Make.Task(state: TaskState.Running, stage: Stage.Discover);
        await Spine.FailAsync(task, ErrorCodes.InvalidManifest);
        (await RetryAsync(task.BatchId)).ShouldBe(new(true, "1 input is listed again."));
        (await Spine.ClaimAsync(Stage.Discover)).ShouldHaveSingleItem().InputId.ShouldBe(task.InputId);
    }

    [Fact]
    public async Task Two_retries_at_once_open_one_run()
    {
        var batch = await Make.Batch(BatchState.Failed);
        await Make.Item(batch, ItemState.Failed);
        var results = await Task.WhenAll(RetryAsync(batch), RetryAsync(batch));
        results.Count(r => r.Done).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run")).ShouldBe(1);
    }

    [Fact]
    public async Task Retries_beside_the_last_settling_lose_nothing()
    {
        for (var round = 0; round < 12; round++)
        {
            var batch = await Make.Batch();
            await Make.Item(batch, ItemState.Failed);
            var last = await Make.Task(batch, TaskState.Running, Stage.Index);
            using var start = new Barrier(2);
            await Task.WhenAll(
                Task.Run(() => { start.SignalAndWait(); return Spine.DoneAsync(last); }),
                Task.Run(() => { start.SignalAndWait(); return RetryAsync(batch); }));
            // Whichever came first: the batch works, and the item that runs again can be claimed.
            (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", batch)).ShouldBeOneOf("running", "retrying");
            (await Spine.ClaimAsync()).ShouldHaveSingleItem().BatchId.ShouldBe(batch);
        }
    }

    private Task<ControlResult> RetryAsync(long batch, RetryScope scope = RetryScope.Failed, IReadOnlyList<long>? items = null, ProcessingOptions? options = null) =>
        Spine.Retry.RetryAsync(Make.Actor, batch, scope, items, options, CancellationToken.None);
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class SettleTests : DatabaseTest
{
    [Fact]
    public async Task Done_opens_the_next_task_moves_the_item_and_tells_it_in_one_transaction()
    {
        var task = await Make.Task(state: TaskState.Running);
        (await Spine.DoneAsync(task)).ShouldBeTrue();
        (await QueryAsync<string>("SELECT stage || ' ' || state FROM ingestion.import_task_run ORDER BY id")).ShouldBe(["acquire succeeded", "parse ready"]);
        (await ScalarAsync<string>("SELECT stage || ' ' || state FROM ingestion.import_item")).ShouldBe("parse open");
        (await QueryAsync<string>("SELECT seq || ' ' || kind FROM ingestion.import_event ORDER BY seq")).ShouldBe(["1 batch_submitted", "2 stage_done"]);
        // Written by one transaction: every row carries its number.
        (await QueryAsync<long>("""
            SELECT DISTINCT x::text::bigint FROM (
                SELECT xmin AS x FROM ingestion.import_task_run UNION ALL SELECT xmin FROM ingestion.import_item
                UNION ALL SELECT xmin FROM ingestion.import_event WHERE seq = 2 UNION ALL SELECT xmin FROM ingestion.import_batch_seq) all_rows
            """)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_save_that_throws_leaves_nothing_behind()
    {
        var task = await Make.Task(state: TaskState.Running);
        await Should.ThrowAsync<InvalidOperationException>(() => Spine.DoneAsync(task, async (connection, _) =>
        {
            await connection.QueryAsync<object>("UPDATE ingestion.import_batch SET message = 'half'");
            throw new InvalidOperationException("no");
        }));
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_task_run")).ShouldBe("running");
        (await ScalarAsync<string?>("SELECT message FROM ingestion.import_batch")).ShouldBeNull();
    }

    [Theory]
    [InlineData(PostgresErrorCodes.SerializationFailure)]
    [InlineData(PostgresErrorCodes.DeadlockDetected)]
    [InlineData(PostgresErrorCodes.LockNotAvailable)]
    public async Task A_conflict_repeats_the_whole_save_and_doubles_nothing(string sqlState)
    {
        var task = await Make.Task(state: TaskState.Running);
        var runs = 0;
        (await Spine.DoneAsync(task, async (connection, _) =>
        {
            await connection.QueryAsync<object>("INSERT INTO ingestion.host_budget (host, next_at) VALUES ('saved:' || $1, now())", runs++);
            if (runs <= 3) await connection.QueryAsync<object>($"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{sqlState}'; END $$");
        })).ShouldBeTrue();
        runs.ShouldBe(4);
        (await QueryAsync<string>("SELECT host FROM ingestion.host_budget")).ShouldBe(["saved:3"]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'stage_done'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_real_deadlock_between_two_saves_ends_with_both_done()
    {
        var batch = await Make.Batch();
        await ExecuteAsync("INSERT INTO ingestion.host_budget (host, next_at) VALUES ('a', now()), ('b', now())");
        var (one, two) = (await Make.Task(batch, TaskState.Running), await Make.Task(batch, TaskState.Running));
        using var both = new Barrier(2);
        var met = new int[2];
        SaveOutput Locking(int who, string first, string second) => async (connection, _) =>
        {
            await connection.QueryAsync<object>("UPDATE ingestion.host_budget SET requests_per_minute = coalesce(requests_per_minute, 0) + 1 WHERE host = $1", first);
            // Only the first time: afterwards the survivor has long gone on.
            if (met[who]++ == 0) await Task.Run(() => both.SignalAndWait(TimeSpan.FromSeconds(20)));
            await connection.QueryAsync<object>("UPDATE ingestion.host_budget SET requests_per_minute = coalesce(requests_per_minute, 0) + 1 WHERE host = $1", second);
        };
        (await Task.WhenAll(Spine.DoneAsync(one, Locking(0, "a", "b")), Spine.DoneAsync(two, Locking(1, "b", "a")))).ShouldBe([true, true]);
        met.Sum().ShouldBe(3);
        (await QueryAsync<int>("SELECT requests_per_minute FROM ingestion.host_budget")).ShouldBe([2, 2]);
    }

    [Fact]
    public async Task The_last_stage_ends_the_item_and_the_last_item_the_batch()
    {
        var batch = await Make.Batch();
        var (one, two) = (await Make.Task(batch, TaskState.Running, Stage.Index), await Make.Task(batch, TaskState.Running, Stage.Index));
        (await Spine.DoneAsync(one)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("running");
        (await Spine.DoneAsync(two)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ' ' || (completed_at IS NOT NULL) || ' ' || (final_counts ->> 'Done') FROM ingestion.import_batch")).ShouldBe("completed true 2");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_job WHERE active")).ShouldBe(0);
        (await QueryAsync<string>("SELECT kind FROM ingestion.import_event ORDER BY seq")).ShouldBe(["batch_submitted", "stage_done", "item_done", "stage_done", "item_done", "batch_completed"]);
    }

    [Fact]
    public async Task Two_last_settlings_at_once_complete_the_batch_exactly_once()
    {
        for (var round = 0; round < 15; round++)
        {
            var batch = await Make.Batch();
            var tasks = new List<ClaimedTask>();
            for (var i = 0; i < 4; i++) tasks.Add(await Make.Task(batch, TaskState.Running, Stage.Index));
            using var start = new Barrier(tasks.Count);
            (await Task.WhenAll(tasks.Select((t, i) => Task.Run(async () =>
            {
                start.SignalAndWait();
                return i % 2 == 0 ? await Spine.DoneAsync(t) : await Spine.FailAsync(t, ErrorCodes.NotFound);
            })))).ShouldAllBe(ours => ours);
            (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", batch)).ShouldBe("completed");
            (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE batch_id = $1 AND kind = 'batch_completed'", batch)).ShouldBe(1);
        }
    }

    [Fact]
    public async Task Batch_with_nothing_but_failures_failed()
    {
        (await Spine.FailAsync(await Make.Task(state: TaskState.Running), ErrorCodes.NotFound)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ': ' || message FROM ingestion.import_batch")).ShouldBe("failed: Every document failed.");
        (await ScalarAsync<string>("SELECT state || ' ' || error_code || ' ' || error_message FROM ingestion.import_item")).ShouldBe("failed not_found It failed.");
    }

    [Fact]
    public async Task What_is_skipped_ends_well()
    {
        var task = await Make.Task(state: TaskState.Running);
        (await Spine.Settler.SettleAsync(task, new StageOutcome.Skipped("It is there."), CancellationToken.None)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ' ' || progress_message FROM ingestion.import_item")).ShouldBe("skipped It is there.");
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("completed");
    }

    [Fact]
    public async Task A_batch_ends_when_nothing_but_review_is_left()
    {
        var task = await Make.Task(state: TaskState.Running);
        (await Spine.Settler.SettleAsync(task, new StageOutcome.Blocked((_, _) => Task.CompletedTask), CancellationToken.None)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ': ' || message FROM ingestion.import_batch")).ShouldBe("completed: 1 document waits for review.");
        (await ScalarAsync<string>("SELECT i.state || ' ' || t.state FROM ingestion.import_item i JOIN ingestion.import_task_run t ON t.item_id = i.id")).ShouldBe("open blocked");
    }

    [Fact]
    public async Task A_listing_that_found_nothing_completes_with_a_sentence()
    {
        (await Spine.DoneAsync(await Make.Task(state: TaskState.Running, stage: Stage.Discover))).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ': ' || message FROM ingestion.import_batch")).ShouldBe("completed: Nothing was found to ingest.");
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_input")).ShouldBe("done");
    }

    [Fact]
    public async Task A_listing_that_failed_and_found_nothing_fails_the_batch()
    {
        (await Spine.FailAsync(await Make.Task(state: TaskState.Running, stage: Stage.Discover), ErrorCodes.InvalidManifest)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("failed");
    }

    [Fact]
    public async Task Postponing_charges_nothing_however_often()
    {
        var task = await Make.Task(state: TaskState.Running);
        for (var i = 0; i < 10; i++)
        {
            (await Spine.Settler.SettleAsync(task, new StageOutcome.RetryLater(TimeSpan.Zero, WaitReasons.HostPacing), CancellationToken.None)).ShouldBeTrue();
            task = (await Spine.ClaimAsync()).ShouldHaveSingleItem();
            task.WaitReason.ShouldBe(WaitReasons.HostPacing);
        }
        (task.Failures, task.Crashes, task.Attempt).ShouldBe((0, 0, 11));
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event")).ShouldBe(1);
    }

    [Fact]
    public async Task Automatic_retries_are_charged_and_end_after_as_many_as_allowed()
    {
        var task = await Make.Task(state: TaskState.Running);
        for (var failure = 1; failure <= 2; failure++)
        {
            (await Spine.FailAsync(task, ErrorCodes.NetworkError, maxRetries: 2)).ShouldBeTrue();
            (await ScalarAsync<bool>("SELECT scheduled_at > now() FROM ingestion.import_task_run")).ShouldBeTrue();
            await ExecuteAsync("UPDATE ingestion.import_task_run SET scheduled_at = now()");
            task = (await Spine.ClaimAsync()).ShouldHaveSingleItem();
            (task.Failures, task.WaitReason).ShouldBe((failure, WaitReasons.Retry));
        }
        (await Spine.FailAsync(task, ErrorCodes.NetworkError, maxRetries: 2)).ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ' ' || failures || ' ' || attempt || ' ' || error_code FROM ingestion.import_task_run")).ShouldBe("failed 3 3 network_error");
        (await QueryAsync<string>("SELECT kind FROM ingestion.import_event ORDER BY seq")).ShouldBe(["batch_submitted", "attempt_failed", "attempt_failed", "item_failed", "batch_completed"]);
    }

    [Fact]
    public async Task A_message_is_stored_as_one_line_without_control_characters()
    {
        var task = await Make.Task(state: TaskState.Running);
        await Spine.Settler.FailAsync(task, new(ErrorCodes.NotFound, "a\0b\r\nc\u001b[31m"), null, 0, CancellationToken.None);
        (await ScalarAsync<string>("SELECT error_message FROM ingestion.import_item")).ShouldBe("a b  c [31m");
    }
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class RescueTests : DatabaseTest
{
    private static readonly TimeSpan Expired = TimeSpan.FromSeconds(-1);

    [Fact]
    public async Task What_expired_is_ready_again_and_only_the_crash_is_counted()
    {
        var lost = await Make.Task(state: TaskState.Running, lease: Expired, failures: 1);
        await RescueAsync();
        (await StateAsync(lost)).ShouldBe("ready attempt 2 failures 1 crashes 1 worker_lost");
        (await QueryAsync<string>("SELECT kind FROM ingestion.import_event WHERE task_id = $1", lost.Id)).ShouldBe(["lease_lost"]);
    }

    [Fact]
    public async Task What_has_not_expired_stays_unless_nobody_else_can_live()
    {
        var held = await Make.Task(state: TaskState.Running);
        await RescueAsync();
        (await StateAsync(held)).ShouldStartWith("running");
        await Spine.Duties.RescueAsync(everything: true, CancellationToken.None);
        (await StateAsync(held)).ShouldStartWith("ready");
    }

    [Fact]
    public async Task Third_crash_in_a_row_quarantines_and_ends_the_batch()
    {
        var poison = await Make.Task(state: TaskState.Running, lease: Expired, crashes: 2);
        await RescueAsync();
        (await StateAsync(poison)).ShouldBe("failed attempt 3 failures 0 crashes 3 ");
        (await ScalarAsync<string>("SELECT state || ' ' || error_code FROM ingestion.import_item")).ShouldBe("failed crashed_worker");
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("failed");
        (await QueryAsync<string>("SELECT kind FROM ingestion.import_event ORDER BY seq")).ShouldBe(["batch_submitted", "lease_lost", "item_failed", "batch_completed"]);
    }

    [Fact]
    public async Task A_listing_that_crashed_three_times_fails_its_input()
    {
        await Make.Task(state: TaskState.Running, stage: Stage.Discover, lease: Expired, crashes: 2);
        await RescueAsync();
        (await ScalarAsync<string>("SELECT state || ' ' || error_code FROM ingestion.import_input")).ShouldBe("failed crashed_worker");
    }

    [Fact]
    public async Task An_attempt_that_ended_by_itself_starts_the_row_of_crashes_anew()
    {
        var shaky = await Make.Task(state: TaskState.Running, crashes: 2);
        (await Spine.FailAsync(shaky, ErrorCodes.NetworkError)).ShouldBeTrue();
        (await StateAsync(shaky)).ShouldBe("ready attempt 3 failures 1 crashes 0 retry");
    }

    [Fact]
    public async Task A_row_that_is_being_completed_is_left_alone()
    {
        var task = await Make.Task(state: TaskState.Running, lease: Expired);
        await using (var completer = await Worker.OpenConnectionAsync())
        await using (var transaction = await completer.BeginTransactionAsync())
        {
            (await ImportQueue.SucceedAsync(completer, task, CancellationToken.None)).ShouldBeTrue();
            await RescueAsync();
            await transaction.CommitAsync();
        }
        (await StateAsync(task)).ShouldStartWith("succeeded");
    }

    [Fact]
    public async Task Completion_between_the_rescuers_look_and_its_write_is_refused_and_the_new_attempt_is_untouched()
    {
        var task = await Make.Task(state: TaskState.Running, lease: Expired);
        // Holds every rescue between choosing its rows and writing them, until the test lets it go.
        await BreakAsync("""
            CREATE FUNCTION hold_rescue() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.crashes > OLD.crashes THEN PERFORM pg_advisory_xact_lock(4711); END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER a_hold BEFORE UPDATE ON ingestion.import_task_run FOR EACH ROW EXECUTE FUNCTION hold_rescue();
            """);
        Task rescue;
        Task<bool> late;
        await using (var gate = await Worker.OpenConnectionAsync())
        {
            await gate.QueryAsync<object>("SELECT pg_advisory_lock(4711)");
            rescue = RescueAsync();
            await UntilWaitingAsync(1);
            late = Spine.DoneAsync(task);
            await UntilWaitingAsync(2);
            late.IsCompleted.ShouldBeFalse();
            await gate.QueryAsync<object>("SELECT pg_advisory_unlock(4711)");
        }
        await rescue;
        (await late).ShouldBeFalse();
        var again = (await Spine.ClaimAsync(worker: "w2")).ShouldHaveSingleItem();
        (await Spine.DoneAsync(task)).ShouldBeFalse();
        (await StateAsync(again)).ShouldStartWith("running attempt 2");
        (await Spine.DoneAsync(again)).ShouldBeTrue();
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'stage_done'")).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_has_just_come_back_gives_workers_one_heartbeat()
    {
        var task = await Make.Task(state: TaskState.Running, lease: Expired);
        await using var patient = new Spine(new(Test.ConnectionString), new() { Heartbeat = TimeSpan.FromDays(1) });
        await patient.Duties.RescueAsync(everything: false, CancellationToken.None);
        (await StateAsync(task)).ShouldStartWith("running");
    }

    [Fact]
    public async Task Release_at_a_stop_charges_nothing()
    {
        var batch = await Make.Batch();
        var mine = await Make.Task(batch, TaskState.Running, failures: 1, crashes: 1);
        var others = await Make.Task(batch, TaskState.Running, heldBy: "w2");
        await using var connection = await Worker.OpenConnectionAsync();
        (await ImportQueue.ReleaseAsync(connection, "w1", CancellationToken.None)).ShouldBe([batch]);
        (await StateAsync(mine)).ShouldBe("ready attempt 3 failures 1 crashes 1 ");
        (await StateAsync(others)).ShouldStartWith("running");
        (await Spine.ClaimAsync(worker: "w3")).ShouldHaveSingleItem().Id.ShouldBe(mine.Id);
    }

    private Task RescueAsync() => Spine.Duties.RescueAsync(everything: false, CancellationToken.None);

    private Task<string> StateAsync(ClaimedTask task) => ScalarAsync<string>("""
        SELECT format('%s attempt %s failures %s crashes %s %s', state, attempt, failures, crashes, wait_reason) FROM ingestion.import_task_run WHERE id = $1
        """, task.Id);

    private Task UntilWaitingAsync(int sessions) => Eventually.IsAsync(async () =>
        await ScalarAsync<long>("SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted") == sessions, $"{sessions} sessions wait");
}

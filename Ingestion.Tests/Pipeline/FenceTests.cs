using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>What a worker that lost its claim can still do: nothing.</summary>
public sealed class FenceTests : DatabaseTest
{
    private static readonly TimeSpan Expired = TimeSpan.FromSeconds(-1);

    public static TheoryData<string> Endings => ["done", "skipped", "later", "blocked", "retry", "failed"];

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Late_ending_after_a_rescue_changes_nothing(string ending)
    {
        var late = await Make.Task(state: TaskState.Running, lease: Expired);
        await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
        await NothingChangesAsync(() => EndAsync(late, ending));
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Late_ending_after_somebody_else_claimed_changes_nothing(string ending)
    {
        var late = await Make.Task(state: TaskState.Running, lease: Expired);
        await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
        var now = (await Spine.ClaimAsync(worker: "w2")).ShouldHaveSingleItem();
        now.Attempt.ShouldBe(late.Attempt + 1);
        await NothingChangesAsync(() => EndAsync(late, ending));
        (await Spine.DoneAsync(now)).ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Ending_twice_counts_once(string ending)
    {
        var task = await Make.Task(state: TaskState.Running);
        (await EndAsync(task, ending)).ShouldBeTrue();
        await NothingChangesAsync(() => EndAsync(task, ending));
    }

    [Theory]
    [MemberData(nameof(Endings))]
    public async Task Once_a_cancel_is_asked_for_no_ending_counts(string ending)
    {
        var task = await Make.Task(await Make.Batch(desired: DesiredState.Cancel), TaskState.Running);
        await NothingChangesAsync(() => EndAsync(task, ending));
    }

    [Fact]
    public async Task A_late_attempt_in_one_group_with_the_one_that_took_its_place_writes_nothing()
    {
        var late = await Make.Task(state: TaskState.Running, lease: Expired);
        await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
        var now = (await Spine.ClaimAsync(worker: "w2")).ShouldHaveSingleItem();
        var saved = new List<int>();
        DoneTask Ending(ClaimedTask task) => new(task, new((_, _) =>
        {
            saved.Add(task.Attempt);
            return Task.CompletedTask;
        }));
        await using (var connection = await Worker.OpenConnectionAsync())
            (await DoneTasks.SettleAsync(connection, late.BatchId, [Ending(late), Ending(now)], CancellationToken.None)).Count.ShouldBe(1);
        saved.ShouldBe([now.Attempt]);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'stage_done'")).ShouldBe(1);
    }

    [Fact]
    public async Task Checkpoint_of_a_lost_attempt_is_refused_before_it_writes()
    {
        var late = await Make.Task(state: TaskState.Running, lease: Expired);
        await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
        var context = Context(late);
        var written = false;
        await Should.ThrowAsync<LeaseLostException>(() => context.CheckpointAsync((_, _) => Task.FromResult(written = true), [], CancellationToken.None));
        written.ShouldBeFalse();
    }

    [Theory]
    [InlineData(BatchState.Running, DesiredState.Run, true)]
    [InlineData(BatchState.Paused, DesiredState.Pause, false)]
    public async Task Checkpoint_says_whether_to_go_on(BatchState state, DesiredState desired, bool goOn)
    {
        var task = await Make.Task(await Make.Batch(state, desired), TaskState.Running);
        (await Context(task).CheckpointAsync((_, _) => Task.CompletedTask, [], CancellationToken.None)).ShouldBe(goOn);
    }

    [Fact]
    public async Task Progress_of_a_lost_attempt_does_not_show()
    {
        var late = await Make.Task(state: TaskState.Running, lease: Expired);
        var time = new Sources.SteppingTime();
        var context = new StageContext(late, new(new(), null, null), Worker, Spine.Hints, time);
        time.Advance(TimeSpan.FromSeconds(1));
        await context.ReportAsync(ItemStep.Downloading, 5, 10, "half", CancellationToken.None);
        (await ScalarAsync<int>("SELECT progress_current FROM ingestion.import_item")).ShouldBe(5);
        await Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(1));
        await context.ReportAsync(ItemStep.Downloading, 9, 10, "nearly", CancellationToken.None);
        (await ScalarAsync<int>("SELECT progress_current FROM ingestion.import_item")).ShouldBe(5);
    }

    [Fact]
    public async Task Heartbeat_extends_what_is_held_and_nothing_else()
    {
        var batch = await Make.Batch();
        var mine = await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(1));
        var others = await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(1), heldBy: "w2");
        var done = await Make.Task(batch, TaskState.Succeeded);
        await using var connection = await Worker.OpenConnectionAsync();
        await ImportQueue.RenewAsync(connection, "w1", [mine.Id, others.Id, done.Id], TimeSpan.FromSeconds(30), CancellationToken.None);
        (await QueryAsync<long>("SELECT id FROM ingestion.import_task_run WHERE lease_until > now() + interval '20 s'")).ShouldBe([mine.Id]);
        (await ImportQueue.StandingAsync(connection, "w1", [mine.Id, others.Id, done.Id], CancellationToken.None)).ShouldBe([(mine.Id, mine.Attempt)]);
    }

    [Fact]
    public async Task Heartbeat_does_not_wait_for_a_row_that_is_being_settled()
    {
        var batch = await Make.Batch();
        var settling = await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(1));
        var running = await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(1));
        await using var settler = await Worker.OpenConnectionAsync();
        await using var transaction = await settler.BeginTransactionAsync();
        (await ImportQueue.SucceedAsync(settler, settling, CancellationToken.None)).ShouldBeTrue();
        await using var connection = await Worker.OpenConnectionAsync();
        await ImportQueue.RenewAsync(connection, "w1", [settling.Id, running.Id], TimeSpan.FromSeconds(30), CancellationToken.None);
        (await QueryAsync<long>("SELECT id FROM ingestion.import_task_run WHERE lease_until > now() + interval '20 s'")).ShouldBe([running.Id]);
    }

    [Fact]
    public async Task A_newer_attempt_in_the_same_process_interrupts_the_lost_one()
    {
        var running = new RunningTasks();
        using var lost = running.Add(await Make.Task(state: TaskState.Running));
        using var newer = running.Add(lost.Task with { Attempt = 2 });
        lost.Token.IsCancellationRequested.ShouldBeTrue();
        newer.Token.IsCancellationRequested.ShouldBeFalse();
        lost.Dispose();
        running.All.ShouldBe([newer]);
    }

    private StageContext Context(ClaimedTask task) => new(task, new(new(), null, null), Worker, Spine.Hints, TimeProvider.System);

    private Task<bool> EndAsync(ClaimedTask task, string ending) => ending switch
    {
        "retry" => Spine.FailAsync(task, ErrorCodes.NetworkError),
        "failed" => Spine.FailAsync(task, ErrorCodes.NotFound),
        _ => Spine.Settler.SettleAsync(task, ending switch
        {
            "done" => new StageOutcome.Done(WriteAsync),
            "skipped" => new StageOutcome.Skipped("It is there.", WriteAsync),
            "blocked" => new StageOutcome.Blocked(WriteAsync),
            _ => new StageOutcome.RetryLater(TimeSpan.Zero, WaitReasons.HostPacing),
        }, CancellationToken.None),
    };

    private static Task WriteAsync(Npgsql.NpgsqlConnection connection, CancellationToken ct) =>
        connection.QueryAsync<object>("UPDATE ingestion.import_batch SET message = coalesce(message, '') || 'saved'");

    private async Task NothingChangesAsync(Func<Task<bool>> end)
    {
        const string all = """
            SELECT (SELECT json_agg(t ORDER BY id)::text FROM ingestion.import_task_run t) || (SELECT json_agg(i ORDER BY id)::text FROM ingestion.import_item i)
                || (SELECT json_agg(b)::text FROM ingestion.import_batch b) || (SELECT json_agg(e ORDER BY seq)::text FROM ingestion.import_event e)
            """;
        var before = await ScalarAsync<string>(all);
        (await end()).ShouldBeFalse();
        (await ScalarAsync<string>(all)).ShouldBe(before);
    }
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>
/// F12: the rescuer has chosen what to take back and has not written; meanwhile the worker completes it, and another claims what
/// follows. What is complete stays complete, and the new claim is not touched.
/// </summary>
public sealed class RescueRaceTests(ITestOutputHelper output) : DatabaseTest
{
    private const int Rounds = 20;
    private static readonly TimeSpan Expired = TimeSpan.FromSeconds(-1);

    [Fact]
    public async Task A_rescue_that_comes_late_touches_nothing()
    {
        using var report = new ChaosReport(output, "F12 rescue race");
        for (var round = 0; round < Rounds; round++)
        {
            await CompletedWhileTheRescuerWaitsAsync();
            await ClaimedAgainWhileTheRescuerWaitsAsync();
        }
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'lease_lost'")).ShouldBe(0);
        report.Figure($"{2 * Rounds} rescues held between looking and writing, 0 took anything");
        report.Pass();
    }

    private async Task CompletedWhileTheRescuerWaitsAsync()
    {
        var task = await Make.Task(state: TaskState.Running, lease: Expired);
        await HeldRescueAsync(async connection =>
        {
            (await ImportQueue.SucceedAsync(connection, task, CancellationToken.None)).ShouldBeTrue();
            await connection.QueryAsync<object>("UPDATE ingestion.import_item SET state = 'skipped', completed_at = now() WHERE id = $1", task.ItemId!);
        });
        (await StateAsync(task)).ShouldBe("succeeded 1 0");
    }

    private async Task ClaimedAgainWhileTheRescuerWaitsAsync()
    {
        var task = await Make.Task(state: TaskState.Running, lease: Expired);
        ClaimedTask? again = null;
        await HeldRescueAsync(async connection =>
        {
            (await ImportQueue.PostponeAsync(connection, task, TimeSpan.Zero, WaitReasons.Unavailable, CancellationToken.None)).ShouldBeTrue();
            again = (await ImportQueue.ClaimAsync(connection, Stage.Acquire, "w2", 10, TimeSpan.FromSeconds(30), CancellationToken.None)).ShouldHaveSingleItem();
        });
        again!.Id.ShouldBe(task.Id);
        (await StateAsync(task)).ShouldBe("running 2 0");
        (await Spine.DoneAsync(task)).ShouldBeFalse();
        (await Spine.DoneAsync(again)).ShouldBeTrue();
        await Spine.Control.CancelAsync(Make.Actor, task.BatchId, CancellationToken.None);
    }

    // The rescuer looks which batches hold what expired; then it meets a lock on the table, under which somebody else acts.
    private async Task HeldRescueAsync(Func<Npgsql.NpgsqlConnection, Task> meanwhile)
    {
        Task rescue;
        await using (var connection = await Worker.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.QueryAsync<object>("LOCK TABLE ingestion.import_task_run IN SHARE ROW EXCLUSIVE MODE");
            rescue = Spine.Duties.RescueAsync(everything: false, CancellationToken.None);
            await Eventually.IsAsync(async () => await ScalarAsync<long>("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted") == 1, "the rescuer waits");
            await meanwhile(connection);
            await transaction.CommitAsync();
        }
        await rescue;
    }

    private Task<string> StateAsync(ClaimedTask task) => ScalarAsync<string>("SELECT format('%s %s %s', state, attempt, crashes) FROM ingestion.import_task_run WHERE id = $1", task.Id);
}

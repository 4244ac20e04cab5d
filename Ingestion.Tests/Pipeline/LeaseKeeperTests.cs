using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class LeaseKeeperTests : DatabaseTest
{
    private readonly PipelineOptions _options = new() { Lease = TimeSpan.FromSeconds(20), Heartbeat = TimeSpan.FromMilliseconds(100) };

    [Fact]
    public async Task Leases_of_what_runs_here_are_extended_and_others_run_out()
    {
        using var keeper = await StartAsync();
        var batch = await Make.Batch();
        using var held = Spine.Running.Add(await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(2), heldBy: Spine.Running.Worker));
        var forgotten = await Make.Task(batch, TaskState.Running, lease: TimeSpan.FromSeconds(2), heldBy: Spine.Running.Worker);
        await Eventually.IsAsync(() => ScalarAsync<bool>("SELECT lease_until > now() + interval '10 s' FROM ingestion.import_task_run WHERE id = $1", held.Task.Id), "the lease is extended");
        (await ScalarAsync<bool>("SELECT lease_until > now() + interval '10 s' FROM ingestion.import_task_run WHERE id = $1", forgotten.Id)).ShouldBeFalse();
        await keeper.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Work_whose_claim_was_taken_away_is_interrupted()
    {
        using var keeper = await StartAsync();
        using var held = Spine.Running.Add(await Make.Task(state: TaskState.Running, heldBy: Spine.Running.Worker));
        await Eventually.IsAsync(async () =>
        {
            // Again and again, as the sweep: it leaves alone what the keeper is renewing at that moment.
            await Spine.Duties.RescueAsync(everything: true, CancellationToken.None);
            return held.Token.IsCancellationRequested;
        }, "the work is interrupted");
        await keeper.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Stop_interrupts_and_gives_everything_back_uncharged()
    {
        using var keeper = await StartAsync();
        var task = await Make.Task(state: TaskState.Running, failures: 1, heldBy: Spine.Running.Worker);
        var held = Spine.Running.Add(task);
        held.Token.Register(held.Dispose);
        await keeper.StopAsync(CancellationToken.None);
        (await ScalarAsync<string>("SELECT state || ' ' || attempt || ' ' || failures || ' ' || crashes FROM ingestion.import_task_run")).ShouldBe("ready 2 1 0");
        (await Spine.DoneAsync(task)).ShouldBeFalse();
    }

    [Fact]
    public async Task Stop_waits_for_a_claim_under_way_so_that_its_tasks_are_given_back_too()
    {
        using var keeper = await StartAsync();
        await Make.Task();
        Spine.Running.BeginClaim();
        var stop = keeper.StopAsync(CancellationToken.None);
        await Spine.ClaimAsync(worker: Spine.Running.Worker);
        stop.IsCompleted.ShouldBeFalse();
        Spine.Running.EndClaim();
        await stop;
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_task_run")).ShouldBe("ready");
    }

    private async Task<LeaseKeeper> StartAsync()
    {
        var keeper = new LeaseKeeper(Worker, Spine.Running, Spine.Hints, _options, TimeProvider.System, NullLogger<LeaseKeeper>.Instance);
        await keeper.StartAsync(CancellationToken.None);
        return keeper;
    }
}

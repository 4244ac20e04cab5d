using Ingestion.Core.Events;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Events;

public sealed class BatchHubTests
{
    private static readonly TimeSpan Now = TimeSpan.Zero;
    private readonly BatchHub _hub = new();

    [Fact]
    public async Task Hint_reaches_watchers_of_the_batch_and_of_all_and_nobody_else()
    {
        using var its = _hub.Subscribe(7);
        using var all = _hub.Subscribe(BatchHub.All);
        using var other = _hub.Subscribe(8);
        _hub.Changed(7);
        (await its.WaitAsync(Now, default), await all.WaitAsync(Now, default), await other.WaitAsync(Now, default)).ShouldBe((true, true, false));
    }

    [Fact]
    public async Task After_lost_hints_everybody_looks()
    {
        using var its = _hub.Subscribe(7);
        using var all = _hub.Subscribe(BatchHub.All);
        _hub.Changed(BatchHub.All);
        (await its.WaitAsync(Now, default), await all.WaitAsync(Now, default)).ShouldBe((true, true));
    }

    [Fact]
    public async Task Those_who_look_for_tasks_hear_of_work_and_not_of_every_step()
    {
        using var workers = _hub.Subscribe(BatchHub.Work);
        _hub.Changed(7);
        (await workers.WaitAsync(Now, default)).ShouldBeFalse();
        _hub.WorkCameUp();
        (await workers.WaitAsync(Now, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Any_number_of_hints_since_the_last_wait_is_one()
    {
        using var its = _hub.Subscribe(7);
        for (var i = 0; i < 100; i++) _hub.Changed(7);
        (await its.WaitAsync(Now, default), await its.WaitAsync(Now, default)).ShouldBe((true, false));
    }

    [Fact]
    public async Task Subscribing_and_leaving_at_once_loses_no_watcher_and_leaves_none_behind()
    {
        using var stays = _hub.Subscribe(7);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
            {
                using var passing = _hub.Subscribe(i % 2 == 0 ? 7 : 9);
                _hub.Changed(9);
            }
        })));
        _hub.Watchers.ShouldBe(1);
        _hub.Changed(7);
        (await stays.WaitAsync(Now, default)).ShouldBeTrue();
    }
}

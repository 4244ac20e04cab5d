using Bunit;
using Ingestion.Admin.Components.Parts;
using Ingestion.Core;
using Ingestion.Core.Events;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class LiveRefreshTests : ComponentTest
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly BatchHub _hub = new();
    private readonly SemaphoreSlim _read = new(0);
    private int _readings;

    public LiveRefreshTests()
    {
        Services.AddSingleton(_hub);
        Settings(seconds: 3600);
    }

    [Fact]
    public async Task A_change_is_read_and_a_burst_is_read_at_most_twice()
    {
        Watch(7);
        for (var i = 0; i < 1000; i++) _hub.Changed(7);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
        // What came while the first reading was under way is one more, after the rest. A third would need another change.
        await _read.WaitAsync(TimeSpan.FromSeconds(1));
        (await _read.WaitAsync(TimeSpan.FromSeconds(1))).ShouldBeFalse();
        _readings.ShouldBeInRange(1, 2);
    }

    [Fact]
    public async Task Two_readings_are_at_least_a_quarter_of_a_second_apart()
    {
        var moments = new List<long>();
        Watch(7, () =>
        {
            moments.Add(System.Diagnostics.Stopwatch.GetTimestamp());
            _hub.Changed(7);
            return Task.CompletedTask;
        });
        _hub.Changed(7);
        for (var i = 0; i < 3; i++) (await _read.WaitAsync(Deadline)).ShouldBeTrue();
        // Timers may fire a few milliseconds early.
        System.Diagnostics.Stopwatch.GetElapsedTime(moments[0], moments[2]).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(480));
    }

    [Fact]
    public async Task Without_a_hint_it_looks_by_the_clock_unless_nothing_can_change()
    {
        Settings(seconds: 1);
        var still = Watch(7, polls: false);
        (await _read.WaitAsync(TimeSpan.FromSeconds(2))).ShouldBeFalse();
        await still.Instance.DisposeAsync();
        Watch(7);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_hint_still_arrives_where_it_does_not_look_by_the_clock()
    {
        Watch(7, polls: false);
        _hub.Changed(7);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task Other_batches_do_not_wake_it_and_one_that_watches_all_is_woken_by_each()
    {
        Watch(7);
        _hub.Changed(8);
        (await _read.WaitAsync(TimeSpan.FromMilliseconds(300))).ShouldBeFalse();
        Watch(BatchHub.All);
        _hub.Changed(8);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task Going_to_another_batch_follows_that_one()
    {
        var live = Watch(7);
        live.Render(p => p.Add(l => l.BatchId, 8));
        // The old subscription ends before the new one begins, so a hint in between may be lost; hints go on until one is heard.
        var heard = _read.WaitAsync(Deadline);
        while (!heard.IsCompleted)
        {
            _hub.Changed(8);
            await Task.WhenAny(heard, Task.Delay(50));
        }

        (await heard).ShouldBeTrue();
    }

    [Fact]
    public async Task Disposed_it_watches_and_reads_no_more()
    {
        var live = Watch(7);
        _hub.Watchers.ShouldBe(1);
        await live.Instance.DisposeAsync();
        _hub.Watchers.ShouldBe(0);
        _hub.Changed(7);
        (await _read.WaitAsync(TimeSpan.FromMilliseconds(500))).ShouldBeFalse();
    }

    [Fact]
    public async Task A_reader_that_hangs_holds_up_nobody_who_gives_hints()
    {
        var (begun, hang) = (new TaskCompletionSource(), new TaskCompletionSource());
        Watch(7, () =>
        {
            begun.TrySetResult();
            return hang.Task;
        });
        _hub.Changed(7);
        await begun.Task.WaitAsync(Deadline);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        for (var i = 0; i < 100_000; i++) _hub.Changed(7);
        System.Diagnostics.Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(5));
        hang.SetResult();
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_database_that_is_away_for_a_moment_costs_one_reading()
    {
        Watch(7, () => _readings == 1 ? throw new NpgsqlException("gone", new IOException()) : Task.CompletedTask);
        _hub.Changed(7);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
        _hub.Changed(7);
        (await _read.WaitAsync(Deadline)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(1, 250)]
    [InlineData(2_500, 250)]
    [InlineData(20_000, 2_000)]
    public void The_rest_grows_where_very_many_follow(int subscribers, int milliseconds) =>
        LiveRefresh.Pause(subscribers).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    private IRenderedComponent<LiveRefresh> Watch(long batch, Func<Task>? read = null, bool polls = true)
    {
        var before = _hub.Watchers;
        var live = Render<LiveRefresh>(p => p.Add(l => l.BatchId, batch).Add(l => l.Polls, polls).Add(l => l.OnChanged, EventCallback.Factory.Create(this, async () =>
        {
            _readings++;
            try
            {
                if (read is not null) await read();
            }
            finally
            {
                _read.Release();
            }
        })));
        live.WaitForState(() => _hub.Watchers > before, Deadline);
        return live;
    }

    private void Settings(int seconds) => Services.AddSingleton(Options.Create(new RefreshOptions { Seconds = seconds }));
}

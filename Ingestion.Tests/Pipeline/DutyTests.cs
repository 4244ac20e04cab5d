using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Two processes ask for the same duty; the row decides.</summary>
public sealed class DutyTests : DatabaseTest
{
    private readonly RunningTasks _first = new();
    private readonly RunningTasks _second = new();
    private readonly Errand _duty = new(TimeSpan.FromMinutes(1));

    [Fact]
    public async Task One_of_two_has_the_turn_and_the_next_comes_an_interval_later()
    {
        await Turns(_first).EnsureAsync([_duty], default);
        await Turns(_second).EnsureAsync([_duty], default);

        var turn = (await Turns(_first).TakeAsync(_duty, default)).ShouldNotBeNull();
        turn.Before.ShouldBeNull();
        (await Turns(_second).TakeAsync(_duty, default)).ShouldBeNull();
        (await Turns(_first).TakeAsync(_duty, default)).ShouldBeNull();
        (await ScalarAsync<bool>("SELECT next_due BETWEEN last_started_at + interval '50 seconds' AND last_started_at + interval '1 minute' FROM ingestion.duty")).ShouldBeTrue();
    }

    [Fact]
    public async Task Whoever_asks_next_follows_one_that_died_in_its_turn()
    {
        await Turns(_first).EnsureAsync([_duty], default);
        var lost = (await Turns(_first).TakeAsync(_duty, default)).ShouldNotBeNull();
        await DueAsync();

        var taken = (await Turns(_second).TakeAsync(_duty, default)).ShouldNotBeNull();

        taken.Before.ShouldBe(lost.At);
        (await ScalarAsync<string>("SELECT worker FROM ingestion.duty")).ShouldBe(_second.Worker);
        // The one that was followed wakes: its end is not the turn's.
        await Turns(_first).FinishAsync(_duty, "late", default);
        (await QueryAsync<string?>("SELECT last_error FROM ingestion.duty")).ShouldBe([null]);
        await Turns(_second).FinishAsync(_duty, "no luck", default);
        (await ScalarAsync<string>("SELECT last_error FROM ingestion.duty WHERE last_finished_at >= last_started_at")).ShouldBe("no luck");
    }

    [Fact]
    public async Task Many_that_ask_at_once_get_one_turn()
    {
        await Turns(_first).EnsureAsync([_duty], default);
        var turns = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => Turns(new()).TakeAsync(_duty, default))));
        turns.OfType<DutyTurn>().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Shorter_interval_holds_at_once()
    {
        await Turns(_first).EnsureAsync([new Errand(TimeSpan.FromDays(1))], default);
        await Turns(_first).TakeAsync(_duty, default);
        await Turns(_first).EnsureAsync([_duty], default);
        (await ScalarAsync<bool>("SELECT interval = interval '1 minute' AND next_due <= ingestion.clock() + interval '1 minute' FROM ingestion.duty")).ShouldBeTrue();
    }

    [Fact]
    public async Task Running_pipeline_takes_every_turn_and_says_how_it_went()
    {
        await using var app = await PipelineHost.StartAsync();
        await app.UntilAsync("SELECT count(*) FILTER (WHERE last_finished_at IS NOT NULL AND last_error IS NULL) = count(*) AND count(*) = 12 FROM ingestion.duty");
        var view = await app.Get<Workers>().ReadAsync(default);
        view.Duties.Select(d => d.Name).ShouldBe(["batches", "bulk-reviews", "crawls", "export", "prune", "rescue", "rules", "schedules", "summaries", "sweep", "transactions", "webhooks"]);
        view.Duties.ShouldAllBe(d => d.Worker == view.Processes.Single().Id && d.Purpose.EndsWith('.'));
    }

    private DutyTurns Turns(RunningTasks process) => new(Worker, process);

    private Task DueAsync() => ExecuteAsync("UPDATE ingestion.duty SET next_due = now() - interval '1 second'");

    private sealed class Errand(TimeSpan interval) : IDuty
    {
        public string Name => "errand";
        public string Purpose => "Goes on an errand.";
        public TimeSpan Interval => interval;
        public Task RunAsync(DutyTurn turn, CancellationToken ct) => Task.CompletedTask;
    }
}

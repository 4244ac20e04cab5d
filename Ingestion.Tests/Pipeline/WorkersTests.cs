using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Who works, what waits, and why it waits, read from rows that say it all.</summary>
public sealed class WorkersTests : DatabaseTest
{
    private readonly PipelineOptions _options = new() { Heartbeat = TimeSpan.FromSeconds(10) };

    [Fact]
    public async Task Processes_are_alive_silent_or_stopped_and_show_what_they_hold()
    {
        await ProcessAsync("alive", """{"acquire":8,"parse":3}""");
        await ProcessAsync("web", "{}", role: "web");
        await ProcessAsync("silent", """{"acquire":8}""", seen: "1 minute");
        await ProcessAsync("stopped", """{"acquire":8}""", stopped: true);
        await ProcessAsync("forgotten", """{"acquire":8}""", seen: "2 days");
        await Make.Task(state: TaskState.Running, heldBy: "alive");
        await Make.Task(state: TaskState.Running, stage: Stage.Parse, heldBy: "silent");

        var processes = (await ReadAsync()).Processes.ToDictionary(p => p.Id);

        processes.Keys.Order().ShouldBe(["alive", "silent", "stopped", "web"]);
        processes.Values.Select(p => p.State).ShouldBe([ProcessState.Alive, ProcessState.Alive, ProcessState.Silent, ProcessState.Stopped]);
        (processes["alive"].Slots[Stage.Parse], processes["alive"].Held[Stage.Acquire], processes["silent"].HeldTasks, processes["web"].Slots.Count).ShouldBe((3, 1, 1, 0));
        var held = (await Workers().HeldAsync("default", "alive", 10, default)).ShouldHaveSingleItem();
        (held.Stage, held.Name.StartsWith("https://", StringComparison.Ordinal)).ShouldBe((Stage.Acquire, true));
        (await Workers().HeldAsync("elsewhere", "alive", 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Queues_count_what_may_start_what_comes_later_and_who_serves()
    {
        await ProcessAsync("one", """{"acquire":8}""");
        await ProcessAsync("two", """{"acquire":4}""");
        await ProcessAsync("silent", """{"parse":4}""", seen: "1 minute");
        var batch = await Make.Batch();
        await Make.Task(batch, due: TimeSpan.FromMinutes(-5));
        await Make.Task(batch);
        await Make.Task(batch, due: TimeSpan.FromHours(1));
        await Make.Task(batch, TaskState.Running);
        await Make.Task(await Make.Batch(BatchState.Paused), stage: Stage.Parse);

        var stages = (await ReadAsync()).Stages.ToDictionary(s => s.Stage);

        var acquire = stages[Stage.Acquire];
        (acquire.Due, acquire.Later, acquire.Running, acquire.Workers, acquire.Slots, acquire.IsDeserted).ShouldBe((2, 1, 1, 2, 12, false));
        acquire.OldestDue!.Value.TotalMinutes.ShouldBe(5, tolerance: 0.5);
        (stages[Stage.Parse].Due, stages[Stage.Parse].Later, stages[Stage.Parse].Workers, stages[Stage.Parse].IsDeserted).ShouldBe((0, 1, 0, true));
        stages.Count.ShouldBe(StageOrder.Standard.Count);
    }

    [Fact]
    public async Task Item_waits_for_a_worker_where_nobody_serves_its_stage()
    {
        await ProcessAsync("fetcher", """{"acquire":8}""");
        await ProcessAsync("pages", "{}", role: "web");
        var batch = await Make.Batch(maxWorkers: 1);
        var (served, unserved) = (await Make.Task(batch), await Make.Task(batch, stage: Stage.Parse));
        await Make.Task(batch, TaskState.Running);
        var why = await new WhyWaiting(Database, _options).ForItemsAsync("default", [served.ItemId!.Value, unserved.ItemId!.Value], default);
        (why[served.ItemId!.Value].Reason, why[served.ItemId!.Value].Subject).ShouldBe((HoldReasons.BatchWorkers, "1"));
        (why[unserved.ItemId!.Value].Reason, why[unserved.ItemId!.Value].Subject).ShouldBe((HoldReasons.NoWorker, "parse"));
    }

    [Fact]
    public async Task Pools_of_living_processes_are_added_up()
    {
        await ProcessAsync("one", "{}", connections: 100);
        await ProcessAsync("two", "{}", connections: 100);
        await ProcessAsync("gone", "{}", connections: 100, stopped: true);
        var c = await new ConnectionBudget(Worker, _options).ReadAsync(default);
        var allowed = await ScalarAsync<int>("SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int");
        (c.Processes, c.Asked, c.Allowed, c.Fits).ShouldBe((2, 200, allowed, allowed >= 200));
        new DatabaseOptions { WorkerPoolSize = 10, WebPoolSize = 5, OwnerPoolSize = 2 }.Connections(Core.ServerRole.Worker).ShouldBe(13);
    }

    [Fact]
    public async Task Transaction_of_another_login_is_seen_and_told_once_by_whoever_has_the_turn()
    {
        await using var console = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false, ApplicationName = "console" }.ConnectionString);
        await console.OpenAsync();
        await using var forgotten = await console.BeginTransactionAsync();
        await console.QueryAsync<int>("SELECT 1");
        var log = new Lines();
        var duty = new WatchTransactions(new(Worker), new() { TransactionAgeAlarm = TimeSpan.Zero }, log);
        var (one, other) = (new DutyTurns(Worker, new()), new DutyTurns(Worker, new()));
        await one.EnsureAsync([duty], default);

        foreach (var process in new[] { one, other, one })
        {
            await ExecuteAsync("UPDATE ingestion.duty SET next_due = now()");
            await duty.RunAsync((await process.TakeAsync(duty, default)).ShouldNotBeNull(), default);
        }

        log.Written.Where(l => l.Contains("console", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain("idle in transaction");
        var look = await new OpenTransactions(Worker).OlderThanAsync(TimeSpan.Zero, default);
        (look.Complete, look.Found.Single(t => t.Application == "console").Login).ShouldBe((true, "postgres"));
        (await new OpenTransactions(Worker).OlderThanAsync(TimeSpan.FromHours(1), default)).Found.ShouldBeEmpty();
    }

    private Workers Workers() => new(Worker, new(TimeProvider.System), _options);

    private Task<WorkersView> ReadAsync() => Workers().ReadAsync(default);

    private Task ProcessAsync(string id, string slots, string role = "both", string seen = "0", bool stopped = false, int connections = 45) => ExecuteAsync($"""
        INSERT INTO ingestion.worker_process (id, host, pid, role, version, slots, connections, started_at, last_seen_at, stopped_at)
        VALUES ($1, 'host', 1, $2, '1.0.0', $3::jsonb, $4, now() - interval '3 days', now() - interval '{seen}', CASE WHEN $5 THEN now() END)
        """, id, role, slots, connections, stopped);

    private sealed class Lines : ILogger<WatchTransactions>
    {
        public List<string> Written { get; } = [];
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
        public bool IsEnabled(LogLevel logLevel) => true;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    }
}

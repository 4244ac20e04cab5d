using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Each condition around the data, good and not.</summary>
public sealed class ConditionsTests : DatabaseTest
{
    [Fact]
    public async Task Where_a_worker_lives_everything_is_good()
    {
        await WorkerAsync("""{"discover":2,"acquire":8,"parse":3,"resolve":4,"embed":32,"index":4}""", 45);
        var found = await ReadAsync();
        found.Keys.Order().ShouldBe(["clock", "connections", "disk", "duties", "stages", "transactions"]);
        found.Values.Where(c => c.State != ConditionState.Good).ShouldBeEmpty();
        found.Values.ShouldAllBe(c => c.Sentence.EndsWith('.'));
    }

    [Fact]
    public async Task Stages_that_nobody_serves_are_named()
    {
        (await ReadAsync())["stages"].Sentence.ShouldBe("No worker is running.");
        await WorkerAsync("""{"discover":2,"acquire":8,"index":4}""", 45);
        await Make.Task(stage: Stage.Parse);
        var stages = (await ReadAsync())["stages"];
        (stages.State, stages.Sentence).ShouldBe((ConditionState.Warning, "No running worker serves parse, resolve, embed."));
        stages.Remedy!.ShouldContain("Tasks that wait for it: 1.");
    }

    [Fact]
    public async Task Pools_that_ask_for_too_much_old_transactions_and_failed_duties_are_told_with_a_remedy()
    {
        await WorkerAsync("{}", 100_000);
        await ExecuteAsync("INSERT INTO ingestion.duty (name, purpose, interval, next_due, last_error) VALUES ('sweep', 'Sweeps.', interval '1 hour', now(), 'The broom broke.')");
        await using var console = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false }.ConnectionString);
        await console.OpenAsync();
        await using var forgotten = await console.BeginTransactionAsync();
        await console.QueryAsync<int>("SELECT 1");

        var found = await ReadAsync(new() { TransactionAgeAlarm = TimeSpan.Zero });

        foreach (var name in new[] { "connections", "transactions", "duties" }) (name, found[name].State, found[name].Remedy is not null).ShouldBe((name, ConditionState.Warning, true));
        found["duties"].Sentence.ShouldContain("The broom broke.");
        found["transactions"].Sentence.ShouldContain("idle in transaction");
        found["transactions"].Remedy!.ShouldContain($"pg_terminate_backend({console.ProcessID})");
    }

    private Task WorkerAsync(string slots, int connections) =>
        ExecuteAsync("INSERT INTO ingestion.worker_process (id, host, pid, role, version, slots, connections) VALUES ('w', 'h', 1, 'both', '1', $1::jsonb, $2)", slots, connections);

    private async Task<Dictionary<string, Condition>> ReadAsync(DatabaseOptions? options = null)
    {
        using var data = new TemporaryDirectory();
        var services = new ServiceCollection().AddCore(Database, data.Path);
        if (options is not null) services.AddSingleton(options);
        await using var provider = services.BuildServiceProvider();
        return (await provider.GetRequiredService<Conditions>().ReadAsync(default)).ToDictionary(c => c.Name);
    }
}

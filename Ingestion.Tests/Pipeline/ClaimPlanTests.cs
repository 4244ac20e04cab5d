using System.Diagnostics;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Pipeline;

public sealed class ClaimPlanTests(ITestOutputHelper output) : DatabaseTest
{
    [Fact]
    public Task With_many_finished_tasks_and_statistics_from_before_them_a_claim_stays_on_its_indexes() => PlanHoldsAsync(200_000);

    [Fact]
    [Trait("Category", "Long")]
    public Task With_a_million_finished_tasks_too() => PlanHoldsAsync(1_000_000);

    [Fact]
    public async Task A_transaction_that_stays_open_elsewhere_does_not_make_claims_slow()
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var task = await Make.Task(batch);
        // It sees the rows as they are now for as long as it lives, and so nothing that is dead for everybody else can be cleared away.
        await using var old = await Worker.OpenConnectionAsync();
        await using var transaction = await old.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await old.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run");
        await BreakAsync($"""
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT 'default', {batch}, {task.JobId}, -n, 'acquire', 'ready', 0, 0, 0, now() - interval '1 hour' FROM generate_series(1, 20000) n;
            UPDATE ingestion.import_task_run SET state = 'running', attempt = 1, worker = 'w', lease_until = now() WHERE item_id < 0;
            UPDATE ingestion.import_task_run SET state = 'succeeded', lease_until = NULL, finished_at = now() WHERE item_id < 0
            """);
        var slowest = await SlowestAsync(task);
        output.WriteLine($"slowest of 20 claims behind 20,000 dead entries: {slowest.TotalMilliseconds:0.0} ms");
        slowest.ShouldBeLessThan(TimeSpan.FromMilliseconds(500));
    }

    private async Task PlanHoldsAsync(int finished)
    {
        var batch = await Make.Batch(maxWorkers: 64);
        var task = await Make.Task(batch);
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false }.ConnectionString;
        await using (var connection = new NpgsqlConnection(admin))
        {
            await connection.OpenAsync();
            // The statistics know of one row; then come the others, and nobody counts them.
            await connection.QueryAsync<object>("ANALYZE ingestion.import_task_run");
            await connection.QueryAsync<object>("ALTER TABLE ingestion.import_task_run SET (autovacuum_enabled = false)");
            await connection.QueryAsync<object>("SET session_replication_role = replica");
            await connection.QueryAsync<object>("""
                INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, finished_at)
                SELECT 'default', $1, $2, n, 'acquire', 'succeeded', 1, 0, 0, now() FROM generate_series(1, $3) n
                """, batch, task.JobId, finished);
            // Ready but not due, as behind a slow host: a claim must not step over them.
            await connection.QueryAsync<object>("""
                INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
                SELECT 'default', $1, $2, -n, 'acquire', 'ready', 0, 0, 0, now() + interval '1 hour' + n * interval '1 s' FROM generate_series(1, 20000) n
                """, batch, task.JobId);
        }

        var plan = await PlanAsync();
        var scans = Scans(plan).Where(s => s.Table == "import_task_run").ToList();
        scans.ShouldNotBeEmpty();
        scans.ShouldAllBe(s => s.Node.StartsWith("Index", StringComparison.Ordinal));
        scans.Select(s => s.Index).ShouldBeSubsetOf(["import_task_run_ready", "import_task_run_running_batch", "pk_import_task_run"]);
        scans.Sum(s => s.Removed).ShouldBeLessThan(100);

        (await SlowestAsync(task)).ShouldBeLessThan(TimeSpan.FromMilliseconds(500));
    }

    // The first claim of a session is planned and prepared; it does not count.
    private async Task<TimeSpan> SlowestAsync(ClaimedTask task)
    {
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 20; i++)
        {
            await ExecuteAsync("UPDATE ingestion.import_task_run SET state = 'ready', lease_until = NULL WHERE id = $1", task.Id);
            var started = Stopwatch.GetTimestamp();
            (await Spine.ClaimAsync(limit: 8)).ShouldHaveSingleItem().Id.ShouldBe(task.Id);
            var took = Stopwatch.GetElapsedTime(started);
            if (i > 0 && took > slowest) slowest = took;
        }
        return slowest;
    }

    // auto_explain tells the plan of exactly the statement that the product sends.
    private async Task<JsonElement> PlanAsync()
    {
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false, IncludeErrorDetail = true };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        await connection.OpenAsync();
        await connection.QueryAsync<object>("LOAD 'auto_explain'");
        foreach (var setting in new[] { "log_min_duration = 0", "log_analyze = on", "log_format = json", "log_nested_statements = off", "log_level = notice" })
            await connection.QueryAsync<object>("SET auto_explain." + setting);
        var plans = new List<string>();
        connection.Notice += (_, n) => plans.Add(n.Notice.MessageText);
        (await ImportQueue.ClaimAsync(connection, Stage.Acquire, "w1", 8, TimeSpan.FromSeconds(30), CancellationToken.None)).Count.ShouldBe(1);
        // Both statements: the one that takes turns, and the one that claims.
        plans.Count.ShouldBe(2);
        return JsonDocument.Parse('[' + string.Join(',', plans.Select(p => p[p.IndexOf('{')..])) + ']').RootElement;
    }

    private static IEnumerable<(string Node, string Table, string Index, double Removed)> Scans(JsonElement e)
    {
        if (e.ValueKind == JsonValueKind.Array)
        {
            foreach (var found in e.EnumerateArray().SelectMany(Scans)) yield return found;
            yield break;
        }
        if (e.ValueKind != JsonValueKind.Object) yield break;
        if (e.TryGetProperty("Relation Name", out var table) && e.GetProperty("Node Type").GetString() is { } node && node.Contains("Scan", StringComparison.Ordinal))
            yield return (node, table.GetString()!, e.TryGetProperty("Index Name", out var index) ? index.GetString()! : "",
                e.TryGetProperty("Rows Removed by Filter", out var removed) ? removed.GetDouble() * e.GetProperty("Actual Loops").GetDouble() : 0);
        foreach (var found in e.EnumerateObject().SelectMany(p => Scans(p.Value))) yield return found;
    }
}

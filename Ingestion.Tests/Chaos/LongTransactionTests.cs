using System.Diagnostics;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F10: a million finished tasks that nobody has analysed, and a foreign transaction that keeps every dead row alive.</summary>
[Trait("Category", "Long")]
public sealed class LongTransactionTests(ITestOutputHelper output) : DatabaseTest
{
    private const int Finished = 1_000_000;
    private const int Items = 20_000;

    [Fact]
    public async Task Claims_stay_quick_under_an_old_snapshot_and_a_million_finished_tasks()
    {
        using var report = new ChaosReport(output, "F10 old snapshot");
        var batch = await Make.Batch(maxWorkers: 1000);
        var task = await Make.Task(batch, stage: Stage.Embed);
        var old = await Make.Batch(BatchState.Completed);
        await BreakAsync($"""
            ALTER TABLE ingestion.import_task_run SET (autovacuum_enabled = false);
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, finished_at)
            SELECT 'default', {old}, (SELECT id FROM ingestion.import_job WHERE batch_id = {old} AND stage = 'embed'), -n, 'embed', 'succeeded', 1, 0, 0, now() - interval '200 days'
            FROM generate_series(1, {Finished}) n;
            UPDATE ingestion.import_batch SET completed_at = now() - interval '200 days' WHERE id = {old};
            WITH i AS (
                INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
                SELECT 'default', {batch}, 'url', 'https://example.org/' || n, n, 'x', '{"{}"}', 'open', 'embed', 'pending', 0 FROM generate_series(1, {Items}) n
                RETURNING id)
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
            SELECT 'default', {batch}, {task.JobId}, id, 'embed', 'ready', 0, 0, 0 FROM i
            """);
        var before = await SizeAsync();
        await using var foreign = await Worker.OpenConnectionAsync();
        await using var snapshot = await foreign.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await foreign.QueryAsync<object>("SELECT 1 FROM ingestion.import_task_run LIMIT 1");

        var clock = Stopwatch.StartNew();
        var claims = new List<double>();
        while (true)
        {
            var started = Stopwatch.GetTimestamp();
            var claimed = await Spine.ClaimAsync(Stage.Embed, limit: 16);
            claims.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (claimed.Count == 0) break;
            await Task.WhenAll(claimed.Select(t => Spine.DoneAsync(t)));
        }
        // What the first tenth cost beside the last, under which all that was claimed before lies dead, tells the snapshot's part from the machine's.
        var (first, last) = (Median(claims[..(claims.Count / 10)]), Median(claims[^(claims.Count / 10)..]));
        claims.Sort();
        var p99 = claims[claims.Count * 99 / 100];
        report.Figure($"{Items} tasks behind {Finished} finished ones under a snapshot held for {clock.Elapsed.TotalSeconds:0} s: {claims.Count} claims, median {Median(claims):0.0} ms ({first:0.0} in the first tenth, {last:0.0} in the last), p99 {p99:0.0} ms, slowest {claims[^1]:0.0} ms; task table {before / 1048576} to {await SizeAsync() / 1048576} MiB");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE stage = 'embed' AND state = 'succeeded'")).ShouldBe(Finished + Items + 1);
        // Removing what retention gives up works beside the old snapshot as well, which sees it all still.
        var others = await ScalarAsync<long>($"SELECT count(*) FROM ingestion.import_task_run WHERE batch_id <> {old}");
        clock.Restart();
        await new PruneDetails(Worker, new() { EventsDays = 0 }, NullLogger<PruneDetails>.Instance).RunAsync(new(DateTimeOffset.UnixEpoch, null), default);
        report.Figure($"{Finished} task runs pruned in {clock.Elapsed.TotalSeconds:0} s");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run")).ShouldBe(others);
        p99.ShouldBeLessThan(50);
        report.Pass();
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private Task<long> SizeAsync() => ScalarAsync<long>("SELECT pg_total_relation_size('ingestion.import_task_run')");
}

using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F7: no notification is ever sent; one program takes submissions, another works.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class NoNotifyTests(ITestOutputHelper output)
{
    private const int Batches = 10;
    private const double Poll = 1;

    [Fact]
    public async Task Everything_works_by_polling()
    {
        var seed = Random.Shared.Next();
        using var report = new ChaosReport(output, "F7 no NOTIFY", seed);
        await using var run = await ChaosRun.SharedAsync(await KrithiSite.MadeUpAsync(200, seed));
        await using (var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = new NpgsqlConnectionStringBuilder(run.ConnectionString).Database, Pooling = false }.ConnectionString))
            await admin.QueryAsync<object>("REVOKE EXECUTE ON FUNCTION pg_notify(text, text) FROM public");
        await using var web = await run.StartAsync(("Ingestion:Role", "Web"));
        await using var worker = run.Begin(null, ("Ingestion:Role", "Worker"));
        await Eventually.IsAsync(async () => await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.worker_process") > 0, "the worker is up", 90);
        await using var sampler = run.Sample();
        await web.EndedAsync(await run.Site.SubmitAsync(web), ChaosRun.Patience);

        for (var n = 0; n < Batches; n++)
        {
            var upload = await web.UploadAsync($"polled {n}.txt", System.Text.Encoding.UTF8.GetBytes($"Words that are polled for, number {n}."));
            await web.EndedAsync(await web.SubmitAsync(new { name = "polled", uploads = new[] { upload } }), ChaosRun.Patience);
        }
        var waits = await run.Source.QueryAsync<double>("""
            SELECT extract(epoch FROM t.claimed_at - b.created_at)::float8
            FROM ingestion.import_task_run t JOIN ingestion.import_batch b ON b.id = t.batch_id
            WHERE b.name = 'polled' AND t.stage = 'acquire'
            """);
        waits.Sort();
        worker.Output.ShouldContain("hints were not sent");
        report.Figure($"{Batches} batches taken up after {waits[waits.Count / 2]:0.00} s (median), {waits[^1]:0.00} s (longest)");
        await run.CheckAsync(report, sampler);
        waits[waits.Count / 2].ShouldBeLessThanOrEqualTo(Poll + 0.5);
        report.Pass();
    }
}

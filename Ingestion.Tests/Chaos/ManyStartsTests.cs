using System.Diagnostics;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F13: many programs start at once on an empty database, several meet a migration that sleeps, and an old one meets a newer schema.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class ManyStartsTests(ITestOutputHelper output)
{
    private const int Many = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task One_migrates_and_the_others_wait()
    {
        using var report = new ChaosReport(output, "F13 many starts");
        await using (var cluster = await ChaosCluster.StartAsync(maxConnections: 1200))
        await using (var run = ChaosRun.On(cluster.ConnectionString, await KrithiSite.MadeUpAsync(60, seed: 13)))
        {
            var clock = Stopwatch.StartNew();
            var apps = Enumerable.Range(0, Many).Select(_ => run.Begin(null)).ToList();
            try
            {
                await Task.WhenAll(apps.Select(a => a.ReadyAsync(Patience)));
                report.Figure($"{Many} programs on an empty database ready after {clock.Elapsed.TotalSeconds:0} s");
                await CurrentAsync(cluster);
                await apps[0].EndedAsync(await run.Site.SubmitAsync(apps[0]), Patience);
                await run.CheckAsync(report);
            }
            finally
            {
                await Task.WhenAll(apps.Select(a => a.DisposeAsync().AsTask()));
            }
        }

        await using (var cluster = await ChaosCluster.StartAsync())
        await using (var run = ChaosRun.On(cluster.ConnectionString, await KrithiSite.MadeUpAsync(1, seed: 13)))
        {
            await using var sleeper = run.Begin($"{FaultPoints.Migrating}:5=stop");
            await Eventually.IsAsync(async () => (await cluster.AdminAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")).Single() == 1, "one migrates", 90);
            var others = Enumerable.Range(0, 4).Select(_ => run.Begin(null)).ToList();
            await Eventually.IsAsync(async () => (await cluster.AdminAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).Single() == 4, "four wait", 120);
            others.ShouldAllBe(o => !o.HasExited);
            await sleeper.SignalAsync("CONT");
            await Task.WhenAll(others.Prepend(sleeper).Select(a => a.ReadyAsync(Patience)));
            await CurrentAsync(cluster);
            report.Figure($"4 waited for a migration that slept");
            foreach (var other in others) await other.DisposeAsync();
            await sleeper.StopAsync();

            await cluster.AdminAsync<object>("INSERT INTO ingestion.migration VALUES ('99991231000000_Future', '99')");
            await using var old = run.Begin(null);
            (await old.ExitAsync(Patience)).ShouldBe(1);
            old.Output.ShouldContain("was migrated by a newer version of Ingestion: it holds 99991231000000_Future");
            report.Figure($"an old program refused a newer schema");
        }
        report.Pass();
    }

    // Every migration is applied, and nothing that is there once for each of them is there twice.
    private static async Task CurrentAsync(ChaosCluster cluster)
    {
        await using var database = new Database(cluster.ConnectionString, new() { WorkerPoolSize = 2, WebPoolSize = 2 });
        await new Migrator(database).RequireCurrentAsync(CancellationToken.None);
        (await cluster.AdminAsync<long>("SELECT count(*) FROM ingestion.collection")).ShouldBe([1]);
    }
}

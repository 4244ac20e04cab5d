using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F1: the program is ended by SIGKILL at random moments of a batch and started again each time.</summary>
[Collection(RunningProgram.Name)]
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Workers = 16;

    [Fact]
    public async Task Five_kills_lose_nothing_and_double_nothing()
    {
        const int seed = 20261122;
        using var report = new ChaosReport(output, "F1 kills (short)", seed);
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(100, seed));
        await RunAsync(run, kills: 5, seed, report, slow: [("Ingestion:Acquire:RequestsPerMinutePerHost", "90")], step: 4);
    }

    [KrithiFact]
    [Trait("Category", "Long")]
    public async Task Fifty_kills_lose_nothing_and_double_nothing()
    {
        var seed = Random.Shared.Next();
        var kills = ChaosRun.Scaled(50);
        using var report = new ChaosReport(output, "F1 kills", seed);
        TimeSpan undisturbed;
        await using (var quiet = ChaosRun.Embedded(await KrithiSite.StartAsync()))
        {
            await using var app = await quiet.StartAsync();
            var clock = Stopwatch.StartNew();
            await app.EndedAsync(await quiet.Site.SubmitAsync(app, Workers), ChaosRun.Patience);
            undisturbed = clock.Elapsed;
        }
        await using var run = ChaosRun.Embedded(await KrithiSite.StartAsync());
        var (took, restarting) = await RunAsync(run, kills, seed, report, passes: false);
        var allowed = 2 * undisturbed + restarting + kills * ChaosRun.Lease;
        report.Figure($"{undisturbed.TotalSeconds:0} s undisturbed, {allowed.TotalSeconds:0} s allowed");
        took.ShouldBeLessThan(allowed);
        report.Pass();
    }

    private static async Task<(TimeSpan Took, TimeSpan Restarting)> RunAsync(ChaosRun run, int kills, int seed, ChaosReport report, bool passes = true, (string, string)[]? slow = null, int? step = null)
    {
        var random = new Random(seed);
        var instants = new List<string>();
        var restarting = TimeSpan.Zero;
        // A small batch would be over before the last kill: until then its pages come slowly.
        var app = await run.StartAsync(slow ?? []);
        try
        {
            var clock = Stopwatch.StartNew();
            var id = await run.Site.SubmitAsync(app, Workers);
            await using var sampler = run.Sample();
            for (var n = 1; n <= kills; n++)
            {
                // Some work between two kills, and a random moment in it.
                var batch = await app.GetAsync($"/api/v1/batches/{id}");
                var ended = Ended(batch) + random.Next(1, step ?? Math.Max(2, run.Site.Count / (kills + 2)));
                batch = await app.BatchAsync(id, b => Ended(b) >= ended || AppProcess.HasEnded(b), ChaosRun.Patience);
                if (AppProcess.HasEnded(batch)) break;
                await Task.Delay(random.Next(0, 200));
                await app.KillAsync();
                instants.Add($"{clock.Elapsed.TotalSeconds:0.0} s at {Ended(batch)}");
                var stopped = Stopwatch.GetTimestamp();
                await app.DisposeAsync();
                app = await run.StartAsync(n < kills ? slow ?? [] : []);
                restarting += Stopwatch.GetElapsedTime(stopped);
            }
            var end = await app.EndedAsync(id, ChaosRun.Patience);
            var took = clock.Elapsed;

            var extra = await run.ScalarAsync<long>("SELECT coalesce(sum(crashes), 0) FROM ingestion.import_task_run");
            report.Figure($"{instants.Count} kills, {Ended(end)} terminal, {extra} extra attempts, {took.TotalSeconds:0} s of which {restarting.TotalSeconds:0} s to start again");
            instants.Count.ShouldBe(kills, "the batch was over before the last kill");
            await QuarantinedAsync(run, app, id, report);
            await run.CheckAsync(report, sampler);
            // The batch's limit on workers bounds what one kill can interrupt.
            extra.ShouldBeLessThanOrEqualTo(kills * Workers, string.Join("; ", instants));
            end.GetProperty("state").GetString().ShouldBe("completed");
            if (passes) report.Pass();
            return (took, restarting);
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    // A page that three kills in a row met is quarantined, however innocent: asked for again, it ends as the others do.
    private static async Task QuarantinedAsync(ChaosRun run, AppProcess app, string id, ChaosReport report)
    {
        var quarantined = await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE error_code = 'crashed_worker'");
        if (quarantined == 0) return;
        report.Figure($"{quarantined} met by three kills, quarantined and asked for again");
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE error_code = 'crashed_worker' AND (crashes <> 3 OR failures > 2)")).ShouldBe(0);
        using var answer = await app.Client.PostAsJsonAsync($"/api/v1/batches/{id}/retry", new { filter = new { code = "crashed_worker" } });
        await AppProcess.JsonAsync(answer);
        await app.EndedAsync(id, ChaosRun.Patience);
    }

    private static int Ended(JsonElement batch) => batch.GetProperty("counts").GetProperty("terminal").GetInt32();
}

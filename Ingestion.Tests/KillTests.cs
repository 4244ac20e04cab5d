using System.Diagnostics;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests;

/// <summary>The program is ended by SIGKILL at random moments of a run of 1,240 rows and started again each time.</summary>
[Collection(RunningProgram.Name)]
public sealed class KillTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [KrithiFact]
    public Task Five_kills_lose_nothing_and_double_nothing() => RunAsync(kills: 5, seed: 20261122);

    [KrithiFact]
    [Trait("Category", "Long")]
    public Task Twenty_kills_lose_nothing_and_double_nothing() => RunAsync(kills: 20, seed: Random.Shared.Next());

    private async Task RunAsync(int kills, int seed)
    {
        var random = new Random(seed);
        var instants = new List<string>();
        using var data = new TemporaryDirectory("kill-").Traversable();
        await using var site = await KrithiSite.StartAsync();
        var clock = Stopwatch.StartNew();
        var restarting = TimeSpan.Zero;
        var app = await AppProcess.StartAsync(data.Path, site.Settings);
        try
        {
            var id = await site.SubmitAsync(app);
            for (var n = 1; n <= kills; n++)
            {
                // Some work between two kills, and a random moment in it.
                var batch = await app.GetAsync($"/api/v1/batches/{id}");
                var ended = Ended(batch) + random.Next(1, Math.Max(2, KrithiSite.Rows / (kills + 2)));
                batch = await app.BatchAsync(id, b => Ended(b) >= ended || AppProcess.HasEnded(b), Patience);
                if (AppProcess.HasEnded(batch)) break;
                await Task.Delay(random.Next(0, 200));
                await app.KillAsync();
                instants.Add($"{clock.Elapsed.TotalSeconds:0.0} s at {Ended(batch)}");
                var stopped = Stopwatch.GetTimestamp();
                await app.DisposeAsync();
                app = await AppProcess.StartAsync(data.Path, site.Settings);
                restarting += Stopwatch.GetElapsedTime(stopped);
            }
            var end = await app.EndedAsync(id, Patience);

            await using var database = await KrithiDatabase.OpenAsync(data.Path);
            var crashes = await database.CountAsync("SELECT coalesce(sum(crashes), 0)::int FROM ingestion.import_task_run");
            var claims = await database.CountAsync("SELECT sum(attempt)::int FROM ingestion.import_task_run");
            output.WriteLine($"seed {seed}, {instants.Count} kills ({string.Join("; ", instants)})");
            output.WriteLine($"{clock.Elapsed.TotalSeconds:0} s in all, of which {restarting.TotalSeconds:0} s to start again; {claims} claims, {crashes} of them ended by a kill; {end.GetProperty("counts")}");
            instants.Count.ShouldBe(kills, "the batch was over before the last kill");
            (await database.ProblemsAsync(site)).ShouldBeEmpty(string.Join("; ", instants));
            (await AppProcess.VerifyAsync(data.Path)).ShouldContain("Clean: 0 violations.");
            // The batch's limit on workers bounds what one kill can interrupt.
            crashes.ShouldBeLessThanOrEqualTo(kills * 16);
            end.GetProperty("state").GetString().ShouldBe("completed");
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    private static int Ended(System.Text.Json.JsonElement batch) => batch.GetProperty("counts").GetProperty("terminal").GetInt32();
}

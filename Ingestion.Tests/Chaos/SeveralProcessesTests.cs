using System.Diagnostics;
using System.Text.Json;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F11: programs on one database; one is killed, one is frozen for two leases and comes back, one lives.</summary>
[Collection(RunningProgram.Name)]
public sealed class SeveralProcessesTests(ITestOutputHelper output)
{
    [Fact]
    public Task Whoever_survives_takes_over_and_the_dead_write_nothing() => RunAsync("F11 several processes (short)", seed: 20261122, rows: 120);

    [Fact]
    [Trait("Category", "Long")]
    public Task Whoever_survives_takes_over_a_large_batch() => RunAsync("F11 several processes", Random.Shared.Next(), rows: 1200);

    private async Task RunAsync(string name, int seed, int rows)
    {
        using var report = new ChaosReport(output, name, seed);
        await using var run = await ChaosRun.SharedAsync(await KrithiSite.MadeUpAsync(rows, seed));
        await using var first = run.Begin(null, ChaosRun.Paced);
        await using var second = run.Begin("in_parser@hang:*=stop", ChaosRun.Paced);
        await using var third = run.Begin(null, ChaosRun.Paced);
        foreach (var app in new[] { first, second, third }) await app.ReadyAsync();
        await using var sampler = run.Sample();
        var id = await run.Site.SubmitAsync(first);

        await first.BatchAsync(id, b => Ended(b) >= rows / 10, ChaosRun.Patience);
        await HoldsAsync(run, first);
        var children = Processes.Children(first.Id).ToList();
        await first.KillAsync();
        var killed = await TakenOverAsync(run, first);

        var (hanging, parser) = await HangAsync(second, third);
        await HoldsAsync(run, second);
        await second.SignalAsync("STOP");
        var zombies = await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'running' AND worker = $1", await WorkerAsync(run, second));
        var clock = Stopwatch.StartNew();
        var frozen = await TakenOverAsync(run, second);
        await Eventually.IsAsync(() => Task.FromResult(clock.Elapsed > 2 * ChaosRun.Lease), "two leases have passed");
        await second.SignalAsync("CONT");

        var end = await third.EndedAsync(id, ChaosRun.Patience);
        // Both show the same.
        var same = await second.EndedAsync(id, ChaosRun.Patience);
        same.GetProperty("counts").ToString().ShouldBe(end.GetProperty("counts").ToString());
        await Eventually.IsAsync(() => Task.FromResult(Refused(second) >= (zombies > 0 ? 1 : 0)), "the woken one says that it was refused");
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'lease_lost'")).ShouldBeGreaterThanOrEqualTo(zombies);
        report.Figure($"{rows} rows, taken over {killed.TotalSeconds:0.0} s after the kill and {frozen.TotalSeconds:0.0} s after the freeze, {zombies} tasks of the frozen one, {Refused(second)} of its writes refused");
        // The killed one's parsers went with it; the woken one killed the parser of the task that it had lost.
        foreach (var child in children.Append(parser)) await Processes.EndedAsync(child);
        (await third.EndedAsync(hanging, ChaosRun.Patience)).GetProperty("state").GetString().ShouldBe("completed");
        await run.CheckAsync(report, sampler);
        killed.ShouldBeLessThan(ChaosRun.Lease + ChaosRun.Sweep + TimeSpan.FromSeconds(2));
        frozen.ShouldBeLessThan(ChaosRun.Lease + ChaosRun.Sweep + TimeSpan.FromSeconds(2));
        report.Pass();
    }

    // One document after another, until one hangs in a parser of the process for which it does: its batch and that parser.
    private static async Task<(string Batch, int Parser)> HangAsync(AppProcess hanging, AppProcess other)
    {
        for (var n = 0; ; n++)
        {
            var upload = await other.UploadAsync($"hang {n}.html", System.Text.Encoding.UTF8.GetBytes($"<!doctype html><p>Words number {n} that hang in one of two processes."));
            var batch = await other.SubmitAsync(new { name = "hang", uploads = new[] { upload } });
            var parser = 0;
            await Eventually.IsAsync(async () =>
            {
                parser = Processes.Children(hanging.Id).FirstOrDefault(Processes.IsStopped);
                return parser != 0 || AppProcess.HasEnded(await other.GetAsync($"/api/v1/batches/{batch}"));
            }, "it hangs or has ended", 60);
            if (parser != 0) return (batch, parser);
        }
    }

    // Until it holds something, so that there is something to take over.
    private static async Task HoldsAsync(ChaosRun run, AppProcess app)
    {
        var worker = await WorkerAsync(run, app);
        await Eventually.IsAsync(async () => await run.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE state = 'running' AND worker = $1)", worker), "it holds a task");
    }

    // From now until nothing is held in its name.
    private static async Task<TimeSpan> TakenOverAsync(ChaosRun run, AppProcess app)
    {
        var clock = Stopwatch.StartNew();
        var worker = await WorkerAsync(run, app);
        await Eventually.IsAsync(async () => !await run.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE state = 'running' AND worker = $1)", worker), "what it held is taken over");
        return clock.Elapsed;
    }

    private static Task<string> WorkerAsync(ChaosRun run, AppProcess app) =>
        run.ScalarAsync<string>("SELECT id FROM ingestion.worker_process WHERE pid = $1 ORDER BY started_at DESC LIMIT 1", app.Id);

    private static int Refused(AppProcess app) => app.Output.Split("lost its lease").Length - 1;

    private static int Ended(JsonElement batch) => batch.GetProperty("counts").GetProperty("terminal").GetInt32();
}

using System.Diagnostics;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F3: SIGTERM while documents are at work, and while a parser heeds nobody.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class ShutdownTests(ITestOutputHelper output)
{
    private const int Documents = 8;
    private static readonly TimeSpan ExitsWithin = TimeSpan.FromSeconds(35);

    [Fact]
    public async Task A_stop_gives_everything_back_and_charges_nothing()
    {
        using var report = new ChaosReport(output, "F3 SIGTERM");
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var site = await KrithiSite.MadeUpAsync(1, seed: 3);
        await using var run = await ChaosRun.SharedAsync(site);
        var pages = Enumerable.Range(0, Documents).Select(n => $"/slow/{n}").ToList();
        foreach (var page in pages) site.Host.On(page, async context =>
        {
            await go.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"words of {page}");
        });

        string id;
        await using (var app = await run.StartAsync())
        {
            id = await app.SubmitAsync(new { name = "slow", urls = pages.Select(p => site.Host.Url(p)), options = new { max_workers = Documents } });
            await Eventually.IsAsync(async () => await RunningAsync(run) == Documents, "all documents are at work");
            report.Figure($"{Documents} documents at work: stopped in {await StopAsync(app):0.0} s");
        }
        await ReleasedAsync(run, Documents);
        go.SetResult();

        await using (var app = run.Begin("in_parser@hang:*=hang"))
        {
            await app.ReadyAsync();
            await app.EndedAsync(id, ChaosRun.Patience);
            var upload = await app.UploadAsync("hang.html", "<!doctype html><p>Words that hang.</p>"u8.ToArray());
            id = await app.SubmitAsync(new { name = "hang", uploads = new[] { upload } });
            await Eventually.IsAsync(async () => await run.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE state = 'running' AND stage = 'parse')"), "the parser hangs");
            report.Figure($"a hanging parser: stopped in {await StopAsync(app):0.0} s");
        }
        await ReleasedAsync(run, 1);

        await using var last = await run.StartAsync();
        (await last.EndedAsync(id, ChaosRun.Patience)).GetProperty("state").GetString().ShouldBe("completed");
        await run.CheckAsync(report, endings: false);
        report.Pass();
    }

    private static async Task<double> StopAsync(AppProcess app)
    {
        var clock = Stopwatch.StartNew();
        await app.SignalAsync("TERM");
        (await app.ExitAsync(ExitsWithin)).ShouldBe(0, app.Output);
        return clock.Elapsed.TotalSeconds;
    }

    private static Task<long> RunningAsync(ChaosRun run) => run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'running'");

    // Ready at once, without a lease, a failure or a crash.
    private static async Task ReleasedAsync(ChaosRun run, int tasks) =>
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'ready' AND attempt > 0 AND failures = 0 AND crashes = 0 AND scheduled_at <= ingestion.clock()")).ShouldBe(tasks);
}

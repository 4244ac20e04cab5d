using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F4: the database is stopped at once in the middle of a batch, for a minute and then again and again.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class DatabaseLossTests(ITestOutputHelper output)
{
    private const int Rows = 1500;
    private static readonly int Times = ChaosRun.Scaled(10);
    private static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_database_that_goes_away_costs_time_and_nothing_else()
    {
        var seed = Random.Shared.Next();
        using var report = new ChaosReport(output, "F4 database lost", seed);
        await using var cluster = await ChaosCluster.StartAsync();
        await using var run = ChaosRun.On(cluster.ConnectionString, await KrithiSite.MadeUpAsync(Rows, seed));
        // So many a minute that the batch outlasts the outages.
        await using var app = await run.StartAsync(("Ingestion:Acquire:RequestsPerMinutePerHost", "240"));
        await using var sampler = run.Sample();
        var id = await run.Site.SubmitAsync(app);
        await app.BatchAsync(id, b => b.GetProperty("counts").GetProperty("terminal").GetInt32() > 20, ChaosRun.Patience);

        var answers = new Dictionary<HttpStatusCode, int>();
        var slowest = await OutageAsync(cluster, run, app, TimeSpan.FromSeconds(60), answers);
        for (var n = 0; n < Times; n++)
        {
            // The first of these right after it came back, while everybody connects and listens again.
            if (n > 0) await PassAsync(TimeSpan.FromSeconds(20));
            var back = await OutageAsync(cluster, run, app, TimeSpan.FromSeconds(5), answers);
            if (back > slowest) slowest = back;
        }

        await ChaosRun.EndedAsync(app, id, TimeSpan.FromMinutes(15));
        report.Figure($"{Times + 1} outages, back to work {slowest.TotalSeconds:0.0} s after the database at most, answers meanwhile {string.Join(' ', answers.Select(a => $"{(int)a.Key}×{a.Value}"))}");
        answers.Keys.ShouldBeSubsetOf([HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK]);
        app.HasExited.ShouldBeFalse();
        await run.CheckAsync(report, sampler);
        slowest.ShouldBeLessThan(BackWithin);
        report.Pass();
    }

    // Stops the server, looks at the program meanwhile, starts the server; the time from then to the next claim.
    private static async Task<TimeSpan> OutageAsync(ChaosCluster cluster, ChaosRun run, AppProcess app, TimeSpan length, Dictionary<HttpStatusCode, int> answers)
    {
        var uploads = Directory.GetFiles(Path.Combine(run.Data, "uploads")).Length;
        await cluster.StopAtOnceAsync();
        var clock = Stopwatch.StartNew();
        await Eventually.IsAsync(async () => (await app.Client.GetAsync("/health")).StatusCode == HttpStatusCode.ServiceUnavailable, "health tells of the outage");
        while (clock.Elapsed < length)
        {
            (await app.Client.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
            using var list = await app.Client.GetAsync("/api/v1/batches");
            answers[list.StatusCode] = answers.GetValueOrDefault(list.StatusCode) + 1;
            (await list.Content.ReadAsStringAsync()).ShouldNotContain("   at ");
            using var content = new ByteArrayContent("Words without a database."u8.ToArray());
            using var upload = await app.Client.PostAsync("/api/v1/uploads/file?path=outage.txt", content);
            (upload.StatusCode, upload.Headers.RetryAfter).ShouldBe((HttpStatusCode.ServiceUnavailable, new RetryConditionHeaderValue(TimeSpan.FromSeconds(5))));
            await PassAsync(TimeSpan.FromMilliseconds(500));
        }
        Directory.GetFiles(Path.Combine(run.Data, "uploads")).Length.ShouldBe(uploads);

        await cluster.StartAgainAsync();
        var back = Stopwatch.StartNew();
        var claims = await ClaimsAsync(run);
        await Eventually.IsAsync(async () => await ClaimsAsync(run) > claims, "it is back to work", 60);
        return back.Elapsed;
    }

    private static Task<long> ClaimsAsync(ChaosRun run) => run.ScalarAsync<long>("SELECT sum(attempt) FROM ingestion.import_task_run");

    private static async Task PassAsync(TimeSpan time)
    {
        using var timer = new PeriodicTimer(time);
        await timer.WaitForNextTickAsync();
    }
}

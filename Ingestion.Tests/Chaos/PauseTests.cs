using System.Net;
using System.Text.Json;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F22: a pause holds, whatever happens to program and database, until one resume.</summary>
[Collection(RunningProgram.Name)]
public sealed class PauseTests(ITestOutputHelper output)
{
    private const int Rows = 60;

    // Until the pause is asked for: so slow that the batch outlasts a restart on a busy machine.
    private static readonly (string, string) Slow = ("Ingestion:Acquire:RequestsPerMinutePerHost", "90");

    [Fact]
    public async Task A_pause_outlives_restarts_kills_and_the_database()
    {
        const int seed = 20261122;
        using var report = new ChaosReport(output, "F22 pause", seed);
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(Rows, seed));
        var app = await run.StartAsync(Slow);
        try
        {
            var id = await run.Site.SubmitAsync(app);
            await using var sampler = run.Sample();
            await app.BatchAsync(id, b => Ended(b) >= Rows / 10, ChaosRun.Patience);

            // Killed during the request: it was heard or it was not, never in part; asked again, it is.
            var asking = ActAsync(app, id, "pause");
            await app.KillAsync();
            await asking.ContinueWith(_ => { }, TaskScheduler.Default);
            app = await AgainAsync(app, run, Slow);
            (await ActAsync(app, id, "pause")).ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
            (await ActAsync(app, id, "pause")).ShouldBe(HttpStatusCode.Conflict);
            await StateAsync(app, id, "paused");
            await Eventually.IsAsync(async () => await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'running'") == 0, "what ran comes to its end");
            var claims = await ClaimsAsync(run);
            var left = Rows - Ended(await app.GetAsync($"/api/v1/batches/{id}"));

            await app.StopAsync();
            app = await AgainAsync(app, run);
            await StillPausedAsync(app, run, id, claims);
            await app.KillAsync();
            app = await AgainAsync(app, run);
            await StillPausedAsync(app, run, id, claims);
            var postmaster = Processes.Postmaster(run.Data);
            await Processes.KillAsync(postmaster);
            await Eventually.IsAsync(async () => (await app.Client.GetAsync("/health")).IsSuccessStatusCode && Processes.Postmaster(run.Data) != postmaster, "the database is back", 60);
            await StillPausedAsync(app, run, id, claims);

            await StateAsync(app, id, "paused");

            // Two tabs at once: one resumes, the other is told.
            var answers = await Task.WhenAll(ActAsync(app, id, "resume"), ActAsync(app, id, "resume"));
            answers.Order().ShouldBe([HttpStatusCode.OK, HttpStatusCode.Conflict]);
            var end = await app.EndedAsync(id, ChaosRun.Patience);
            end.GetProperty("counts").GetProperty("total").GetInt32().ShouldBe(Rows);
            Ended(end).ShouldBe(Rows);
            (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'batch_resumed'")).ShouldBe(1);

            await RaceAsync(app, run, seed);
            report.Figure($"paused with {left} of {Rows} left over 3 restarts of the program and 1 of the database, 0 claims meanwhile, 1 resume of 2 at once");
            // Those of the race were cancelled: their pages did not end as the site would have it.
            await run.CheckAsync(report, sampler, endings: false);
            report.Pass();
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    // A pause and a cancel at once: whichever comes first, the cancel is what remains, and it ends once.
    private static async Task RaceAsync(AppProcess app, ChaosRun run, int seed)
    {
        for (var round = 0; round < 5; round++)
        {
            await using var site = await KrithiSite.MadeUpAsync(30, seed + round + 1);
            // Its addresses may not be fetched by this program; being refused is work as well.
            var id = await site.SubmitAsync(app);
            var answers = await Task.WhenAll(ActAsync(app, id, "pause"), ActAsync(app, id, "cancel"));
            answers[0].ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
            answers[1].ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
            var end = await app.EndedAsync(id, TimeSpan.FromSeconds(20));
            if (answers[1] == HttpStatusCode.OK) end.GetProperty("state").GetString().ShouldBe("cancelled");
            (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event e JOIN ingestion.import_batch b ON b.id = e.batch_id WHERE b.public_id = $1 AND e.kind IN ('batch_cancelled', 'batch_completed')", id)).ShouldBe(1);
        }
    }

    private static async Task StillPausedAsync(AppProcess app, ChaosRun run, string id, long claims)
    {
        // The poll comes every second: two later ones have looked.
        var beats = await BeatsAsync(run);
        await Eventually.IsAsync(async () => await BeatsAsync(run) > beats + 2, "it has looked for work");
        await StateAsync(app, id, "paused");
        (await ClaimsAsync(run)).ShouldBe(claims);
    }

    // Seconds of life that the living worker has shown since; it beats every second.
    private static Task<double> BeatsAsync(ChaosRun run) =>
        run.ScalarAsync<double>("SELECT extract(epoch FROM max(last_seen_at))::float8 FROM ingestion.worker_process");

    private static Task<long> ClaimsAsync(ChaosRun run) => run.ScalarAsync<long>("SELECT sum(attempt) FROM ingestion.import_task_run");

    private static async Task<AppProcess> AgainAsync(AppProcess old, ChaosRun run, params (string, string)[] settings)
    {
        await old.DisposeAsync();
        return await run.StartAsync(settings);
    }

    // A connection that the database's end left in a pool costs whoever gets it a 503.
    private static Task StateAsync(AppProcess app, string id, string state) => Eventually.IsAsync(async () =>
    {
        using var answer = await app.Client.GetAsync($"/api/v1/batches/{id}");
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
        (await AppProcess.JsonAsync(answer)).GetProperty("state").GetString().ShouldBe(state);
        return true;
    }, "the batch is answered");

    private static async Task<HttpStatusCode> ActAsync(AppProcess app, string id, string act)
    {
        using var answer = await app.Client.PostAsync($"/api/v1/batches/{id}/{act}", null);
        return answer.StatusCode;
    }

    private static int Ended(JsonElement batch) => batch.GetProperty("counts").GetProperty("terminal").GetInt32();
}

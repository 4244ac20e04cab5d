using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Embeddings;
using Ingestion.Tests.Embeddings;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F23: a cancel at every moment ends everything within ten seconds, and nothing is written after it; retries and twins meet work that runs.</summary>
[Collection(RunningProgram.Name)]
public sealed class CancelTests(ITestOutputHelper output)
{
    private static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Cancels_retries_and_twins_meet_running_work()
    {
        using var report = new ChaosReport(output, "F23 cancel and retry");
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var slow = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            reached.TrySetResult();
            // As long as the client stays.
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(60, seed: 23));
        await using var app = await StartAsync(run, slow.Endpoint);
        await using var sampler = run.Sample();
        var slowest = TimeSpan.Zero;

        // While a parser hangs: its child dies.
        var hang = await app.UploadAsync("hang.html", "<!doctype html><p>It never ends.</p>"u8.ToArray());
        var id = await app.SubmitAsync(new { name = "parsing", uploads = new[] { hang } });
        await StepAsync(run, "parsing");
        await Eventually.IsAsync(() => Task.FromResult(Parsers(app).Count > 0), "a child parses");
        var children = Parsers(app);
        await CancelAsync(id);
        await Eventually.IsAsync(() => Task.FromResult(!Parsers(app).Intersect(children).Any()), "its child is gone", (int)EndsWithin.TotalSeconds);

        // While the embedding service lets it wait.
        var text = await app.UploadAsync("slow.txt", "Words that wait for their vectors."u8.ToArray());
        id = await app.SubmitAsync(new { name = "embedding", uploads = new[] { text }, options = new { embedding_model_preference = "stub" } });
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await CancelAsync(id);

        // While paused.
        var paused = await app.UploadAsync("paused.txt", "Words that are paused."u8.ToArray());
        id = await app.SubmitAsync(new { name = "paused", uploads = new[] { paused }, auto_start = false });
        await ActAsync(id, "start");
        await ActAsync(id, "pause");
        await CancelAsync(id);

        // In the last moments: some end, some do not, each batch once.
        for (var round = 0; round < 8; round++)
        {
            var last = await app.UploadAsync($"last {round}.txt", Encoding.UTF8.GetBytes($"Words of the last moment {round}."));
            id = await app.SubmitAsync(new { name = "last moment", uploads = new[] { last } });
            await app.BatchAsync(id, b => b.GetProperty("overall_percent").GetDouble() > 10 * round || AppProcess.HasEnded(b), ChaosRun.Patience);
            await CancelAsync(id, mayHaveEnded: true);
        }

        // What was cancelled can run again, and retries of what failed meet a batch that runs.
        await ActAsync(id, "retry");
        await app.EndedAsync(id, ChaosRun.Patience);
        id = await run.Site.SubmitAsync(app);
        for (var n = 0; n < 10; n++)
        {
            await app.BatchAsync(id, b => b.GetProperty("counts").GetProperty("failed").GetInt32() > 0 || AppProcess.HasEnded(b), ChaosRun.Patience);
            await ActAsync(id, "retry");
        }
        await app.EndedAsync(id, ChaosRun.Patience);

        // Deleted while it runs: it is cancelled first, and gone from the lists.
        await using (var deleted = await KrithiSite.MadeUpAsync(30, seed: 24))
        {
            id = await deleted.SubmitAsync(app);
            using var answer = await app.Client.DeleteAsync($"/api/v1/batches/{id}");
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            using var gone = await app.Client.GetAsync($"/api/v1/batches/{id}");
            gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }

        // The same file in two batches at once: once in the library.
        var same = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("The same words in two batches. ", 400)));
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(async n => await app.SubmitAsync(new { name = $"twin {n}", uploads = new[] { await app.UploadAsync($"twin {n}.txt", same) } })));
        foreach (var twin in both) await app.EndedAsync(twin, ChaosRun.Patience);
        (await run.ScalarAsync<string>("SELECT string_agg(state, ' ' ORDER BY state) FROM ingestion.import_item WHERE name LIKE 'twin %'")).ShouldBe("done skipped");

        await LateWritesAsync(run);
        report.Figure($"11 cancels, the slowest ended after {slowest.TotalSeconds:0.0} s; no write after any");
        await run.CheckAsync(report, sampler, endings: false);
        report.Pass();

        async Task ActAsync(string batch, string act)
        {
            using var answer = await app.Client.PostAsync($"/api/v1/batches/{batch}/{act}", null);
            answer.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict);
        }

        async Task CancelAsync(string batch, bool mayHaveEnded = false)
        {
            var clock = Stopwatch.StartNew();
            using var answer = await app.Client.PostAsync($"/api/v1/batches/{batch}/cancel", null);
            if (!mayHaveEnded) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            var end = await app.EndedAsync(batch, EndsWithin);
            if (answer.StatusCode == HttpStatusCode.OK) end.GetProperty("state").GetString().ShouldBe("cancelled");
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
        }
    }

    // The hang is the parser's, for documents of that name; the embedding service is one of the test's own.
    private static async Task<AppProcess> StartAsync(ChaosRun run, string endpoint)
    {
        var app = run.Begin("in_parser@hang.html:*=hang", ("Ingestion:Embedding:Endpoint", endpoint), ("Ingestion:Embedding:Model", "stub"),
            ("Ingestion:Embedding:ApiKey", "a-key-of-the-stub"), ("Ingestion:Embedding:Dimensions", "4"), ("Ingestion:Processing:EmbeddingModelPreference", HashingEmbedder.ModelId));
        await app.ReadyAsync();
        return app;
    }

    private static Task StepAsync(ChaosRun run, string step) =>
        Eventually.IsAsync(async () => await run.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM ingestion.import_task_run WHERE state = 'running' AND stage = 'parse')"), $"a document is {step}");

    private static List<int> Parsers(AppProcess app) => [.. Processes.Children(app.Id).Where(IsParser)];

    private static bool IsParser(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains("parse-worker", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It has just ended.
            return false;
        }
    }

    // Nothing of an item that a cancel ended carries a later time than the cancel of its batch, but for those that ran again.
    private static async Task LateWritesAsync(ChaosRun run) =>
        (await run.ScalarAsync<long>("""
            SELECT count(*)
            FROM ingestion.import_event e
            JOIN (SELECT batch_id, max(seq) AS seq FROM ingestion.import_event WHERE kind = 'batch_cancelled' GROUP BY batch_id) c ON c.batch_id = e.batch_id AND e.seq > c.seq
            WHERE e.kind <> 'batch_deleted' AND NOT EXISTS (SELECT FROM ingestion.import_event r WHERE r.batch_id = e.batch_id AND r.kind = 'batch_retried')
            """)).ShouldBe(0);
}

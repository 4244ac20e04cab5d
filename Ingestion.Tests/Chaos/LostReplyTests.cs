using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F5: writes are done and their replies are lost, with the connection, on every path that writes.</summary>
[Collection(RunningProgram.Name)]
public sealed class LostReplyTests(ITestOutputHelper output)
{
    [Fact]
    public Task A_lost_reply_in_forty_doubles_nothing() => RunAsync("F5 lost replies (short)", seed: 20261122, rows: 60, share: 1.0 / 40);

    [Fact]
    [Trait("Category", "Long")]
    public Task A_lost_reply_in_twenty_doubles_nothing() => RunAsync("F5 lost replies", Random.Shared.Next(), rows: 600, share: 1.0 / 20);

    private async Task RunAsync(string name, int seed, int rows, double share)
    {
        using var report = new ChaosReport(output, name, seed);
        await using var run = await ChaosRun.SharedAsync(await KrithiSite.MadeUpAsync(rows, seed));
        await using var proxy = new PostgresProxy(run.ConnectionString, seed);
        run.Through = proxy.ConnectionString;
        await using var app = await run.StartAsync();
        await using var sampler = run.Sample();
        var manifest = await app.UploadAsync("list.csv", run.Site.Manifests.Values.Single(), "manifest");

        proxy.LoseReplies(share);
        var request = new { name = "lossy", options = new { max_workers = 16, max_retries = 3 }, manifests = new[] { new { upload = manifest, url_column = "Hyperlink" } } };
        var (first, asked) = await SubmitAsync(app, request);
        // Whoever asks again with the same key finds the same batch.
        var (second, _) = await SubmitAsync(app, request);
        second.ShouldBe(first);
        await ActAsync(app, first, "pause", "paused");
        await ActAsync(app, first, "resume", "queued", "running");
        await Eventually.IsAsync(async () => AppProcess.HasEnded(await BatchAsync(app, first)), "the batch ends", (int)ChaosRun.Patience.TotalSeconds);
        proxy.LoseReplies(0);

        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(1);
        report.Figure($"{rows} rows, {proxy.Lost} replies lost, submitted in {asked} requests, {await run.ScalarAsync<long>("SELECT sum(crashes) FROM ingestion.import_task_run")} claims rescued");
        proxy.Lost.ShouldBeGreaterThan(rows / 20);
        await run.CheckAsync(report, sampler);
        report.Pass();
    }

    private static async Task<(string Id, int Asked)> SubmitAsync(AppProcess app, object request)
    {
        var id = "";
        var asked = 0;
        await Eventually.IsAsync(async () =>
        {
            asked++;
            using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v1/batches") { Content = JsonContent.Create(request), Headers = { { "Idempotency-Key", "once" } } };
            using var answer = await app.Client.SendAsync(message);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
            id = (await AppProcess.JsonAsync(answer)).GetProperty("id").GetString()!;
            return true;
        }, "the submission is answered");
        return (id, asked);
    }

    // A reply that was lost is a 503; asked again, the act is done or it is a conflict with what it did before.
    private static Task ActAsync(AppProcess app, string id, string act, params string[] states) => Eventually.IsAsync(async () =>
    {
        using var answer = await app.Client.PostAsync($"/api/v1/batches/{id}/{act}", null);
        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.Conflict, HttpStatusCode.ServiceUnavailable);
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
        var batch = await BatchAsync(app, id);
        return AppProcess.HasEnded(batch) || states.Contains(batch.GetProperty("state").GetString());
    }, $"{act} is done");

    private static async Task<JsonElement> BatchAsync(AppProcess app, string id)
    {
        JsonElement batch = default;
        await Eventually.IsAsync(async () =>
        {
            using var answer = await app.Client.GetAsync($"/api/v1/batches/{id}");
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
            batch = await AppProcess.JsonAsync(answer);
            return true;
        }, "the batch is answered", 120);
        return batch;
    }
}

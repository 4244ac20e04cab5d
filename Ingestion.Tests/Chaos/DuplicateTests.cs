using System.Net;
using System.Net.Http.Json;
using System.Text;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F24: everything arrives twice: uploads, submissions, and every task.</summary>
[Collection(RunningProgram.Name)]
public sealed class DuplicateTests(ITestOutputHelper output)
{
    [Fact]
    public Task Everything_twice_is_there_once() => RunAsync("F24 twice (short)", seed: 20261122, rows: 60);

    [Fact]
    [Trait("Category", "Long")]
    public Task A_large_batch_twice_is_there_once() => RunAsync("F24 twice", Random.Shared.Next(), rows: 1200);

    private async Task RunAsync(string name, int seed, int rows)
    {
        using var report = new ChaosReport(output, name, seed);
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(rows, seed));
        await using var app = run.Begin("after_claim:*=twice");
        await app.ReadyAsync();
        await using var sampler = run.Sample();

        var id = await run.Site.SubmitAsync(app);
        var end = await app.EndedAsync(id, ChaosRun.Patience);
        end.GetProperty("counts").GetProperty("terminal").GetInt32().ShouldBe(rows);
        var tasks = await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run");
        await using (var database = new KrithiDatabase(run.ConnectionString)) (await database.ProblemsAsync(run.Site)).ShouldBeEmpty();

        await SameUploadsAsync(app, run);
        await SameKeysAsync(app, run);
        report.Figure($"{tasks} tasks worked on twice at once, 5 equal uploads, 4 equal submissions");
        await run.CheckAsync(report, sampler, endings: false);
        report.Pass();
    }

    // The same file five times at once, each in a batch of its own: one document, found once.
    private static async Task SameUploadsAsync(AppProcess app, ChaosRun run)
    {
        var words = Encoding.UTF8.GetBytes("The same upload, many times over.");
        var batches = await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ => await app.SubmitAsync(new { name = "same", uploads = new[] { await app.UploadAsync("same.txt", words) } })));
        foreach (var batch in batches) await app.EndedAsync(batch, ChaosRun.Patience);
        (await run.ScalarAsync<string>("SELECT string_agg(state, ' ' ORDER BY state) FROM ingestion.import_item WHERE name = 'same.txt'")).ShouldBe("done skipped skipped skipped skipped");
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.source WHERE source_key = 'same.txt'")).ShouldBe(1);
    }

    // One key: the same batch for the same body, however often; a refusal for another.
    private static async Task SameKeysAsync(AppProcess app, ChaosRun run)
    {
        var upload = await app.UploadAsync("key.txt", "Submitted under one key."u8.ToArray());
        var body = new { name = "key", uploads = new[] { upload } };
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SendAsync(app, body)));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.Created);
        answers.Select(a => a.Id).Distinct().ShouldHaveSingleItem();
        (await SendAsync(app, new { name = "other", uploads = new[] { upload } })).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        await app.EndedAsync(answers[0].Id!, ChaosRun.Patience);
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch WHERE name IN ('key', 'other')")).ShouldBe(1);
    }

    private static async Task<(HttpStatusCode Status, string? Id)> SendAsync(AppProcess app, object body)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v1/batches") { Content = JsonContent.Create(body), Headers = { { "Idempotency-Key", "one" } } };
        using var answer = await app.Client.SendAsync(message);
        return (answer.StatusCode, answer.IsSuccessStatusCode ? (await AppProcess.JsonAsync(answer)).GetProperty("id").GetString() : null);
    }
}

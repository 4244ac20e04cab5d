using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class BatchesTests(AdminApp app) : IClassFixture<AdminApp>
{
    // Refused by the rules for addresses: the batch ends without any network.
    private static readonly object Refused = new { name = "one", urls = new[] { "http://127.0.0.1:1/" } };
    private readonly HttpClient _client = app.Caller(AdminApp.Key);

    [Fact]
    public async Task A_submission_answers_with_the_batch_and_its_words()
    {
        using var answer = await _client.PostAsJsonAsync("/api/v1/batches", new
        {
            name = "Mixed", description = "two addresses", priority = "high", auto_start = false, options = new { chunk_size = 500, chunk_overlap = 50 },
            urls = new object[] { "http://127.0.0.1:1/a", new { url = "http://127.0.0.1:1/b", title = "B", metadata = new { raga = "bhairavi" } } },
        });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var batch = await JsonAsync(answer);
        var id = batch.GetProperty("id").GetString()!;
        answer.Headers.Location!.OriginalString.ShouldBe($"/api/v1/batches/{id}");
        id.ShouldStartWith("job_");
        batch.GetProperty("state").GetString().ShouldBe("pending");
        batch.GetProperty("priority").GetString().ShouldBe("high");
        batch.GetProperty("collection").GetString().ShouldBe("default");
        batch.GetProperty("options").GetProperty("chunk_size").GetInt32().ShouldBe(500);
        batch.GetProperty("options").GetProperty("max_retries").GetInt32().ShouldBe(3);
        batch.GetProperty("download").GetProperty("text").GetString().ShouldBe("Downloading 0/2");
        batch.GetProperty("ingestion").GetProperty("text").GetString().ShouldBe("Ingested 0/2");
        batch.GetProperty("overall_percent").GetDouble().ShouldBe(0);
        batch.GetProperty("created_at").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$");

        var items = (await GetAsync($"/api/v1/batches/{id}/items?q=/b")).GetProperty("items");
        items.GetArrayLength().ShouldBe(1);
        items[0].GetProperty("name").GetString().ShouldBe("B");
        items[0].GetProperty("metadata").GetProperty("raga").GetString().ShouldBe("bhairavi");
        (await GetAsync($"/api/v1/batches/{id}/items?take=1&skip=1")).GetProperty("items")[0].GetProperty("source_key").GetString().ShouldBe("http://127.0.0.1:1/b");
    }

    [Theory]
    [InlineData("""{"urls":["http://a.test/"]}""", "name")]
    [InlineData("""{"name":"x"}""", "empty")]
    [InlineData("""{"name":5,"urls":[]}""", "name")]
    [InlineData("""{"name":"x","urls":"http://a.test/"}""", "urls")]
    [InlineData("""{"name":"x","urls":["http://a.test/",7]}""", "urls[1]")]
    [InlineData("""{"name":"x","urls":[{"title":"no address"}]}""", "urls[0]")]
    [InlineData("""{"name":"x","urls":[{"url":"http://a.test/","colour":"red"}]}""", "urls[0].colour")]
    [InlineData("""{"name":"x","uploads":["up_missing"]}""", "upload")]
    [InlineData("""{"name":"x","manifests":[{"upload":"up_x"}]}""", "manifests[0].url_column")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"options":{"chunk_sise":5}}""", "chunk_sise")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"options":{"chunk_size":5}}""", "chunk_size")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"options":{"embedding_model_preference":"nobody-has-this"}}""", "nobody-has-this")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"priority":"soon"}""", "priority")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"collection":"nowhere"}""", "nowhere")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"autostart":true}""", "autostart")]
    [InlineData("""["http://a.test/"]""", "object")]
    [InlineData("""{"name":"half \ud83d of it","urls":["http://a.test/"]}""", "surrogate")]
    [InlineData("""{"name":"x","urls":["http://a.test/"],"collection":"\u0000"}""", "collection")]
    [InlineData("""{"name":"x",""", "JSON")]
    [InlineData("", "JSON")]
    public async Task What_does_not_fit_is_refused_by_name_and_creates_nothing(string body, string named)
    {
        var before = (await GetAsync("/api/v1/batches")).GetProperty("total").GetInt32();
        using var answer = await _client.PostAsync("/api/v1/batches", new StringContent(body, Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await DetailAsync(answer)).ShouldContain(named);
        (await GetAsync("/api/v1/batches")).GetProperty("total").GetInt32().ShouldBe(before);
    }

    [Fact]
    public async Task One_key_makes_one_batch_and_refuses_another_body()
    {
        var key = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostAsync(Refused, key)));
        var ids = new List<string?>();
        foreach (var answer in answers)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Created);
            ids.Add((await JsonAsync(answer)).GetProperty("id").GetString());
        }
        ids.Distinct().Count().ShouldBe(1);

        using var other = await PostAsync(new { name = "other", urls = new[] { "http://127.0.0.1:1/other" } }, key);
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await DetailAsync(other)).ShouldContain("Idempotency-Key");
    }

    [Fact]
    public async Task A_failed_batch_tells_codes_remedies_runs_and_numbered_events()
    {
        var id = await SubmittedAsync(Refused);
        var batch = await EndedAsync(id);
        batch.GetProperty("state").GetString().ShouldBe("failed");
        batch.GetProperty("failed_files").GetInt32().ShouldBe(1);
        batch.GetProperty("download").GetProperty("text").GetString().ShouldBe("Downloading 1/1");
        batch.GetProperty("ingestion").GetProperty("percent").GetDouble().ShouldBe(100);

        var failures = await GetAsync($"/api/v1/batches/{id}/failures");
        failures.GetProperty("groups")[0].GetProperty("count").GetInt32().ShouldBe(1);
        var failure = failures.GetProperty("failures")[0];
        failure.GetProperty("code").GetString().ShouldBe("blocked_url");
        failure.GetProperty("reason").GetString().ShouldNotBeNullOrWhiteSpace();
        failure.GetProperty("remedy").GetString().ShouldBe(ErrorCodes.BlockedUrl.Remedy);

        var item = await GetAsync($"/api/v1/batches/{id}/items/{failure.GetProperty("id").GetInt64()}");
        item.GetProperty("item").GetProperty("state").GetString().ShouldBe("failed");
        item.GetProperty("task_runs")[0].GetProperty("error").GetProperty("code").GetString().ShouldBe("blocked_url");

        var first = await GetAsync($"/api/v1/batches/{id}/events?take=2");
        first.GetProperty("next").GetInt64().ShouldBe(2);
        var rest = (await GetAsync($"/api/v1/batches/{id}/events?after=2")).GetProperty("events");
        var all = first.GetProperty("events").EnumerateArray().Concat(rest.EnumerateArray()).ToList();
        all.Select(e => e.GetProperty("seq").GetInt64()).ShouldBe(Enumerable.Range(1, all.Count).Select(n => (long)n));
        all[^1].GetProperty("kind").GetString().ShouldBe("batch_completed");
    }

    [Fact]
    public async Task Acts_do_what_the_state_allows_and_say_why_not()
    {
        var id = await SubmittedAsync(new { name = "waits", urls = new[] { "http://127.0.0.1:1/" }, auto_start = false });
        (await ActAsync(id, "pause", null, HttpStatusCode.Conflict)).GetProperty("detail").GetString()!.ShouldContain("pending");
        (await ActAsync(id, "retry", null, HttpStatusCode.Conflict)).GetProperty("detail").GetString()!.ShouldContain("not been started");
        (await ActAsync(id, "start", null, HttpStatusCode.OK)).GetProperty("message").GetString()!.ShouldContain("queued");
        await EndedAsync(id);
        await ActAsync(id, "cancel", null, HttpStatusCode.Conflict);
        (await ActAsync(id, "retry", """{"failed_only":true,"options":{"chunk_size":700}}""", HttpStatusCode.OK))
            .GetProperty("batch").GetProperty("options").GetProperty("chunk_size").GetInt32().ShouldBe(700);
        (await EndedAsync(id)).GetProperty("state").GetString().ShouldBe("failed");
        (await ActAsync(id, "retry", """{"options":{"nothing":1}}""", HttpStatusCode.BadRequest)).GetProperty("detail").GetString()!.ShouldContain("nothing");
        (await ActAsync(id, "retry", """{"items":["one"]}""", HttpStatusCode.BadRequest)).GetProperty("detail").GetString()!.ShouldContain("items[0]");

        (await ActAsync(id, "try-now", null, HttpStatusCode.Conflict)).GetProperty("detail").GetString()!.ShouldContain("Nothing waits");
        (await ActAsync(id, "pause", """{"resaon":"typo"}""", HttpStatusCode.BadRequest)).GetProperty("detail").GetString()!.ShouldContain("resaon");

        var paused = await SubmittedAsync(new { name = "stops", urls = new[] { "http://127.0.0.1:1/" }, auto_start = false });
        (await ActAsync(paused, "cancel", null, HttpStatusCode.OK)).GetProperty("batch").GetProperty("state").GetString().ShouldBe("cancelled");
    }

    [Fact]
    public async Task A_batch_says_where_it_stands_and_its_items_why_they_wait()
    {
        var id = await SubmittedAsync(new { name = "stands", urls = new[] { "http://127.0.0.1:1/", "https://" }, auto_start = false });
        var batch = await GetAsync($"/api/v1/batches/{id}");
        batch.GetProperty("sentence").GetString().ShouldBe("Not started: 2 documents wait until somebody starts the batch.");
        batch.GetProperty("remaining").ValueKind.ShouldBe(JsonValueKind.Null);
        var group = batch.GetProperty("waiting")[0];
        (group.GetProperty("reason").GetString(), group.GetProperty("count").GetInt32(), group.GetProperty("help").GetProperty("act").GetString()).ShouldBe(("batch_not_started", 2, "start"));
        var item = (await GetAsync($"/api/v1/batches/{id}/items")).GetProperty("items")[0];
        item.GetProperty("waiting").GetProperty("sentence").GetString().ShouldBe("The batch has not been started.");
        (await GetAsync($"/api/v1/batches/{id}/items/{item.GetProperty("id").GetInt64()}")).GetProperty("item").GetProperty("waiting").GetProperty("reason").GetString().ShouldBe("batch_not_started");
    }

    [Fact]
    public async Task A_selection_is_cancelled_by_ids_or_by_filter_with_a_reason_in_the_log()
    {
        var id = await SubmittedAsync(new { name = "some", urls = new[] { "http://127.0.0.1:1/a", "http://127.0.0.1:1/b", "http://127.0.0.1:1/c" }, auto_start = false });
        var first = (await GetAsync($"/api/v1/batches/{id}/items")).GetProperty("items")[0].GetProperty("id").GetInt64();
        (await ActAsync(id, "cancel", $$$"""{"items":[{{{first}}}],"filter":{"q":"x"}}""", HttpStatusCode.BadRequest)).GetProperty("detail").GetString()!.ShouldContain("not both");
        (await ActAsync(id, "cancel", """{"filter":{"colour":"red"}}""", HttpStatusCode.BadRequest)).GetProperty("detail").GetString()!.ShouldContain("filter.colour");
        (await ActAsync(id, "cancel", $$"""{"items":[{{first}}]}""", HttpStatusCode.OK)).GetProperty("message").GetString().ShouldBe("1 document is cancelled.");
        var counts = (await ActAsync(id, "cancel", """{"filter":{"q":"/b","state":"open"},"reason":"not this one"}""", HttpStatusCode.OK)).GetProperty("batch").GetProperty("counts");
        (counts.GetProperty("cancelled").GetInt32(), counts.GetProperty("open").GetInt32()).ShouldBe((2, 1));
        (await GetAsync($"/api/v1/batches/{id}/items?state=cancelled")).GetProperty("total").GetInt32().ShouldBe(2);
        var asked = (await GetAsync($"/api/v1/batches/{id}/events")).GetProperty("events").EnumerateArray().Last(e => e.GetProperty("kind").GetString() == "cancel_requested");
        asked.GetProperty("data").GetProperty("reason").GetString().ShouldBe("not this one");
    }

    [Fact]
    public async Task A_deleted_batch_is_like_none()
    {
        var id = await SubmittedAsync(new { name = "gone", urls = new[] { "http://127.0.0.1:1/" }, auto_start = false });
        using var answer = await _client.DeleteAsync($"/api/v1/batches/{id}");
        (await JsonAsync(answer)).GetProperty("message").GetString()!.ShouldStartWith("Deleted.");
        using var gone = await _client.GetAsync($"/api/v1/batches/{id}");
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await ActAsync(id, "delete", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Another_tenants_batch_is_like_none()
    {
        var id = await ForeignBatchAsync();
        foreach (var path in new[] { "", "/items", "/items/1", "/failures", "/events" })
        {
            using var foreign = await _client.GetAsync($"/api/v1/batches/{id}{path}");
            foreign.StatusCode.ShouldBe(HttpStatusCode.NotFound);
            using var unknown = await _client.GetAsync($"/api/v1/batches/job_unknown{path}");
            unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
            (await DetailAsync(foreign)).ShouldBe((await DetailAsync(unknown)).Replace("job_unknown", id, StringComparison.Ordinal));
        }
        foreach (var act in new[] { "start", "pause", "resume", "cancel", "retry", "try-now", "delete" })
            await ActAsync(id, act, null, HttpStatusCode.NotFound);
        (await GetAsync($"/api/v1/batches?q={id}")).GetProperty("total").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task A_list_is_filtered_by_state_and_refuses_other_words()
    {
        var id = await SubmittedAsync(new { name = "listed", urls = new[] { "http://127.0.0.1:1/" }, auto_start = false });
        (await GetAsync($"/api/v1/batches?state=pending,paused&q={id}")).GetProperty("batches")[0].GetProperty("id").GetString().ShouldBe(id);
        (await GetAsync($"/api/v1/batches?state=running&q={id}")).GetProperty("total").GetInt32().ShouldBe(0);
        using var wrong = await _client.GetAsync("/api/v1/batches?state=busy");
        wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await DetailAsync(wrong)).ShouldContain("state");
    }

    [Fact]
    public async Task Without_a_key_nothing_is_told()
    {
        using var answer = await app.Caller().GetAsync("/api/v1/batches");
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private async Task<string> ForeignBatchAsync()
    {
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        var tenant = "t" + Guid.NewGuid().ToString("n")[..8];
        db.Add(new Tenant { Id = tenant, Name = tenant });
        db.Add(new Collection { TenantId = tenant, Key = "default", Name = "Default" });
        await db.SaveChangesAsync();
        var batch = await app.Services.GetRequiredService<Submission>()
            .SubmitAsync(new(tenant, "stranger"), new("theirs") { Urls = [new("http://127.0.0.1:1/")], AutoStart = false }, null, CancellationToken.None);
        return batch.PublicId;
    }

    private async Task<HttpResponseMessage> PostAsync(object body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/batches") { Content = JsonContent.Create(body), Headers = { { "Idempotency-Key", key } } };
        return await _client.SendAsync(request);
    }

    private async Task<string> SubmittedAsync(object body)
    {
        using var answer = await _client.PostAsJsonAsync("/api/v1/batches", body);
        return (await JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    private async Task<JsonElement> ActAsync(string id, string act, string? body, HttpStatusCode expected)
    {
        using var answer = await _client.PostAsync($"/api/v1/batches/{id}/{act}", body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(expected, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private async Task<JsonElement> EndedAsync(string id)
    {
        await Eventually.IsAsync(async () => AppProcess.HasEnded(await GetAsync($"/api/v1/batches/{id}")), $"the end of {id}");
        return await GetAsync($"/api/v1/batches/{id}");
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(path);
        return await JsonAsync(answer);
    }

    private static Task<JsonElement> JsonAsync(HttpResponseMessage answer) => AppProcess.JsonAsync(answer);

    private static async Task<string> DetailAsync(HttpResponseMessage answer) =>
        JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).GetProperty("detail").GetString()!;
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class ConnectionsApiTests(AdminApp app) : IClassFixture<AdminApp>
{
    [Fact]
    public async Task Connection_is_made_tested_changed_scheduled_synced_and_removed()
    {
        using var caller = app.Caller(AdminApp.Key);
        var made = await caller.PostAsJsonAsync("/api/v1/connections", new { kind = "site", key = "handbook", name = "Handbook", settings = new { address = "http://127.0.0.1:9/", user = "u", password = "hush-hush" } });
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        made.Headers.Location!.OriginalString.ShouldBe("/api/v1/connections/handbook");
        (await made.Content.ReadAsStringAsync()).ShouldNotContain("hush");

        var test = await Json(await caller.PostAsync("/api/v1/connections/handbook/test", null));
        test.GetProperty("works").GetBoolean().ShouldBeFalse();
        test.GetProperty("message").GetString()!.ShouldContain("not allowed");

        (await caller.PutAsJsonAsync("/api/v1/connections/handbook", new { name = "The handbook", disabled = true })).StatusCode.ShouldBe(HttpStatusCode.OK);
        var scheduled = await Json(await caller.PutAsJsonAsync("/api/v1/connections/handbook/schedule", new { schedule = "0 3 * * *", zone = "Europe/Berlin" }));
        (scheduled.GetProperty("name").GetString(), scheduled.GetProperty("disabled").GetBoolean(), scheduled.GetProperty("zone").GetString()).ShouldBe(("The handbook", true, "Europe/Berlin"));
        scheduled.GetProperty("next_run_at").GetDateTimeOffset().ShouldBeGreaterThan(DateTimeOffset.UtcNow);
        (await caller.PostAsync("/api/v1/connections/handbook/sync", null)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await caller.PutAsJsonAsync("/api/v1/connections/handbook", new { disabled = false })).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await caller.PostAsync("/api/v1/connections/handbook/sync", null)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await Json(await caller.GetAsync("/api/v1/connections"))).GetProperty("connections").EnumerateArray().Select(c => c.GetProperty("connection_id").GetString()).ShouldContain("handbook");
        (await caller.DeleteAsync("/api/v1/connections/handbook")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await caller.GetAsync("/api/v1/connections/handbook")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"kind":"site","key":"x","name":"X","settings":{"address":"https://a.example/","colour":"red"}}""", "settings.colour is not known here")]
    [InlineData("""{"kind":"pigeon","key":"x","name":"X"}""", "'pigeon' is not a source type")]
    [InlineData("""{"key":"x","name":"X"}""", "kind is missing")]
    [InlineData("""{"kind":"site","key":"x","name":"X","extra":1}""", "extra is not known here")]
    [InlineData("""{"kind":"site","key":"new","name":"X","settings":{"address":"https://a.example/"}}""", "key must not be new")]
    public async Task Connection_that_makes_no_sense_is_answered_with_a_sentence(string body, string sentence)
    {
        using var caller = app.Caller(AdminApp.Key);
        using var answer = await caller.PostAsync("/api/v1/connections", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Json(answer)).GetProperty("detail").GetString()!.ShouldContain(sentence);
    }

    [Fact]
    public async Task Batch_takes_from_sources_or_is_refused_whole()
    {
        using var caller = app.Caller(AdminApp.Key);
        foreach (var (sources, sentence) in new (object, string)[]
        {
            (new[] { new { source_type = "site" } }, "needs an address"),
            (new object[] { new { source_type = "local_zip", connection_id = "nobodys" } }, "There is no connection"),
            (new object[] { new { source_type = "site", source = "https://a.example/", options = new { depth = 3 } } }, "options.depth is not known here"),
            (new object[] { new { source_type = "site", source = "https://a.example/", colour = "red" } }, "colour is not known here"),
            (new object[] { new { connection_id = "x" } }, "source_type is missing"),
        })
        {
            using var refused = await caller.PostAsJsonAsync("/api/v1/batches", new { name = "b", sources });
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest, sentence);
            (await Json(refused)).GetProperty("detail").GetString()!.ShouldContain(sentence);
        }
        using var taken = await caller.PostAsJsonAsync("/api/v1/batches", new { name = "b", sources = new[] { new { source_type = "youtube" } } });
        taken.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Kinds_tell_what_they_need()
    {
        using var caller = app.Caller(AdminApp.Key);
        var kinds = (await Json(await caller.GetAsync("/api/v1/source-kinds"))).GetProperty("kinds").EnumerateArray().ToDictionary(k => k.GetProperty("source_type").GetString()!);
        kinds["site"].GetProperty("options").EnumerateArray().Select(o => o.GetProperty("name").GetString()).ShouldContain("max_pages");
        kinds["s3"].GetProperty("settings").EnumerateArray().Single(s => s.GetProperty("name").GetString() == "secret_key").GetProperty("type").GetString().ShouldBe("secret");
        // The document says the same of every kind.
        var document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "sources.md"));
        foreach (var kind in Core.Sources.SourceKinds.All.Where(k => k.Need != Core.Sources.SourceNeed.Submission)) document.ShouldContain($"`{kind.Word}`");
    }

    [Fact]
    public async Task Message_of_the_crawling_service_is_taken_with_its_signature_alone()
    {
        const string message = """{"success":true,"type":"crawl.page","id":"8f7e6d5c-0000-4000-8000-000000000001","webhookId":"x","data":[]}""";
        await using var signed = app.WithWebHostBuilder(b => b.UseSetting("Ingestion:Firecrawl:WebhookSecret", "hush"));
        using var anybody = signed.CreateClient();
        foreach (var (signature, status) in new[]
        {
            ("sha256=f3b0", HttpStatusCode.Unauthorized), ("", HttpStatusCode.Unauthorized), (Sources.FakeFirecrawl.Sign("other", message), HttpStatusCode.Unauthorized), (Sources.FakeFirecrawl.Sign("hush", message), HttpStatusCode.NoContent),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/firecrawl/events") { Content = new StringContent(message, System.Text.Encoding.UTF8, "application/json") };
            if (signature.Length > 0) request.Headers.Add("X-Firecrawl-Signature", signature);
            using var answer = await anybody.SendAsync(request);
            answer.StatusCode.ShouldBe(status, signature);
        }
    }

    private static async Task<JsonElement> Json(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();
}

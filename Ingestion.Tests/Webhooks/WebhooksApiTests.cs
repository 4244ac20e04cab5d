using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Parsing;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Access;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Webhooks;

/// <summary>Webhooks through the API and the pages, and the whole way from a submission to the receiver.</summary>
public sealed class WebhooksApiTests : IAsyncLifetime
{
    private readonly AdminApp _base = new();
    private Receiver _receiver = null!;
    private Receiver _stuck = null!;
    private WebApplicationFactory<Program> _app = null!;
    private HttpClient _client = null!;
    private Person _admin = null!;

    public async Task InitializeAsync()
    {
        (_receiver, _stuck) = (await Receiver.StartAsync(), await Receiver.StartAsync());
        _stuck.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        _app = _base.WithWebHostBuilder(b =>
        {
            b.UseSetting("Ingestion:Webhooks:AllowHttp", "true");
            b.UseSetting("Ingestion:Acquire:AllowedTargets:0", _receiver.Target);
            b.UseSetting("Ingestion:Acquire:AllowedTargets:1", _stuck.Target);
            b.UseSetting("Ingestion:Pipeline:Poll", "00:00:00.100");
            b.ConfigureTestServices(s => s.Configure<ParserPoolOptions>(o => o.Command = Parsing.WorkerProcess.Command));
        });
        _client = _app.CreateClient();
        _admin = await new People(_app.Services).MakeAsync(Role.Administrator);
        _client.DefaultRequestHeaders.Add("X-Api-Key", _admin.Key);
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _base.DisposeAsync();
        await _receiver.DisposeAsync();
        await _stuck.DisposeAsync();
    }

    [Fact]
    public async Task Webhook_is_made_tried_rotated_switched_and_removed()
    {
        using var made = await _client.PostAsJsonAsync("/api/v1/webhooks", new { url = _receiver.Url, description = "Catalogue" });
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        var webhook = await made.Content.ReadFromJsonAsync<JsonElement>();
        var (id, secret) = (webhook.GetProperty("id").GetString()!, webhook.GetProperty("secret").GetString()!);
        (made.Headers.Location!.OriginalString, webhook.GetProperty("events").GetArrayLength()).ShouldBe(($"/api/v1/webhooks/{id}", 3));
        foreach (var address in new[] { "/api/v1/webhooks", $"/api/v1/webhooks/{id}", "/api/v1/secrets", "/api/v1/audit" }) (await _client.GetStringAsync(address)).ShouldNotContain(secret);

        (await _client.PostAsync($"/api/v1/webhooks/{id}/test", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.IsAsync(() => Task.FromResult(_receiver.Received.Count == 1), "the test has arrived");
        await Eventually.IsAsync(async () => (await DeliveriesAsync(id))[0].GetProperty("state").GetString() == "delivered", "and is written down");
        var delivery = (await DeliveriesAsync(id))[0];
        (delivery.GetProperty("event").GetString(), delivery.GetProperty("last_status").GetInt32(), delivery.GetProperty("id").GetString()).ShouldBe(("webhook.test", 204, _receiver.Received[0].Id));
        var attempts = (await _client.GetFromJsonAsync<JsonElement>($"/api/v1/webhooks/{id}/deliveries/{_receiver.Received[0].Id}")).GetProperty("attempts");
        attempts[0].GetProperty("status").GetInt32().ShouldBe(204);
        (await _client.PostAsync($"/api/v1/webhooks/{id}/deliveries/{_receiver.Received[0].Id}/redeliver", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Eventually.IsAsync(() => Task.FromResult(_receiver.Received.Count == 2), "it has arrived again");
        _receiver.Received[1].Id.ShouldBe(_receiver.Received[0].Id);

        var rotated = await (await _client.PostAsync($"/api/v1/webhooks/{id}/rotate", null)).Content.ReadFromJsonAsync<JsonElement>();
        rotated.GetProperty("secret").GetString().ShouldNotBe(secret);
        (await _client.PostAsync($"/api/v1/webhooks/{id}/disable", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await _client.GetFromJsonAsync<JsonElement>($"/api/v1/webhooks/{id}")).GetProperty("enabled").GetBoolean().ShouldBeFalse();
        (await _client.PostAsync($"/api/v1/webhooks/{id}/enable", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await _client.DeleteAsync($"/api/v1/webhooks/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await _client.GetAsync($"/api/v1/webhooks/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"events":["job.done"]}""", "url is missing")]
    [InlineData("""{"url":"https://127.0.0.1/"}""", "not allowed")]
    [InlineData("""{"url":"https://example.org/","events":["job.begun"]}""", "not known")]
    [InlineData("""{"url":"https://example.org/","events":[]}""", "at least one")]
    [InlineData("""{"url":"https://example.org/","secret":"short"}""", "secret must be")]
    [InlineData("""{"url":"https://example.org/","concurrency":5}""", "1 to 4")]
    [InlineData("""{"url":"https://example.org/","headers":{"Host":"evil"}}""", "not known here")]
    public async Task What_does_not_fit_is_said(string body, string said)
    {
        using var answer = await _client.PostAsync("/api/v1/webhooks", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldContain(said);
        (await _client.GetFromJsonAsync<JsonElement>("/api/v1/webhooks")).GetProperty("webhooks").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Batch_with_a_webhook_of_its_own_is_told_of_from_download_to_end_and_a_stuck_one_delays_nothing()
    {
        await _app.Services.GetRequiredService<WebhookDesk>().CreateAsync(new("default", _admin.Id), new(_stuck.Url), CancellationToken.None);
        using var sent = await _client.PostAsync("/api/v1/uploads/file?path=a.md", new StringContent("# Title\n\nSome words."));
        var upload = (await sent.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        using var submitted = await _client.PostAsJsonAsync("/api/v1/batches", new { name = "Told", uploads = new[] { upload }, webhook = new { url = _receiver.Url } });
        var batch = await submitted.Content.ReadFromJsonAsync<JsonElement>();
        submitted.StatusCode.ShouldBe(HttpStatusCode.Created, batch.ToString());
        var secret = batch.GetProperty("webhook").GetProperty("secret").GetString()!;
        await Eventually.IsAsync(() => Task.FromResult(_receiver.Received.Count == 3), "all three events have arrived", 60);
        _receiver.Received.Select(r => r.Event).ShouldBe(WebhookEvents.All);
        foreach (var r in _receiver.Received) r.Signature.ShouldBe(WebhookSignature.Of([secret], r.Id, DateTimeOffset.FromUnixTimeSeconds(long.Parse(r.Time, System.Globalization.CultureInfo.InvariantCulture)), r.Body));
        JsonDocument.Parse(_receiver.Received[2].Body).RootElement.GetProperty("data").GetProperty("job_id").GetString().ShouldBe(batch.GetProperty("id").GetString());
        (await _client.GetFromJsonAsync<JsonElement>($"/api/v1/batches/{batch.GetProperty("id").GetString()}")).GetProperty("state").GetString().ShouldBe("completed");
        await Eventually.IsAsync(() => Task.FromResult(_stuck.Received.Count > 0), "the stuck one was asked");
        (await _app.Services.GetRequiredService<Database>().Worker.QueryAsync<long>("SELECT count(*) FROM ingestion.webhook_delivery d JOIN ingestion.webhook_endpoint w ON w.id = d.endpoint_id WHERE d.state = 'pending' AND w.batch_id IS NULL")).Single().ShouldBe(3, "what the stuck one has not taken waits");
    }

    [Fact]
    public async Task Pages_show_webhooks_and_deliveries_and_no_secret()
    {
        var (id, secret) = await _app.Services.GetRequiredService<WebhookDesk>().CreateAsync(new("default", _admin.Id), new(_receiver.Url, Description: "<script>alert(1)</script>"), CancellationToken.None);
        await _app.Services.GetRequiredService<WebhookDesk>().TestAsync(new("default", _admin.Id), id, CancellationToken.None);
        var browser = _app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        browser.DefaultRequestHeaders.Add("Cookie", $"ingestion={_admin.Session}");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        foreach (var page in new[] { "/webhooks", $"/webhooks/{id}", "/webhooks/whk_unknown" })
        {
            var html = await browser.GetStringAsync(page);
            html.ShouldNotContain(secret);
            html.ShouldNotContain("<script>alert");
        }
        var shown = await browser.GetStringAsync($"/webhooks/{id}");
        shown[shown.IndexOf("<main", StringComparison.Ordinal)..].ShouldContain("webhook.test");
    }

    private async Task<List<JsonElement>> DeliveriesAsync(string id) =>
        [.. (await _client.GetFromJsonAsync<JsonElement>($"/api/v1/webhooks/{id}/deliveries")).GetProperty("deliveries").EnumerateArray()];
}

using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Webhooks;

/// <summary>The real program, killed in the moment between sending and writing it down.</summary>
[Collection(RunningProgram.Name)]
public sealed class KilledSenderTests
{
    [Fact]
    [Trait("Category", "Long")]
    public async Task What_was_sent_and_not_written_down_is_sent_again_under_the_same_id()
    {
        await using var receiver = await Receiver.StartAsync();
        using var data = new TemporaryDirectory("killed-sender-").Traversable();
        (string, string)[] settings =
        [
            ("Ingestion:Webhooks:AllowHttp", "true"), ("Ingestion:Webhooks:Timeout", "00:00:00.500"), ("Ingestion:Acquire:AllowedTargets:0", receiver.Target), ("Logging:LogLevel:Default", "Warning"),
        ];
        await using (var app = AppProcess.Begin(new(data.Path) { Settings = settings, Environment = [(FaultPoints.Variable, $"{FaultPoints.AfterWebhook}@{WebhookEvents.JobDone}")] }))
        {
            await app.ReadyAsync();
            (await app.Client.PostAsJsonAsync("/api/v1/webhooks", new { url = receiver.Url, events = new[] { "job.done" } })).EnsureSuccessStatusCode();
            var upload = await app.UploadAsync("a.md", "# Title\n\nWords."u8.ToArray());
            await app.SubmitAsync(new { name = "Told", uploads = new[] { upload } });
            await app.ExitAsync(TimeSpan.FromSeconds(90));
        }
        receiver.Received.Count.ShouldBe(1);
        await using (var app = await AppProcess.StartAsync(data.Path, settings))
        {
            var webhook = (await app.GetAsync("/api/v1/webhooks")).GetProperty("webhooks")[0].GetProperty("id").GetString();
            await Eventually.IsAsync(async () => Only(await app.GetAsync($"/api/v1/webhooks/{webhook}/deliveries")).GetProperty("state").GetString() == "delivered", "it is delivered", 90);
            Only(await app.GetAsync($"/api/v1/webhooks/{webhook}/deliveries")).GetProperty("attempt").GetInt32().ShouldBe(2);
        }
        receiver.Received.Count.ShouldBe(2);
        receiver.Received.Select(r => (r.Id, r.Body)).Distinct().ShouldHaveSingleItem();
        await AppProcess.VerifyAsync(data.Path);
    }

    private static JsonElement Only(JsonElement page) => page.GetProperty("deliveries").EnumerateArray().Single();
}

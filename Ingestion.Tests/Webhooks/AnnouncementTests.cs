using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Webhooks;

/// <summary>What is announced, when, and to whom.</summary>
public sealed class AnnouncementTests : IAsyncLifetime
{
    private Receiver _receiver = null!;
    private TestDatabase _test = null!;
    private WebhookRig _rig = null!;

    public async Task InitializeAsync()
    {
        (_receiver, _test) = (await Receiver.StartAsync(), await PostgresServer.CreateDatabaseAsync());
        _rig = new(_test, _receiver);
    }

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _test.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    [Fact]
    public async Task End_of_a_batch_is_told_once_signed_and_in_order()
    {
        var (id, secret) = await _rig.Desk.CreateAsync(WebhookRig.Actor, new(_receiver.Url), CancellationToken.None);
        var batch = await _rig.BatchAsync();
        await _rig.EndAsync(batch);
        (await _rig.SendAsync()).ShouldBe(3);
        (await _rig.SendAsync()).ShouldBe(0);
        _receiver.Received.Select(r => r.Event).ShouldBe(WebhookEvents.All);
        foreach (var r in _receiver.Received)
        {
            r.Id.ShouldStartWith("msg_");
            r.Signature.ShouldBe(WebhookSignature.Of([secret], r.Id, DateTimeOffset.FromUnixTimeSeconds(long.Parse(r.Time, System.Globalization.CultureInfo.InvariantCulture)), r.Body));
        }
        _receiver.Received.Select(r => r.Id).Distinct().Count().ShouldBe(3);
        var done = JsonDocument.Parse(_receiver.Received[2].Body).RootElement;
        var data = done.GetProperty("data");
        done.GetProperty("timestamp").GetDateTimeOffset().ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        (data.GetProperty("job_id").GetString(), data.GetProperty("status").GetString(), data.GetProperty("run").GetInt32(), data.GetProperty("counts").GetProperty("done").GetInt32())
            .ShouldBe(((await _rig.Worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single(), "completed", 1, 1));
        var view = (await _rig.Queries.FindAsync("default", id, CancellationToken.None))!;
        (view.Pending, view.Delivered, view.Dead).ShouldBe((0, 3, 0));
    }

    [Fact]
    public async Task Downloads_are_announced_while_the_batch_goes_on_and_not_again_at_its_end()
    {
        await _rig.EndpointAsync(_receiver);
        var (fetching, fetched) = (await _rig.BatchAsync(), await _rig.BatchAsync(Stage.Parse));
        await _rig.AnnounceAsync();
        await _rig.AnnounceAsync();
        (await _rig.SendAsync()).ShouldBe(1);
        _receiver.Received.Single().Event.ShouldBe(WebhookEvents.DownloadComplete);
        await _rig.EndAsync(fetched);
        await _rig.EndAsync(fetching, BatchState.Cancelled);
        await _rig.SendAsync();
        _receiver.Received.Skip(1).Select(r => r.Event).Order().ShouldBe([WebhookEvents.IngestionComplete, WebhookEvents.JobDone, WebhookEvents.JobDone], false, "a cancelled batch is only done");
    }

    [Fact]
    public async Task Retry_leads_to_another_end_that_is_told_as_another_run()
    {
        await _rig.EndpointAsync(_receiver, 2, WebhookEvents.JobDone);
        var batch = await _rig.BatchAsync();
        await _rig.EndAsync(batch, BatchState.Failed);
        await _rig.Worker.QueryAsync<object>("UPDATE ingestion.import_batch SET state = 'retrying', completed_at = NULL, final_counts = NULL WHERE id = $1", batch);
        await _rig.EndAsync(batch);
        await _rig.SendAsync();
        _receiver.Received.Select(r => JsonDocument.Parse(r.Body).RootElement.GetProperty("data")).Select(d => $"{d.GetProperty("run").GetInt32()} {d.GetProperty("status").GetString()}").ShouldBe(["1 failed", "2 completed"]);
    }

    [Fact]
    public async Task Endpoint_hears_of_its_tenant_its_batch_and_its_events_alone()
    {
        await _rig.Make.OtherTenant("other");
        await _rig.Desk.CreateAsync(new("other", "test"), new(_receiver.Url), CancellationToken.None);
        await _rig.EndAsync(await _rig.BatchAsync());
        (await _rig.SendAsync()).ShouldBe(0);
        var (prepared, _) = _rig.Desk.Prepare(WebhookRig.Actor, new(_receiver.Url, [WebhookEvents.JobDone]));
        var submitted = await _rig.Get<Submission>().SubmitAsync(WebhookRig.Actor, new("Told") { Urls = [new("https://example.org/")], Webhook = prepared }, null, CancellationToken.None);
        await _rig.EndAsync(await _rig.BatchAsync());
        (await _rig.SendAsync()).ShouldBe(0);
        await _rig.EndAsync(submitted.BatchId);
        (await _rig.SendAsync()).ShouldBe(1);
        (await _rig.Queries.FindAsync("default", prepared.Id, CancellationToken.None))!.Batch.ShouldBe(submitted.PublicId);
        (await _rig.Queries.FindAsync("other", prepared.Id, CancellationToken.None)).ShouldBeNull();
        // Whoever sees only their own batches sees only those batches' webhooks and deliveries.
        var narrowed = new Scope("default", "somebody", new(OwnBatches: true));
        (await _rig.Queries.FindAsync(narrowed, prepared.Id, CancellationToken.None)).ShouldBeNull();
        (await _rig.Queries.DeliveriesAsync(narrowed, prepared.Id, null, 0, 10, CancellationToken.None)).Total.ShouldBe(0);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://169.254.169.254/latest")]
    [InlineData("https://2130706433/")]
    [InlineData("https://localhost/")]
    [InlineData("https://metadata.google.internal/")]
    [InlineData("https://user:password@example.org/")]
    [InlineData("https://example.org:22/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://example.org/")]
    [InlineData("//example.org/")]
    [InlineData("")]
    public async Task Address_that_may_not_be_reached_is_refused_when_it_is_given(string url) =>
        await Should.ThrowAsync<IngestionException>(() => _rig.Desk.CreateAsync(WebhookRig.Actor, new(url), CancellationToken.None));

    [Fact]
    public async Task Plain_http_takes_a_setting()
    {
        await using var strict = new WebhookRig(_test, _receiver, ("Ingestion:Webhooks:AllowHttp", "false"));
        (await Should.ThrowAsync<IngestionException>(() => strict.EndpointAsync(_receiver))).Message.ShouldBe("url must begin with https://.");
    }

    [Fact]
    public async Task Secret_is_sealed_and_told_once()
    {
        var (id, secret) = await _rig.Desk.CreateAsync(WebhookRig.Actor, new(_receiver.Url), CancellationToken.None);
        foreach (var table in new[] { "secret", "webhook_endpoint", "audit_entry", "webhook_delivery" })
            (await _rig.Worker.QueryAsync<long>($"SELECT count(*) FROM ingestion.{table} t WHERE position($1 in t::text) > 0", secret)).ShouldBe([0], table);
        (await _rig.Get<SecretBox>().ReadAsync("default", "webhook/" + id, CancellationToken.None)).ShouldBe(secret);
        (await _rig.Desk.RemoveAsync(WebhookRig.Actor, id, CancellationToken.None)).ShouldBeTrue();
        (await _rig.Worker.QueryAsync<long>("SELECT count(*) FROM ingestion.secret")).ShouldBe([0]);
        (await _rig.Worker.QueryAsync<string>("SELECT action FROM ingestion.audit_entry WHERE target = $1 ORDER BY id", "webhook " + id)).ShouldBe(["create_webhook", "remove_webhook"]);
    }
}

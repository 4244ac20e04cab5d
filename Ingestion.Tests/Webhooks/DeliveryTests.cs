using System.Diagnostics;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Webhooks;

/// <summary>Receivers that are away, slow, confused or gone: what is kept, what is sent again, and what is given up.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    // Where nobody listens.
    private const string Nobody = "127.0.0.1:1";
    private Receiver _receiver = null!;
    private TestDatabase _test = null!;
    private WebhookRig _rig = null!;

    public async Task InitializeAsync()
    {
        (_receiver, _test) = (await Receiver.StartAsync(), await PostgresServer.CreateDatabaseAsync());
        _rig = new(_test, _receiver, ("Ingestion:Acquire:AllowedTargets:1", Nobody));
    }

    public async Task DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _test.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    public static TheoryData<string> Troubles => ["500", "404", "301", "308", "429", "reset", "slow", "endless", "half", "away", "wrong TLS"];

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task Trouble_is_written_down_and_tried_again_under_the_same_id(string trouble)
    {
        var id = await _rig.EndpointAsync(_receiver, 2, WebhookEvents.JobDone);
        await _rig.EndAsync(await _rig.BatchAsync());
        using var canary = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        canary.Start();
        var healthy = _receiver.Answer;
        _receiver.Answer = Trouble(trouble, canary.LocalEndpoint.ToString()!);
        if (trouble is "away" or "wrong TLS") await MoveAsync(id, trouble == "away" ? $"http://{Nobody}/" : _receiver.Url.Replace("http:", "https:", StringComparison.Ordinal));
        var started = Stopwatch.GetTimestamp();
        await _rig.SendAsync();
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        var failed = await OneAsync(id);
        (failed.State, failed.Attempt).ShouldBe((DeliveryState.Pending, 1));
        failed.LastError.ShouldNotBeNullOrWhiteSpace();
        failed.NextAt!.Value.ShouldBeInRange(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddMinutes(2));
        canary.Pending().ShouldBeFalse("redirects are not followed");
        _receiver.Answer = healthy;
        await MoveAsync(id, _receiver.Url);
        await _rig.AheadAsync(TimeSpan.FromMinutes(3));
        await _rig.SendAsync();
        var told = await OneAsync(id);
        (told.State, told.Attempt, told.LastError).ShouldBe((DeliveryState.Delivered, 2, null));
        _receiver.Received.Select(r => r.Id).Distinct().ShouldBe([told.Id]);
        var attempts = (await _rig.Queries.AttemptsAsync("default", id, told.Id, CancellationToken.None))!;
        attempts.Select(a => a.Error is null).ShouldBe([false, true]);
        attempts[0].ReplyBytes.ShouldBeLessThanOrEqualTo(WebhookOptions.MaxReply);
    }

    [Fact]
    public async Task Receiver_that_is_away_for_three_days_is_asked_ten_times_and_then_given_up()
    {
        var id = await _rig.EndpointAsync(_receiver, 2, WebhookEvents.JobDone);
        _receiver.Answer = Receiver.Status(503);
        await _rig.EndAsync(await _rig.BatchAsync());
        var started = Stopwatch.GetTimestamp();
        var (begun, ahead, waits) = (DateTimeOffset.UtcNow, TimeSpan.Zero, new List<TimeSpan>());
        while (true)
        {
            await _rig.SendAsync();
            var now = await OneAsync(id);
            if (now.State != DeliveryState.Pending) break;
            var next = now.NextAt!.Value - begun;
            waits.Add(next - ahead);
            await _rig.AheadAsync(ahead = next + TimeSpan.FromSeconds(1));
        }
        var dead = await OneAsync(id);
        (dead.State, dead.Attempt, dead.LastStatus).ShouldBe((DeliveryState.Dead, 10, 503));
        ahead.TotalHours.ShouldBeInRange(75, 84);
        waits.Zip(waits.Skip(1)).ShouldAllBe(w => w.First < w.Second);
        _receiver.Received.Count.ShouldBe(10);
        _receiver.Received.Select(r => (r.Id, r.Body)).Distinct().ShouldHaveSingleItem("the same id and the same words each time");
        _receiver.Received.Select(r => r.Time).Distinct().Count().ShouldBeGreaterThan(0);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromMinutes(1));
        Console.WriteLine($"{_receiver.Received.Count} attempts over {ahead.TotalHours:0.0} h of the database's clock, in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");

        // A person sends it again, once the receiver is back.
        _receiver.Answer = Receiver.Status(200);
        (await _rig.Desk.RedeliverAsync(WebhookRig.Actor, id, dead.Id, CancellationToken.None)).ShouldBeTrue();
        (await _rig.Desk.RedeliverAsync(WebhookRig.Actor, id, dead.Id, CancellationToken.None)).ShouldBeFalse("it is on its way");
        await _rig.SendAsync();
        (await OneAsync(id)).State.ShouldBe(DeliveryState.Delivered);
        _receiver.Received[^1].Id.ShouldBe(dead.Id);
    }

    [Fact]
    public async Task Address_that_is_refused_by_now_is_given_up_at_once_and_nothing_is_sent()
    {
        var id = await _rig.EndpointAsync(_receiver, 1, WebhookEvents.JobDone);
        using var canary = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        canary.Start();
        await MoveAsync(id, $"http://{canary.LocalEndpoint}/");
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.SendAsync();
        var refused = await OneAsync(id);
        (refused.State, refused.LastStatus).ShouldBe((DeliveryState.Dead, null));
        refused.LastError!.ShouldContain("not allowed");
        canary.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task Receiver_that_says_gone_is_not_asked_again()
    {
        var id = await _rig.EndpointAsync(_receiver, 1);
        _receiver.Answer = Receiver.Status(410);
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.SendAsync();
        _receiver.Received.Count.ShouldBe(1);
        var view = (await _rig.Queries.FindAsync("default", id, CancellationToken.None))!;
        (view.DisabledAt is not null, view.Pending, view.Dead).ShouldBe((true, 0, 3));
        view.DisabledReason!.ShouldContain("410");
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.AheadAsync(TimeSpan.FromDays(4));
        (await _rig.SendAsync()).ShouldBe(0);
        await _rig.AheadAsync(TimeSpan.Zero);
        await _rig.Desk.SetDisabledAsync(WebhookRig.Actor, id, disabled: false, CancellationToken.None);
        _receiver.Answer = Receiver.Status(200);
        await _rig.EndAsync(await _rig.BatchAsync());
        (await _rig.SendAsync()).ShouldBe(3);
    }

    [Fact]
    public async Task Retry_after_is_kept_to()
    {
        var id = await _rig.EndpointAsync(_receiver, 1, WebhookEvents.JobDone);
        _receiver.Answer = context =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (429, "3600");
            return Task.CompletedTask;
        };
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.SendAsync();
        (await OneAsync(id)).NextAt!.Value.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(58), DateTimeOffset.UtcNow.AddMinutes(62));
    }

    [Fact]
    public async Task New_secret_signs_beside_the_one_before_for_a_day()
    {
        var (id, first) = await _rig.Desk.CreateAsync(WebhookRig.Actor, new(_receiver.Url, [WebhookEvents.JobDone]), CancellationToken.None);
        var second = (await _rig.Desk.RotateAsync(WebhookRig.Actor, id, CancellationToken.None))!;
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.SendAsync();
        _receiver.Received[0].Signature.ShouldBe(Signed(_receiver.Received[0], second, first));
        await _rig.AheadAsync(TimeSpan.FromHours(25));
        await _rig.AnnounceAsync();
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.SendAsync();
        _receiver.Received[1].Signature.ShouldBe(Signed(_receiver.Received[1], second));
        (await _rig.Worker.QueryAsync<string>("SELECT name FROM ingestion.secret")).ShouldBe(["webhook/" + id], false, "the one before is gone");
    }

    [Fact]
    public async Task Slow_receiver_has_so_many_requests_at_once_and_delays_nobody_else()
    {
        await using var other = await Receiver.StartAsync();
        await using var rig = new WebhookRig(_test, _receiver, ("Ingestion:Acquire:AllowedTargets:1", other.Target), ("Ingestion:Webhooks:MaxConcurrentRequests", "16"));
        var release = new TaskCompletionSource();
        _receiver.Answer = _ => release.Task;
        await rig.EndpointAsync(_receiver, 2, WebhookEvents.JobDone);
        await rig.EndpointAsync(other, 4, WebhookEvents.JobDone);
        for (var i = 0; i < 12; i++) await rig.EndAsync(await rig.BatchAsync());
        var sending = Task.WhenAll(rig.SendAsync(), rig.SendAsync());
        await Eventually.IsAsync(async () =>
        {
            // Whoever is free takes up more; the stuck ones wait for their two places.
            await rig.SendAsync();
            return other.Received.Count == 12;
        }, "the other one has heard everything");
        _receiver.Received.Count.ShouldBe(2);
        release.SetResult();
        await sending;
        await Eventually.IsAsync(async () => await rig.SendAsync() == 0 && _receiver.Received.Count == 12, "the slow one has as well");
        (_receiver.MostAtOnce, other.MostAtOnce <= 4).ShouldBe((2, true));
        _receiver.Received.Select(r => r.Id).Distinct().Count().ShouldBe(12);
        other.Received.Select(r => r.Id).Distinct().Count().ShouldBe(12);
    }

    [Fact]
    public async Task Several_senders_send_each_once()
    {
        await _rig.EndpointAsync(_receiver, 4, WebhookEvents.JobDone);
        for (var i = 0; i < 30; i++) await _rig.EndAsync(await _rig.BatchAsync());
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _rig.SendAsync()));
        await Eventually.IsAsync(async () => await _rig.SendAsync() == 0 && _receiver.Received.Count >= 30, "all are sent");
        _receiver.Received.Count.ShouldBe(30);
        _receiver.Received.Select(r => r.Id).Distinct().Count().ShouldBe(30);
        _receiver.MostAtOnce.ShouldBeLessThanOrEqualTo(4);
    }

    [Fact]
    public async Task What_a_sender_held_when_it_died_is_sent_again_after_its_lease()
    {
        var id = await _rig.EndpointAsync(_receiver, 1, WebhookEvents.JobDone);
        await _rig.EndAsync(await _rig.BatchAsync());
        await _rig.Worker.QueryAsync<object>("UPDATE ingestion.webhook_delivery SET attempt = 1, lease_until = now() + interval '1 minute', worker = 'dead:1'");
        (await _rig.SendAsync()).ShouldBe(0);
        await _rig.AheadAsync(TimeSpan.FromMinutes(2));
        (await _rig.SendAsync()).ShouldBe(1);
        var told = await OneAsync(id);
        (told.State, told.Attempt).ShouldBe((DeliveryState.Delivered, 2));
    }

    [Fact]
    public async Task Lost_key_ring_is_said_and_a_new_secret_mends_it()
    {
        var id = await _rig.EndpointAsync(_receiver, 1, WebhookEvents.JobDone);
        await _rig.EndAsync(await _rig.BatchAsync());
        await using var elsewhere = new WebhookRig(_test, _receiver);
        await elsewhere.SendAsync();
        (await OneAsync(id)).LastError!.ShouldContain("cannot be read any more");
        _receiver.Received.ShouldBeEmpty();
        var secret = (await elsewhere.Desk.RotateAsync(WebhookRig.Actor, id, CancellationToken.None))!;
        await elsewhere.AheadAsync(TimeSpan.FromMinutes(1));
        await elsewhere.SendAsync();
        _receiver.Received.Single().Signature.ShouldBe(Signed(_receiver.Received[0], secret));
    }

    private Task MoveAsync(string id, string url) => _rig.Worker.QueryAsync<object>("UPDATE ingestion.webhook_endpoint SET url = $2 WHERE public_id = $1", id, url);

    private async Task<DeliveryView> OneAsync(string endpoint) => (await _rig.Queries.DeliveriesAsync("default", endpoint, null, 0, 10, CancellationToken.None)).Rows[0];

    private static string Signed(Received r, params string[] secrets) =>
        WebhookSignature.Of(secrets, r.Id, DateTimeOffset.FromUnixTimeSeconds(long.Parse(r.Time, System.Globalization.CultureInfo.InvariantCulture)), r.Body);

    private static RequestDelegate Trouble(string name, string canary) => name switch
    {
        "301" or "308" => context =>
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (int.Parse(name, System.Globalization.CultureInfo.InvariantCulture), $"http://{canary}/");
            return Task.CompletedTask;
        },
        "reset" or "away" or "wrong TLS" => context =>
        {
            context.Abort();
            return Task.CompletedTask;
        },
        // Longer than the exchange may take.
        "slow" => context => Task.Delay(TimeSpan.FromMinutes(1), context.RequestAborted),
        "endless" => async context =>
        {
            context.Response.StatusCode = 500;
            var part = new byte[64 << 10];
            for (var i = 0; i < 160; i++) await context.Response.Body.WriteAsync(part, context.RequestAborted);
        },
        "half" => async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.Body.WriteAsync(new byte[10]);
            await context.Response.Body.FlushAsync();
            context.Abort();
        },
        _ => Receiver.Status(int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)),
    };
}

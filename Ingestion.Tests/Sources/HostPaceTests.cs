using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class HostPaceTests
{
    [Fact]
    public async Task Requests_to_one_host_begin_evenly_spaced()
    {
        var time = new SteppingTime();
        var pace = new HostPace(maxInFlight: 10, perHost: 10, perMinute: 120, time);
        var begun = new List<DateTimeOffset>();

        for (var i = 0; i < 5; i++)
        {
            using var turn = await pace.EnterAsync("a", CancellationToken.None);
            begun.Add(time.GetUtcNow());
        }

        begun.Zip(begun.Skip(1), (x, y) => y - x).ShouldAllBe(gap => gap == TimeSpan.FromSeconds(0.5));
    }

    [Fact]
    public async Task Host_that_was_left_alone_answers_at_once()
    {
        var time = new SteppingTime();
        var pace = new HostPace(10, 10, perMinute: 1, time);
        (await pace.EnterAsync("a", CancellationToken.None)).Dispose();
        time.Advance(TimeSpan.FromMinutes(1));
        var before = time.GetUtcNow();

        (await pace.EnterAsync("a", CancellationToken.None)).Dispose();
        (await pace.EnterAsync("b", CancellationToken.None)).Dispose();

        time.GetUtcNow().ShouldBe(before);
    }

    [Fact]
    public async Task Clock_that_is_set_back_holds_nothing_up()
    {
        var time = new SteppingTime();
        var pace = new HostPace(10, 4, perMinute: 60, time);
        (await pace.EnterAsync("a", CancellationToken.None)).Dispose();
        time.Advance(TimeSpan.FromHours(-2));
        var before = time.GetUtcNow();

        (await pace.EnterAsync("a", CancellationToken.None)).Dispose();

        time.GetUtcNow().ShouldBe(before);
    }

    [Fact]
    public async Task Places_of_a_host_are_kept_and_given_back()
    {
        var pace = new HostPace(10, perHost: 2, 0, TimeProvider.System);
        var first = await pace.EnterAsync("a", CancellationToken.None);
        using var second = await pace.EnterAsync("a", CancellationToken.None);
        var third = pace.EnterAsync("a", CancellationToken.None);

        third.IsCompleted.ShouldBeFalse();
        (await pace.EnterAsync("b", CancellationToken.None)).Dispose();
        first.Dispose();
        first.Dispose();

        using var turn = await third;
        pace.EnterAsync("a", CancellationToken.None).IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Wait_that_is_cancelled_gives_its_place_back()
    {
        var pace = new HostPace(maxInFlight: 1, perHost: 1, 0, TimeProvider.System);
        var first = await pace.EnterAsync("a", CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var atHost = pace.EnterAsync("a", cancel.Token);
        var atAll = pace.EnterAsync("b", cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => atHost);
        await Should.ThrowAsync<OperationCanceledException>(() => atAll);

        first.Dispose();

        (await pace.EnterAsync("b", CancellationToken.None)).Dispose();
        (await pace.EnterAsync("a", CancellationToken.None)).Dispose();
    }

    [Fact]
    public async Task Hosts_are_forgotten_when_their_spacing_is_over()
    {
        var time = new SteppingTime();
        var pace = new HostPace(10, 10, perMinute: 60, time);
        for (var i = 0; i < 5_000; i++)
        {
            (await pace.EnterAsync($"host{i}", CancellationToken.None)).Dispose();
            time.Advance(TimeSpan.FromSeconds(2));
        }

        pace.Count.ShouldBeLessThanOrEqualTo(1_002);
    }

    [Fact]
    public async Task Server_never_sees_more_at_once_than_is_polite()
    {
        int now = 0, most = 0;
        await using var server = await StubServer.StartAsync(async c =>
        {
            var at = Interlocked.Increment(ref now);
            InterlockedMax(ref most, at);
            await Task.Yield();
            await c.Response.WriteAsync("ok");
            await c.Response.CompleteAsync();
            Interlocked.Decrement(ref now);
        });
        var options = Fetching.Options(server.Target);
        options.ConnectionsPerHost = 3;
        options.MaxConcurrentRequests = 8;
        using var fetching = new Fetching(options);
        var folder = Directory.CreateTempSubdirectory().FullName;

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            await fetching.Http.FetchAsync(server.Url($"/{i}"), Path.Join(folder, $"{i}"), fetching.Limits);
        }));
        Directory.Delete(folder, recursive: true);

        server.Requests.Count.ShouldBe(200);
        // A request may begin while the server still tidies up after the one before on each of the three places.
        most.ShouldBeLessThanOrEqualTo(6);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }
}

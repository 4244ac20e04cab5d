using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class StreamTests : IAsyncLifetime
{
    private readonly LiveApp _app = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        _patience.Dispose();
    }

    [Theory]
    [InlineData("/api/v1/batches/{0}/stream")]
    [InlineData("/ingest/jobs/{0}/stream")]
    public async Task Facts_come_under_their_numbers_and_resume_without_gap_or_repeat(string path)
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        using var client = _app.Client(person.Key);
        // More than is kept in memory, in transactions of every size, while the reader comes and goes.
        const int transactions = 120;
        var random = new Random(17);
        var sizes = Enumerable.Range(0, transactions).Select(_ => random.Next(1, 60)).ToList();
        var writing = Task.Run(async () =>
        {
            foreach (var size in sizes) await _app.AppendAsync(batch, size);
        });
        var (seen, connections, total) = (new List<long>(), 0, 1 + sizes.Sum());
        while (seen.Count < total)
        {
            connections++;
            await using var reader = await EventReader.OpenAsync(client, string.Format(null, path, id), seen.Count == 0 ? 0 : seen[^1], _patience.Token);
            var most = random.Next(200, 700);
            for (var taken = 0; taken < most && seen.Count < total;)
            {
                var e = (await reader.NextAsync(_patience.Token)).ShouldNotBeNull();
                if (e.Id is not { } number) continue;
                seen.Add(number);
                taken++;
            }
        }
        await writing;
        seen.ShouldBe(Enumerable.Range(1, total).Select(n => (long)n));
        connections.ShouldBeGreaterThan(3);
        await Eventually.IsAsync(() => Task.FromResult(_app.Feeds == 0), "nothing is read for nobody");
        Console.WriteLine($"stream: {total} facts over {connections} connections, each once and in order");
    }

    [Fact]
    public async Task It_begins_with_the_state_of_now_under_the_number_it_goes_on_from()
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        var before = await _app.AppendAsync(batch, 5);
        using var client = _app.Client(person.Key);
        await using var reader = await EventReader.OpenAsync(client, $"/api/v1/batches/{id}/stream", ct: _patience.Token);
        var first = (await reader.NextAsync(_patience.Token)).ShouldNotBeNull();
        (first.Name, first.Id).ShouldBe(("snapshot", before));
        JsonSerializer.Deserialize<JsonElement>(first.Data).GetProperty("state").GetString().ShouldBe("running");
        reader.Retry.ShouldBeInRange(1000, 5000);
        var after = await _app.AppendAsync(batch);
        SentEvent? next;
        do next = await reader.NextAsync(_patience.Token); while (next is { Id: null });
        next.ShouldNotBeNull().Id.ShouldBe(after);
        next.Name.ShouldBe("stage_done");
        JsonSerializer.Deserialize<JsonElement>(next.Data).GetProperty("seq").GetInt64().ShouldBe(after);
    }

    [Theory]
    [InlineData("/api/v1/batches/{0}/stream", "snapshot", "state", "batch_completed")]
    [InlineData("/ingest/jobs/{0}/stream", "progress", "status", "job")]
    public async Task It_ends_after_the_last_fact_with_the_state_it_ended_in(string path, string state, string member, string ending)
    {
        var person = await _app.PersonAsync();
        using var client = _app.Client(person.Key);
        using var submitted = await client.PostAsJsonAsync("/api/v1/batches", new { name = "refused", urls = new[] { "http://127.0.0.1:1/" } });
        var id = (await submitted.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        var all = new List<SentEvent>();
        await using (var reader = await EventReader.OpenAsync(client, string.Format(null, path, id), 0, _patience.Token))
            while (await reader.NextAsync(_patience.Token) is { } e) all.Add(e);
        var numbered = all.Where(e => e.Id is not null).ToList();
        numbered.Select(e => e.Id!.Value).ShouldBe(Enumerable.Range(1, numbered.Count).Select(n => (long)n));
        numbered[^1].Name.ShouldBe(ending);
        all[^1].Name.ShouldBe(state);
        JsonSerializer.Deserialize<JsonElement>(all[^1].Data).GetProperty(member).GetString().ShouldBe("failed");

        using var again = new HttpRequestMessage(HttpMethod.Get, string.Format(null, path, id)) { Headers = { { "Last-Event-ID", $"{numbered[^1].Id}" } } };
        using var nothing = await client.SendAsync(again);
        nothing.StatusCode.ShouldBe(HttpStatusCode.NoContent, "a browser that comes again is told that there is no more");
        await using var late = await EventReader.OpenAsync(client, string.Format(null, path, id), numbered[^1].Id - 1, _patience.Token);
        (await late.NextAsync(_patience.Token)).ShouldNotBeNull().Id.ShouldBe(numbered[^1].Id);
        (await late.NextAsync(_patience.Token)).ShouldNotBeNull().Name.ShouldBe(state);
        (await late.NextAsync(_patience.Token)).ShouldBeNull();
    }

    [Fact]
    public async Task Number_that_is_none_is_refused()
    {
        var person = await _app.PersonAsync();
        var (_, id) = await _app.BatchAsync(person.Id);
        using var client = _app.Client(person.Key);
        using var answer = await client.GetAsync($"/api/v1/batches/{id}/stream?after=yesterday");
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var unknown = await client.GetAsync("/api/v1/batches/job_aaaaaaaaaaaaaaaa/stream");
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Revoked_key_ends_it()
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        using var client = _app.Client(person.Key);
        await using var reader = await EventReader.OpenAsync(client, $"/api/v1/batches/{id}/stream", ct: _patience.Token);
        (await reader.NextAsync(_patience.Token)).ShouldNotBeNull();
        await _app.RevokeAsync(person.Key);
        var reading = Task.Run(async () =>
        {
            var last = "";
            while (await reader.NextAsync(_patience.Token) is { } e) last = e.Name;
            return last;
        });
        while (!reading.IsCompleted)
        {
            await _app.AppendAsync(batch);
            await Task.WhenAny(reading, Task.Delay(100));
        }
        (await reading).ShouldBe("signed_out");
    }

    [Fact]
    public async Task Deleted_batch_ends_it()
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        using var client = _app.Client(person.Key);
        await using var reader = await EventReader.OpenAsync(client, $"/api/v1/batches/{id}/stream", ct: _patience.Token);
        (await reader.NextAsync(_patience.Token)).ShouldNotBeNull();
        await _app.Worker.QueryAsync<object>("UPDATE ingestion.import_batch SET deleted_at = now() WHERE id = $1", batch);
        await _app.AppendAsync(batch);
        while (await reader.NextAsync(_patience.Token) is not null)
        {
            // What came before its end.
        }
    }

    [Fact]
    public async Task Those_who_see_the_same_share_one_reading()
    {
        var (one, two) = (await _app.PersonAsync(), await _app.PersonAsync(Role.Viewer));
        var (batch, id) = await _app.BatchAsync(one.Id);
        using var first = _app.Client(one.Key);
        using var second = _app.Client(two.Key);
        await using var a = await EventReader.OpenAsync(first, $"/api/v1/batches/{id}/stream", ct: _patience.Token);
        await using var b = await EventReader.OpenAsync(second, $"/ingest/jobs/{id}/stream", ct: _patience.Token);
        (await a.NextAsync(_patience.Token)).ShouldNotBeNull();
        (await b.NextAsync(_patience.Token)).ShouldNotBeNull();
        _app.Feeds.ShouldBe(1);
        await _app.AppendAsync(batch);
        foreach (var reader in new[] { a, b })
        {
            SentEvent? e;
            do e = await reader.NextAsync(_patience.Token); while (e is { Id: null });
            e.ShouldNotBeNull().Id.ShouldBe(2);
        }
    }
}

public sealed class StreamLimitTests
{
    [Fact]
    public async Task Streams_count_as_open_connections()
    {
        await using var app = new LiveApp(("Ingestion:Limits:OpenSockets", "2"));
        var person = await app.PersonAsync();
        var (_, id) = await app.BatchAsync(person.Id);
        using var client = app.Client(person.Key);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await using var one = await EventReader.OpenAsync(client, $"/api/v1/batches/{id}/stream", ct: patience.Token);
        await using (await EventReader.OpenAsync(client, $"/ingest/jobs/{id}/stream", ct: patience.Token))
        {
            using var third = await client.GetAsync($"/ingest/jobs/{id}/stream", HttpCompletionOption.ResponseHeadersRead);
            third.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        }
        await Eventually.IsAsync(async () =>
        {
            using var again = await client.GetAsync($"/ingest/jobs/{id}/stream", HttpCompletionOption.ResponseHeadersRead);
            return again.StatusCode == HttpStatusCode.OK;
        }, "a place is free again");
    }
}

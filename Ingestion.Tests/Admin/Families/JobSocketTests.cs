using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class JobSocketTests : IAsyncLifetime
{
    private readonly LiveApp _app = new();
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        _patience.Dispose();
    }

    [Fact]
    public async Task One_job_is_told_with_its_files()
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        using var socket = await OpenAsync(person, $"?job_id={id}");
        var hello = await NextAsync(socket, "connection_established");
        hello.GetProperty("user_id").GetString().ShouldBe(person.Id);
        hello.GetProperty("job_id").GetString().ShouldBe(id);
        var update = (await NextAsync(socket, "job_update")).GetProperty("job");
        update.GetProperty("job_id").GetString().ShouldBe(id);
        update.GetProperty("status").GetString().ShouldBe("running");
        update.GetProperty("progress_percentage").GetRawText().ShouldBe("0.0");
        var file = await NextAsync(socket, "file_progress");
        file.GetProperty("source_type").GetString().ShouldBe("url");
        file.GetProperty("file").GetProperty("status").GetString().ShouldBe("accessing");

        await _app.Worker.QueryAsync<object>("UPDATE ingestion.import_item SET step = 'downloading', progress_current = 1, progress_total = 2 WHERE batch_id = $1", batch);
        await _app.AppendAsync(batch);
        (await NextAsync(socket, "file_progress", m => m.GetProperty("file").GetProperty("status").GetString() == "downloading")).GetProperty("file").GetProperty("progress").GetInt32().ShouldBe(12);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", _patience.Token);
        await Eventually.IsAsync(() => Task.FromResult(_app.Feeds == 0), "nothing is read for nobody");
    }

    [WireExampleFact]
    public async Task Messages_have_the_shape_of_their_examples()
    {
        var person = await _app.PersonAsync();
        var (batch, _) = await _app.BatchAsync(person.Id);
        await _app.Worker.QueryAsync<object>("UPDATE ingestion.import_item SET size = 7, connection_id = 'c' WHERE batch_id = $1", batch);
        using var socket = await OpenAsync(person);
        (await NextAsync(socket, "connection_established")).ShouldHaveTheShapeOf(WireExamples.Json("001", "connection_established"));
        (await NextAsync(socket, "job_update")).ShouldHaveTheShapeOf(WireExamples.Json("001", "\"job_update\""));
        (await NextAsync(socket, "file_progress")).ShouldHaveTheShapeOf(WireExamples.Json("001", "\"file_progress\""));
        // Two examples in one block: what the client sends, and what it gets.
        var block = WireExamples.Blocks("001", "json").Single(b => b.Contains("\"ping\"", StringComparison.Ordinal));
        var parts = block.Split('}').Where(p => p.Contains('{', StringComparison.Ordinal)).Select(p => WireExamples.Parse(p + "}")).ToList();
        await socket.SendAsync(Encoding.UTF8.GetBytes(parts[0].GetRawText()), WebSocketMessageType.Text, true, _patience.Token);
        var pong = await NextAsync(socket, "pong");
        pong.ShouldHaveTheShapeOf(parts[1]);
        pong.GetProperty("timestamp").GetString().ShouldBe(parts[1].GetProperty("timestamp").GetString());
    }

    [Fact]
    public async Task All_jobs_of_a_user_are_told_as_they_come_and_nobody_elses()
    {
        var (person, other) = (await _app.PersonAsync(), await _app.PersonAsync());
        var (_, first) = await _app.BatchAsync(person.Id);
        await _app.BatchAsync(other.Id);
        using var socket = await OpenAsync(person);
        (await NextAsync(socket, "connection_established")).GetProperty("job_id").ValueKind.ShouldBe(JsonValueKind.Null);
        (await NextAsync(socket, "job_update")).GetProperty("job").GetProperty("job_id").GetString().ShouldBe(first);
        var (batch, second) = await _app.BatchAsync(person.Id);
        await _app.AppendAsync(batch);
        var told = new HashSet<string?>();
        while (!told.Contains(second)) told.Add((await NextAsync(socket, "job_update")).GetProperty("job").GetProperty("job_id").GetString());
        told.ShouldBeSubsetOf([first, second]);
    }

    [Fact]
    public async Task End_of_a_job_is_told_also_to_one_who_comes_a_moment_later()
    {
        var person = await _app.PersonAsync();
        using var client = _app.Client(person.Key);
        using var submitted = await client.PostAsync("/ingest/bulk", new StringContent("""[{"type":"url","source":"http://127.0.0.1:1/"}]""", Encoding.UTF8, "application/json"));
        var id = JsonSerializer.Deserialize<JsonElement>(await submitted.Content.ReadAsStringAsync()).GetProperty("job_id").GetString();
        await Eventually.IsAsync(async () => (await client.GetStringAsync($"/ingest/jobs/{id}")).Contains("\"failed\"", StringComparison.Ordinal), "it has ended");
        using var socket = await OpenAsync(person);
        (await NextAsync(socket, "job_update")).GetProperty("job").GetProperty("progress_percentage").GetRawText().ShouldBe("100.0");
    }

    [Fact]
    public async Task Who_may_not_is_told_before_it_becomes_a_socket()
    {
        var (person, other, administrator) = (await _app.PersonAsync(), await _app.PersonAsync(), await _app.PersonAsync(Role.Administrator));
        var (_, id) = await _app.BatchAsync(person.Id);
        (await RefusedAsync($"/batch/ws/{person.Id}", null)).ShouldContain("401");
        (await RefusedAsync($"/batch/ws/{person.Id}", "wrong")).ShouldContain("401");
        (await RefusedAsync($"/batch/ws/{person.Id}", other.Key)).ShouldContain("404");
        (await RefusedAsync($"/batch/ws/{other.Id}?job_id={id}", other.Key)).ShouldContain("404");
        (await RefusedAsync($"/batch/ws/{person.Id}?job_id=job_aaaaaaaaaaaaaaaa", person.Key)).ShouldContain("404");
        (await RefusedAsync("/batch/ws/usr_nobody", administrator.Key)).ShouldContain("404");
        (await RefusedAsync($"/batch/ws/{person.Id}", person.Key, "https://evil.example")).ShouldContain("403");
        using var allowed = await OpenAsync(administrator, $"?job_id={id}", of: person.Id);
        await NextAsync(allowed, "job_update");
        using var same = await OpenAsync(person, origin: "http://localhost");
        await NextAsync(same, "connection_established");
    }

    [Theory]
    [InlineData("not json", "error")]
    [InlineData("""{"type":"shout"}""", "error")]
    [InlineData("""{"type":"ping"}""", "pong")]
    [InlineData("""{"type":"ping","timestamp":7}""", "pong")]
    public async Task What_a_client_sends_is_answered(string message, string type)
    {
        var person = await _app.PersonAsync();
        using var socket = await OpenAsync(person);
        await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, _patience.Token);
        await NextAsync(socket, type);
    }

    [Fact]
    public async Task Message_without_end_closes_it()
    {
        var person = await _app.PersonAsync();
        using var socket = await OpenAsync(person);
        await socket.SendAsync(new byte[10_000], WebSocketMessageType.Text, false, _patience.Token);
        (await EndAsync(socket)).ShouldBe(WebSocketCloseStatus.MessageTooBig);
    }

    [Fact]
    public async Task Revoked_key_closes_it()
    {
        var person = await _app.PersonAsync();
        var (batch, id) = await _app.BatchAsync(person.Id);
        using var socket = await OpenAsync(person, $"?job_id={id}");
        await NextAsync(socket, "job_update");
        await _app.RevokeAsync(person.Key);
        var ending = EndAsync(socket);
        while (!ending.IsCompleted)
        {
            await _app.AppendAsync(batch);
            await Task.WhenAny(ending, Task.Delay(100));
        }
        (await ending).ShouldBe(WebSocketCloseStatus.PolicyViolation);
    }

    [Fact]
    public async Task Server_that_stops_says_so()
    {
        var person = await _app.PersonAsync();
        using var socket = await OpenAsync(person);
        await NextAsync(socket, "connection_established");
        _app.Services.GetRequiredService<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication();
        (await EndAsync(socket)).ShouldBe(WebSocketCloseStatus.EndpointUnavailable);
    }

    private async Task<WebSocket> OpenAsync(Person caller, string query = "", string? of = null, string? origin = null)
    {
        var client = _app.Server.CreateWebSocketClient();
        client.ConfigureRequest = r =>
        {
            r.Headers["X-Api-Key"] = caller.Key;
            if (origin is not null) r.Headers.Origin = origin;
        };
        return await client.ConnectAsync(new Uri($"ws://localhost/batch/ws/{of ?? caller.Id}{query}"), _patience.Token);
    }

    private async Task<string> RefusedAsync(string path, string? key, string? origin = null)
    {
        var client = _app.Server.CreateWebSocketClient();
        client.ConfigureRequest = r =>
        {
            if (key is not null) r.Headers["X-Api-Key"] = key;
            if (origin is not null) r.Headers.Origin = origin;
        };
        return (await Should.ThrowAsync<InvalidOperationException>(() => client.ConnectAsync(new Uri("ws://localhost" + path), _patience.Token))).Message;
    }

    private async Task<JsonElement> NextAsync(WebSocket socket, string type, Func<JsonElement, bool>? also = null)
    {
        while (true)
        {
            var message = (await ReceiveAsync(socket)).ShouldNotBeNull($"before {type} came");
            if (message.GetProperty("type").GetString() == type && also?.Invoke(message) is not false) return message;
        }
    }

    private async Task<WebSocketCloseStatus?> EndAsync(WebSocket socket)
    {
        while (await ReceiveAsync(socket) is not null)
        {
            // What was said before the end.
        }
        return socket.CloseStatus;
    }

    private async Task<JsonElement?> ReceiveAsync(WebSocket socket)
    {
        var (buffer, length) = (new byte[64 << 10], 0);
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), _patience.Token);
            if (part.MessageType == WebSocketMessageType.Close) return null;
            length += part.Count;
            if (part.EndOfMessage) return JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, length));
        }
    }
}

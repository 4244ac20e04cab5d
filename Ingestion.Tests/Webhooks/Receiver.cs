using System.Collections.Concurrent;
using Ingestion.Tests.Sources;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Webhooks;

/// <summary>What a receiver was sent.</summary>
internal sealed record Received(string Id, string Time, string Signature, string Body)
{
    public string Event => System.Text.Json.JsonDocument.Parse(Body).RootElement.GetProperty("type").GetString()!;
}

/// <summary>Somebody who is told, on a free loopback port: keeps what it was sent and answers as a test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly StubServer _server;
    private readonly ConcurrentQueue<Received> _received = new();
    private int _open;
    private int _most;

    private Receiver(StubServer server) => _server = server;

    public string Target => _server.Target;

    public string Url => _server.Url("/hook").AbsoluteUri;

    /// <summary>The answer; 204 until a test says otherwise.</summary>
    public RequestDelegate Answer { get; set; } = Status(204);

    public IReadOnlyList<Received> Received => [.. _received];

    /// <summary>Requests that were open at once at most.</summary>
    public int MostAtOnce => Volatile.Read(ref _most);

    public static async Task<Receiver> StartAsync()
    {
        Receiver? receiver = null;
        var server = await StubServer.StartAsync(context => receiver!.TakeAsync(context));
        return receiver = new(server);
    }

    public static RequestDelegate Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        string Header(string name) => context.Request.Headers[name].ToString();
        _received.Enqueue(new(Header("webhook-id"), Header("webhook-timestamp"), Header("webhook-signature"), body));
        var open = Interlocked.Increment(ref _open);
        for (var most = _most; open > most && Interlocked.CompareExchange(ref _most, open, most) != most; most = _most)
        {
            // Somebody else raised it meanwhile.
        }
        try
        {
            await Answer(context);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}

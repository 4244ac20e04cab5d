using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using Ingestion.Admin.Api.Live;

namespace Ingestion.Admin.Api.Families;

/// <summary>How a socket is closed.</summary>
/// <param name="Reason">At most 123 bytes.</param>
internal sealed record SocketEnd(WebSocketCloseStatus Code, string Reason);

/// <summary>The client's end of a socket: what it sends, and sending to it with an end to patience.</summary>
internal sealed class JobSocketClient(WebSocket socket, LiveReader reader)
{
    private const int LongestMessage = 4 << 10;

    // More unanswered messages than this come from no client that waits for answers.
    private const int MostUnanswered = 20;

    private readonly ConcurrentQueue<byte[]> _received = new();
    private volatile SocketEnd? _ended;

    public LiveReader Reader { get; } = reader;

    /// <summary>How it ended, once the client has closed it or broken a rule.</summary>
    public SocketEnd? Ended => _ended;

    /// <summary>Reads what the client sends until it closes. Never throws: the connection's end shows where it is written to.</summary>
    public async Task ReceiveAsync(CancellationToken ct)
    {
        var buffer = new byte[LongestMessage];
        try
        {
            while (await ReadAsync(buffer, ct) is { } message)
            {
                if (_received.Count >= MostUnanswered) _ended = new(WebSocketCloseStatus.PolicyViolation, "Too many messages at once.");
                else _received.Enqueue(message);
                Reader.Signal();
                if (_ended is not null) return;
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            _ended = new(WebSocketCloseStatus.NormalClosure, "");
        }
        Reader.Signal();
    }

    /// <summary>Answers to what was received since the last call.</summary>
    public IEnumerable<byte[]> Answers(DateTimeOffset now)
    {
        while (_received.TryDequeue(out var message)) yield return Answer(message, now);
    }

    /// <summary>Throws <see cref="TimeoutException"/> where the client takes nothing.</summary>
    public async Task SendAsync(byte[] message, CancellationToken ct)
    {
        var send = socket.SendAsync(message.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, ct);
        if (send.IsCompletedSuccessfully) await send;
        else await send.AsTask().WaitAsync(EventStream.Patience, ct);
    }

    // One whole text message; null at the end, with the reason where it is a broken rule.
    private async Task<byte[]?> ReadAsync(byte[] buffer, CancellationToken ct)
    {
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(length), ct);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
            {
                _ended = new(WebSocketCloseStatus.NormalClosure, "");
                return null;
            }
            if (part.MessageType == WebSocketMessageType.Binary) return Break(WebSocketCloseStatus.InvalidMessageType, "Send texts.");
            if (part.EndOfMessage) return buffer[..length];
            if (length == buffer.Length) return Break(WebSocketCloseStatus.MessageTooBig, $"A message has at most {LongestMessage} bytes.");
        }
    }

    private byte[]? Break(WebSocketCloseStatus code, string reason)
    {
        _ended = new(code, reason);
        return null;
    }

    private static byte[] Answer(byte[] message, DateTimeOffset now)
    {
        const int longest = 100;
        try
        {
            using var json = JsonDocument.Parse(message);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("type", out var type) || !type.ValueEquals("ping"))
                return JobSocketWords.Error("Only ping is known here.");
            var sent = json.RootElement.TryGetProperty("timestamp", out var time) && time.ValueKind == JsonValueKind.String ? time.GetString() : null;
            return JobSocketWords.Pong(sent is { Length: <= longest } ? sent : null, now);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return JobSocketWords.Error("The message is not JSON.");
        }
    }
}

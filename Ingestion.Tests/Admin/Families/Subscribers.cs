using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Many who follow one job, some by streams, some by sockets, some who open either and never read; each comes again where it was cut off.</summary>
internal sealed class Subscribers(string job, Func<Uri> server) : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan, DefaultRequestHeaders = { { "X-Api-Key", AppProcess.Key } } };
    private readonly List<Task> _readers = [];
    private readonly List<Socket> _silent = [];
    private int _open;

    /// <summary>When each fact was written, by its number.</summary>
    public ConcurrentDictionary<long, DateTimeOffset> Written { get; } = new();

    /// <summary>How long facts took to readers, in milliseconds.</summary>
    public ConcurrentBag<double> Lags { get; } = [];

    public ConcurrentBag<string> Faults { get; } = [];

    /// <summary>Readers whose connection is open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Waits until so many facts have been read by all together.</summary>
    public Task ReadAsync(int facts) => Eventually.IsAsync(() => Task.FromResult(Lags.Count >= facts), $"{facts} facts are read", 120);

    public Task AllAsync => Task.WhenAll(_readers);

    public void Add(int streams, int sockets)
    {
        for (var i = 0; i < streams; i++) _readers.Add(Task.Run(StreamAsync));
        for (var i = 0; i < sockets; i++) _readers.Add(Task.Run(SocketAsync));
    }

    /// <summary>Opens a connection and reads nothing of it.</summary>
    public async Task AddSilentAsync(bool stream)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync("127.0.0.1", server().Port);
        var request = stream
            ? $"GET /api/v1/batches/{job}/stream HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {AppProcess.Key}\r\n\r\n"
            : $"GET /batch/ws/administrator?job_id={job} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {AppProcess.Key}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        _silent.Add(socket);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await AllAsync;
        foreach (var socket in _silent) socket.Dispose();
        _http.Dispose();
    }

    private async Task StreamAsync()
    {
        var last = 0L;
        while (!_end.IsCancellationRequested)
        {
            var pause = 500;
            var counted = false;
            try
            {
                await using var reader = await EventReader.OpenAsync(_http, new Uri(server(), $"/api/v1/batches/{job}/stream").AbsoluteUri, last, _end.Token);
                Interlocked.Increment(ref _open);
                counted = true;
                while (await reader.NextAsync(_end.Token) is { } e)
                {
                    pause = Math.Min(1000, reader.Retry);
                    if (e.Id is { } number)
                    {
                        if (number != last + 1) Faults.Add($"{number} after {last}");
                        last = number;
                        if (Written.TryGetValue(number, out var written)) Lags.Add((TimeProvider.System.GetUtcNow() - written).TotalMilliseconds);
                    }
                    else if (e.Name == "snapshot" && IsEnded(JsonSerializer.Deserialize<JsonElement>(e.Data).GetProperty("state"))) return;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or SocketException)
            {
                // Cut off: it comes again.
            }
            finally
            {
                if (counted) Interlocked.Decrement(ref _open);
            }
            await PauseAsync(pause);
        }
    }

    private async Task SocketAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            var counted = false;
            try
            {
                using var socket = new ClientWebSocket();
                socket.Options.SetRequestHeader("X-Api-Key", AppProcess.Key);
                await socket.ConnectAsync(new UriBuilder(new Uri(server(), $"/batch/ws/administrator?job_id={job}")) { Scheme = "ws" }.Uri, _end.Token);
                Interlocked.Increment(ref _open);
                counted = true;
                var buffer = new byte[64 << 10];
                for (ValueWebSocketReceiveResult part; (part = await socket.ReceiveAsync(buffer.AsMemory(), _end.Token)).MessageType != WebSocketMessageType.Close;)
                {
                    var message = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, part.Count));
                    if (message.GetProperty("type").GetString() == "job_update" && IsEnded(message.GetProperty("job").GetProperty("status"))) return;
                }
            }
            catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or SocketException)
            {
                // Cut off: it comes again.
            }
            finally
            {
                if (counted) Interlocked.Decrement(ref _open);
            }
            await PauseAsync(Random.Shared.Next(100, 1000));
        }
    }

    private Task PauseAsync(int milliseconds) => Task.WhenAny(Task.Delay(milliseconds, _end.Token));

    private static bool IsEnded(JsonElement state) => state.GetString() is "completed" or "failed" or "cancelled";
}

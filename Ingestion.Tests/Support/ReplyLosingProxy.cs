using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>
/// Stands between a client and the test server and, when armed, lets the next commit through, waits until the server has done it, and
/// cuts the connection instead of passing the reply on.
/// </summary>
internal sealed class ReplyLosingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly UnixDomainSocketEndPoint _server;
    private readonly Task _accepting;
    private int _armed;

    public ReplyLosingProxy(string connectionString)
    {
        var direct = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new($"{direct.Host}/.s.PGSQL.{direct.Port}");
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Commits whose reply was lost.</summary>
    public int Lost { get; private set; }

    public void LoseNextCommitReply() => Volatile.Write(ref _armed, 1);

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    private async Task ServeAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(_server, _stop.Token);
            await using var server = new NetworkStream(socket);
            var near = client.GetStream();
            var doomed = new Doomed();
            await Task.WhenAny(ForwardAsync(near, server, doomed), ReturnAsync(server, near, doomed));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side went away: so does the other.
            return;
        }
    }

    private async Task ForwardAsync(Stream client, Stream server, Doomed doomed)
    {
        var buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer, _stop.Token) is var n and > 0)
        {
            if (buffer.AsSpan(0, n).IndexOf("COMMIT\0"u8) >= 0 && Interlocked.Exchange(ref _armed, 0) == 1) doomed.Is = true;
            await server.WriteAsync(buffer.AsMemory(0, n), _stop.Token);
        }
    }

    private async Task ReturnAsync(Stream server, Stream client, Doomed doomed)
    {
        var buffer = new byte[64 * 1024];
        while (await server.ReadAsync(buffer, _stop.Token) is var n and > 0)
        {
            if (!doomed.Is)
            {
                await client.WriteAsync(buffer.AsMemory(0, n), _stop.Token);
                continue;
            }
            // ReadyForQuery, idle: the commit has happened.
            if (n < 6 || buffer[n - 6] != (byte)'Z' || BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(n - 5)) != 5 || buffer[n - 1] != (byte)'I') continue;
            Lost++;
            return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private sealed class Doomed
    {
        public volatile bool Is;
    }
}

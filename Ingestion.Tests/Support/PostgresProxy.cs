using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>
/// Stands between clients and a PostgreSQL server, over TCP on the clients' side. It can lose the reply to a write that the server has
/// done (and the connection with it), let a connection look alive and pass nothing back, and cut.
/// </summary>
internal sealed class PostgresProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly EndPoint _server;
    private readonly ConcurrentDictionary<ProxiedConnection, byte> _open = new();
    private readonly Task _accepting;
    private readonly Random _random;
    private int _armed;
    private int _lost;
    private double _share;

    /// <param name="seed">Decides which replies are lost where a share of them is.</param>
    public PostgresProxy(string connectionString, int seed = 0)
    {
        _random = new(seed);
        var direct = new NpgsqlConnectionStringBuilder(connectionString);
        _server = direct.Host!.StartsWith('/') ? new UnixDomainSocketEndPoint($"{direct.Host}/.s.PGSQL.{direct.Port}") : new IPEndPoint(IPAddress.Parse(direct.Host), direct.Port);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Writes whose reply was lost.</summary>
    public int Lost => Volatile.Read(ref _lost);

    /// <summary>The reply to the next commit is lost.</summary>
    public void LoseNextCommitReply() => Volatile.Write(ref _armed, 1);

    /// <summary>From now on this share of the replies to writes is lost, committed or by themselves.</summary>
    public void LoseReplies(double share) => Volatile.Write(ref _share, share);

    /// <summary>
    /// From now on those open connections that have sent a text pass nothing back to their client and are not closed: half-open. Returns
    /// how many there are.
    /// </summary>
    public int Freeze(string text)
    {
        var some = _open.Keys.Where(c => c.HasSent(text)).ToList();
        foreach (var connection in some) connection.Frozen = true;
        return some.Count;
    }

    private bool LosesReply(ReadOnlySpan<byte> reply)
    {
        var commit = ServerReply.Tells(reply, "COMMIT"u8);
        if (commit && Interlocked.Exchange(ref _armed, 0) == 1) return Lose();
        if (!commit && !ServerReply.TellsOfWrite(reply)) return false;
        lock (_random) if (_random.NextDouble() >= Volatile.Read(ref _share)) return false;
        return Lose();
    }

    private bool Lose()
    {
        Interlocked.Increment(ref _lost);
        return true;
    }

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
        using var socket = new Socket(_server.AddressFamily, SocketType.Stream, _server.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        var connection = new ProxiedConnection(LosesReply);
        try
        {
            await socket.ConnectAsync(_server, _stop.Token);
            await using var server = new NetworkStream(socket);
            _open.TryAdd(connection, 0);
            await connection.RunAsync(client.GetStream(), server, _stop.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side went away: so does the other.
            return;
        }
        finally
        {
            _open.TryRemove(connection, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }
}

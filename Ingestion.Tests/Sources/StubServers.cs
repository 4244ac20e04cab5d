using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Ingestion.Tests.Sources;

/// <summary>A web server on a free loopback port that answers everything with one delegate and remembers what it was asked.</summary>
internal sealed class StubServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<(string Path, IHeaderDictionary Headers)> _requests = [];

    private StubServer(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.Single()).Port;

    public string Target => $"127.0.0.1:{Port}";

    public IReadOnlyList<(string Path, IHeaderDictionary Headers)> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public Uri Url(string path = "/") => new($"http://{Target}{path}");

    public static async Task<StubServer> StartAsync(RequestDelegate answer, Action<ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.AllowSynchronousIO = true;
            k.Listen(IPAddress.Loopback, 0, listen ?? (_ => { }));
        });
        var app = builder.Build();
        var server = new StubServer(app);
        app.Run(async context =>
        {
            lock (server._requests)
                server._requests.Add((context.Request.Path + context.Request.QueryString, new HeaderDictionary(context.Request.Headers.ToDictionary())));
            await answer(context);
        });
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}

/// <summary>A TCP server on a free loopback port that reads one request per connection and then writes whatever bytes it is told to.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _connections;

    /// <param name="at">Where it listens; null for a free port of loopback.</param>
    public RawServer(Func<Socket, CancellationToken, Task> answer, IPEndPoint? at = null)
    {
        _listener = new(at ?? new(IPAddress.Loopback, 0));
        _listener.Start();
        _accepting = AcceptAsync(answer);
    }

    public RawServer(string answer, IPEndPoint? at = null)
        : this((socket, ct) => socket.SendAsync(Encoding.Latin1.GetBytes(answer), ct).AsTask(), at)
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Target => $"127.0.0.1:{Port}";

    public Uri Url => new($"http://{Target}/");

    /// <summary>Connections accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    private async Task AcceptAsync(Func<Socket, CancellationToken, Task> answer)
    {
        var running = new List<Task>();
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                running.Add(ServeAsync(socket, answer));
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        await Task.WhenAll(running);
    }

    private async Task ServeAsync(Socket socket, Func<Socket, CancellationToken, Task> answer)
    {
        using (socket)
        {
            try
            {
                var buffer = new byte[16 * 1024];
                var request = new StringBuilder();
                while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    var count = await socket.ReceiveAsync(buffer, _stop.Token);
                    if (count == 0)
                        return;
                    request.Append(Encoding.Latin1.GetString(buffer, 0, count));
                }
                await answer(socket, _stop.Token);
                socket.Shutdown(SocketShutdown.Send);
                while (await socket.ReceiveAsync(buffer, _stop.Token) > 0)
                {
                    // until the client has gone as well
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                // One side broke off, as many of these tests want it to.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }
}

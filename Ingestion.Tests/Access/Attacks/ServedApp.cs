using System.Net;
using System.Net.Sockets;
using System.Text;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>The whole program on a real socket of loopback, where what only the real server does can be seen.</summary>
public sealed class ServedApp : IAsyncLifetime
{
    private readonly AdminApp _app = new();
    private WebApplicationFactory<Program> _served = null!;

    public IServiceProvider Services => _served.Services;

    public int Port => _served.ClientOptions.BaseAddress.Port;

    /// <summary>What requests name as their host.</summary>
    public string Host => $"localhost:{Port}";

    internal People People => new(Services);

    public Task InitializeAsync()
    {
        _served = _app.WithWebHostBuilder(b =>
        {
            foreach (var limit in new[] { "SignIns", "Batches", "Uploads", "Searches", "Sockets" }) b.UseSetting($"Ingestion:Limits:{limit}PerMinute", "0");
            b.UseSetting("Ingestion:Limits:OpenSockets", "3");
            // Nothing here changes by itself while a test looks at it.
            b.UseSetting("Ingestion:Role", "Web");
        });
        _served.UseKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _served.StartServer();
        return Task.CompletedTask;
    }

    /// <summary>A client of its own connections; redirects are shown as they are.</summary>
    public HttpClient Client(string? key = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new($"http://{Host}") };
        if (key is not null) client.DefaultRequestHeaders.Add("X-Api-Key", key);
        return client;
    }

    /// <summary>Sends bytes as they are and reads until the server closes or is silent for a while; what came back.</summary>
    public async Task<string> RawAsync(string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        var answer = new StringBuilder();
        var buffer = new byte[16 * 1024];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var count) answer.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // A server that refuses may also close hard; what was read until then is what it said.
        }
        return answer.ToString();
    }

    public async Task DisposeAsync()
    {
        await _served.DisposeAsync();
        await _app.DisposeAsync();
    }
}

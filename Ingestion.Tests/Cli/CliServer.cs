using Ingestion.Admin.Cli;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Ingestion.Tests.Cli;

/// <summary>The whole program on a port of loopback, for commands that are its clients.</summary>
public sealed class CliServer : IAsyncLifetime
{
    private readonly AdminApp _base = new();
    private WebApplicationFactory<Program> _app = null!;

    public string Address { get; private set; } = "";

    public Task InitializeAsync()
    {
        _app = _base.WithWebHostBuilder(b => b.UseSetting("Ingestion:Limits:BatchesPerMinute", "0"));
        _app.UseKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0));
        _app.StartServer();
        Address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _base.DisposeAsync();
    }

    /// <summary>Runs a command against this server, its output in a pipe.</summary>
    public Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => LineAsync([.. args, "--server", Address, "--key", AdminApp.Key]);

    /// <summary>Runs a command as it stands.</summary>
    public static async Task<(int Code, string Output, string Error)> LineAsync(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await new CommandLine((_, _) => Task.FromResult(0)).AddClient().RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}

using Ingestion.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>
/// Prints the one line a newcomer needs once the server listens; a process without pages says where its health is asked. Written to the
/// console itself: a log may be shipped elsewhere.
/// </summary>
internal sealed class SignInAnnouncement(SignInLinks links, IServer server, IOptions<IngestionOptions> options) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        Console.WriteLine(options.Value.RunsWeb
            ? $"Ingestion is ready. Sign in once with {SignInLinks.Address(Port(), links.Issue())}"
            : $"Ingestion is ready. This worker answers http://localhost:{Port()}/health");
        return Task.CompletedTask;
    }

    // The address tells the real port where the setting left the choice to the system.
    private int Port() =>
        server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } address && Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? uri.Port
            : options.Value.Port;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

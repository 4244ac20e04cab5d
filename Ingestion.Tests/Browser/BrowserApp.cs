using System.Net;
using Ingestion.Admin.Access;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace Ingestion.Tests.Browser;

/// <summary>The whole program on a free loopback port, and a browser that has signed in. What the browser complains of is kept.</summary>
internal sealed class BrowserApp : IAsyncDisposable
{
    /// <summary>How long the browser waits for something to show; the machine may be busy.</summary>
    public const float Patience = 60_000;

    private readonly AdminApp _app;
    private readonly WebApplicationFactory<Program> _served;
    private readonly BrowserWindow _window;

    private BrowserApp(AdminApp app, WebApplicationFactory<Program> served, BrowserWindow window) => (_app, _served, _window) = (app, served, window);

    public IPage Page => _window.Page;

    public IServiceProvider Services => _served.Services;

    /// <summary>Errors that pages wrote to the console, but for those of answers that tests provoke.</summary>
    public IList<string> Complaints { get; } = [];

    public static async Task<BrowserApp> StartAsync(params (string Key, string Value)[] settings)
    {
        var app = new AdminApp();
        var served = app.WithWebHostBuilder(builder =>
        {
            foreach (var (key, value) in settings) builder.UseSetting(key, value);
            builder.ConfigureTestServices(services => services.Configure<ParserPoolOptions>(o => o.Command = Parsing.WorkerProcess.Command));
        });
        served.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        served.StartServer();

        var started = new BrowserApp(app, served, await BrowserWindow.OpenAsync($"http://localhost:{served.ClientOptions.BaseAddress.Port}"));
        started.Page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("Failed to load resource", StringComparison.Ordinal)) started.Complaints.Add(message.Text);
        };
        await started.Page.GotoAsync("/sign-in?token=" + served.Services.GetRequiredService<SignInLinks>().Issue());
        return started;
    }

    /// <summary>Opens a page and waits until it answers clicks.</summary>
    public Task OpenAsync(string address) => _window.OpenAsync(address);

    public Task ReadyAsync() => _window.ReadyAsync();

    /// <summary>Submits addresses and returns the batch's id.</summary>
    public Task<string> SubmitAsync(string name, params string[] urls) => SubmitAsync(name, autoStart: true, urls);

    public async Task<string> SubmitAsync(string name, bool autoStart, params string[] urls) => (await Services.GetRequiredService<Submission>().SubmitAsync(
        PipelineHost.Actor, new(name) { AutoStart = autoStart, Urls = [.. urls.Select(u => new UrlEntry(u))] }, null, CancellationToken.None)).PublicId;

    /// <summary>Drops files and folders of this machine onto an element, as a hand would.</summary>
    public async Task DropAsync(ILocator target, params string[] paths)
    {
        await target.ScrollIntoViewIfNeededAsync();
        var box = await target.BoundingBoxAsync() ?? throw new InvalidOperationException("The target is not shown.");
        var session = await Page.Context.NewCDPSessionAsync(Page);
        foreach (var type in new[] { "dragEnter", "dragOver", "drop" })
        {
            await session.SendAsync("Input.dispatchDragEvent", new()
            {
                ["type"] = type, ["x"] = box.X + box.Width / 2, ["y"] = box.Y + box.Height / 2,
                ["data"] = new { items = Array.Empty<object>(), files = paths, dragOperationsMask = 1 },
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _window.DisposeAsync();
        await _served.DisposeAsync();
        await _app.DisposeAsync();
    }
}

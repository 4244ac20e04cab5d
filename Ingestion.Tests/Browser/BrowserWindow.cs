using Microsoft.Playwright;

namespace Ingestion.Tests.Browser;

/// <summary>A window of the browser with one page, for programs that run in a process of their own.</summary>
internal sealed class BrowserWindow : IAsyncDisposable
{
    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static IPlaywright? playwright;
    private static IBrowser? browser;
    private readonly IBrowserContext _context;

    private BrowserWindow(IBrowserContext context, IPage page) => (_context, Page) = (context, page);

    public IPage Page { get; }

    /// <param name="baseAddress">What addresses of pages are relative to; null where they are whole.</param>
    public static async Task<BrowserWindow> OpenAsync(string? baseAddress = null, float patience = BrowserApp.Patience)
    {
        var context = await (await BrowserAsync()).NewContextAsync(new() { BaseURL = baseAddress, ViewportSize = new() { Width = 1400, Height = 900 } });
        context.SetDefaultTimeout(patience);
        Assertions.SetDefaultExpectTimeout(patience);
        return new(context, await context.NewPageAsync());
    }

    // One for all tests, which share nothing in it: each has a context of its own. It ends with the driver, and the driver with this process.
    private static async Task<IBrowser> BrowserAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (browser is { IsConnected: true }) return browser;
            playwright ??= await Playwright.CreateAsync();
            return browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFactAttribute.Chromium, Args = Arguments });
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Opens a page and waits until it answers clicks.</summary>
    public async Task OpenAsync(string address)
    {
        await Page.GotoAsync(address);
        await ReadyAsync();
    }

    public Task ReadyAsync() => Assertions.Expect(Page.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}

using Microsoft.Playwright;

namespace Ingestion.Tests.Browser;

/// <summary>A browser with one page, for programs that run in a process of their own.</summary>
internal sealed class BrowserWindow : IAsyncDisposable
{
    private static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private BrowserWindow(IPlaywright playwright, IBrowser browser, IPage page) => (_playwright, _browser, Page) = (playwright, browser, page);

    public IPage Page { get; }

    /// <param name="baseAddress">What addresses of pages are relative to; null where they are whole.</param>
    public static async Task<BrowserWindow> OpenAsync(string? baseAddress = null, float patience = BrowserApp.Patience)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = BrowserFactAttribute.Chromium, Args = Arguments });
        var context = await browser.NewContextAsync(new() { BaseURL = baseAddress, ViewportSize = new() { Width = 1400, Height = 900 } });
        context.SetDefaultTimeout(patience);
        Assertions.SetDefaultExpectTimeout(patience);
        return new(playwright, browser, await context.NewPageAsync());
    }

    /// <summary>Opens a page and waits until it answers clicks.</summary>
    public async Task OpenAsync(string address)
    {
        await Page.GotoAsync(address);
        await ReadyAsync();
    }

    public Task ReadyAsync() => Assertions.Expect(Page.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}

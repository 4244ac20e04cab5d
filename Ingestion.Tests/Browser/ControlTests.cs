using System.Globalization;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

/// <summary>What a person asks of a batch on its page, before a real browser, and over a restart of the real program.</summary>
[Collection(RunningProgram.Name)]
public sealed class ControlTests
{
    private const int Pages = 60;
    private const int Answered = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [BrowserFact]
    public async Task A_paused_batch_is_still_paused_after_a_restart_and_goes_on_when_it_is_resumed()
    {
        await using var site = await FixtureHost.StartAsync();
        // All but the first few wait until the button is pressed.
        using var pages = new SemaphoreSlim(Answered);
        site.Otherwise = async context =>
        {
            await pages.WaitAsync(context.RequestAborted);
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync(FixtureHost.PageOf(context.Request.Path), context.RequestAborted);
        };
        using var data = new TemporaryDirectory("restart-").Traversable();
        (string, string)[] settings = [("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"), ("Logging:LogLevel:Default", "Warning")];
        string batch;
        await using var window = await BrowserWindow.OpenAsync();
        var page = window.Page;
        await using (var app = await AppProcess.StartAsync(data.Path, settings))
        {
            batch = await app.SubmitAsync(new { name = "Slow pages", urls = Enumerable.Range(1, Pages).Select(i => site.Url(string.Create(CultureInfo.InvariantCulture, $"/{i}")).ToString()) });
            await page.GotoAsync(app.SignInLink);
            await window.OpenAsync($"{app.Client.BaseAddress}batches/{batch}");
            await page.Locator("[data-act=Pause]").ClickAsync();
            pages.Release(Pages);
            await Expect(page.Locator("h1 .badge")).ToContainTextAsync("Paused");
            await Expect(page.GetByTestId("batch-sentence")).ToContainTextAsync("Paused:");
        }

        var before = site.AllRequests;
        await using var again = await AppProcess.StartAsync(data.Path, settings);
        await page.GotoAsync(again.SignInLink);
        await window.OpenAsync($"{again.Client.BaseAddress}batches/{batch}");
        await Expect(page.Locator("h1 .badge")).ToContainTextAsync("Paused");
        (await again.GetAsync($"/api/v1/batches/{batch}")).GetProperty("counts").GetProperty("running").GetInt32().ShouldBe(0);
        site.AllRequests.ShouldBe(before, "nothing was claimed while it was paused");

        await page.Locator("[data-act=Resume]").ClickAsync();
        await Expect(page.Locator("h1 .badge")).ToContainTextAsync("Completed", new() { Timeout = (float)Patience.TotalMilliseconds });
        (await again.GetAsync($"/api/v1/batches/{batch}")).GetProperty("counts").GetProperty("done").GetInt32().ShouldBe(Pages);
    }

    [BrowserFact]
    public async Task Failed_documents_run_again_with_another_chunk_size_and_what_is_cancelled_says_so()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Status("/gone", 404);
        site.Slow("/never", TimeSpan.FromMinutes(5));
        await using var app = await BrowserApp.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"));
        var page = app.Page;
        var batch = await app.SubmitAsync("Two pages", site.Url("/one").ToString(), site.Url("/gone").ToString());
        await app.OpenAsync($"/batches/{batch}/failures");
        await Expect(page.Locator(".failure-list h2")).ToContainTextAsync("1 × not_found");

        site.Text("/gone", FixtureHost.PageOf("/gone"));
        await page.GetByTestId("retry-group-options").ClickAsync();
        await page.Locator(".retry-form .option-field input").First.FillAsync("640");
        await page.GetByRole(AriaRole.Button, new() { Name = "Run again", Exact = true }).ClickAsync();
        await Expect(page.Locator("h1 .badge")).ToContainTextAsync("Completed");
        await Expect(page.Locator(".empty-state")).ToContainTextAsync("Nothing failed");
        await app.OpenAsync($"/batches/{batch}/settings");
        await Expect(page.Locator(".option-list")).ToContainTextAsync("640 characters");

        var endless = await app.SubmitAsync("An endless page", site.Url("/never").ToString());
        await app.OpenAsync($"/batches/{endless}");
        await page.Locator("[data-act=Cancel]").ClickAsync();
        await page.GetByTestId("act-reason").FillAsync("It never ends.");
        await page.GetByTestId("act-confirm").ClickAsync();
        await Expect(page.Locator("h1 .badge")).ToContainTextAsync("Cancelled");
        await app.OpenAsync($"/batches/{endless}/events");
        await Expect(page.Locator(".event-list")).ToContainTextAsync("A cancel was asked for by Owner: It never ends.");
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task What_one_tab_did_is_said_in_the_other()
    {
        await using var app = await BrowserApp.StartAsync();
        var batch = await app.SubmitAsync("Two tabs", autoStart: false, "http://127.0.0.1:1/");
        await app.OpenAsync($"/batches/{batch}");
        var second = await app.Page.Context.NewPageAsync();
        await second.GotoAsync($"/batches/{batch}");
        await Expect(second.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await second.Locator("[data-act=Cancel]").ClickAsync();

        // The second tab has the question open while the first one starts the batch, which then ends.
        await app.Page.Locator("[data-act=Start]").ClickAsync();
        await Expect(app.Page.Locator("h1 .badge")).ToContainTextAsync("Failed");
        await second.GetByTestId("act-confirm").ClickAsync();
        await Expect(second.Locator(".act-note")).ToContainTextAsync("The batch is failed already.");
        await Expect(second.Locator("h1 .badge")).ToContainTextAsync("Failed");
    }
}

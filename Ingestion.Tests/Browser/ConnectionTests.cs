using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

public sealed class ConnectionTests
{
    [BrowserFact]
    public async Task Connection_is_added_tested_scheduled_and_synced_and_shows_its_history()
    {
        using var files = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(files.Path, "guide.md"), "# Guide\n\nHow to read the guide.");
        await using var app = await BrowserApp.StartAsync(("Ingestion:Sources:Roots:0", files.Path));
        var page = app.Page;

        await app.OpenAsync("/connections");
        await page.GetByTestId("new-connection").ClickAsync();
        await Expect(page.Locator("#connection-kind")).ToBeEnabledAsync();
        await page.Locator("#connection-kind").SelectOptionAsync("local_directory");
        await page.Locator("#connection-name").FillAsync("Team papers");
        await Expect(page.Locator("#connection-key")).ToHaveValueAsync("team-papers");
        await page.Locator("#field-path").FillAsync("/etc");
        await page.GetByTestId("create-connection").ClickAsync();

        // Made and tested: what is wrong stands there in words, and is put right under the settings.
        await Expect(page.Locator(".error-note")).ToContainTextAsync("Ingestion:Sources:Roots");
        await page.Locator("nav.tabs a", new() { HasText = "Settings" }).ClickAsync();
        await page.Locator("#field-path").FillAsync(files.Path);
        await page.GetByTestId("save-connection").ClickAsync();
        await Expect(page.Locator(".act-note").Last).ToContainTextAsync("saved");
        await page.GetByTestId("test-connection").ClickAsync();
        await Expect(page.Locator(".act-note").First).ToContainTextAsync("The connection works.");

        await page.Locator("nav.tabs a", new() { HasText = "Schedule" }).ClickAsync();
        await page.Locator("#schedule-cron").FillAsync("nonsense");
        await page.GetByTestId("save-schedule").ClickAsync();
        await Expect(page.Locator(".field-problem")).ToContainTextAsync("five fields");
        await page.Locator("#schedule-cron").FillAsync("30 2 * * *");
        await page.GetByTestId("save-schedule").ClickAsync();
        await Expect(page.Locator(".act-note").Last).ToContainTextAsync("The schedule is saved.");

        await page.GetByTestId("sync-now").ClickAsync();
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/batches/job_", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(page.GetByText("Directory: team-papers")).ToBeVisibleAsync();
        await app.OpenAsync("/connections/team-papers");
        await Expect(page.GetByTestId("sync-runs")).ToContainTextAsync("into default");
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Wizard_takes_a_connection_and_a_site_into_a_draft()
    {
        using var files = new TemporaryDirectory();
        await using var app = await BrowserApp.StartAsync(("Ingestion:Sources:Roots:0", files.Path));
        await ((Core.Sources.SourceConnections)app.Services.GetService(typeof(Core.Sources.SourceConnections))!).CreateAsync(
            new("default", "administrator"), new("local_directory", "papers", "Papers", System.Text.Json.JsonSerializer.SerializeToElement(new { path = files.Path })), CancellationToken.None);
        var page = app.Page;
        await app.OpenAsync("/new");
        await page.GetByTestId("source-papers").CheckAsync();
        await Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/new/job_", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        await page.GetByTestId("site-address").FillAsync("docs.example.org");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.Locator("#site-address-error")).ToContainTextAsync("http or https");
        await page.GetByTestId("site-address").FillAsync("https://docs.example.org/");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Remove https://docs.example.org/" })).ToBeVisibleAsync();
        await page.GetByTestId("source-kind").SelectOptionAsync("feed");
        await page.GetByTestId("site-address").FillAsync("https://docs.example.org/news.xml");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Remove https://docs.example.org/news.xml" })).ToBeVisibleAsync();
        // What is plainly a video is none of a site's pages.
        await page.GetByTestId("source-kind").SelectOptionAsync("site");
        await page.GetByTestId("site-address").FillAsync("https://youtu.be/dQw4w9WgXcQ");
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Remove https://youtu.be/dQw4w9WgXcQ" })).ToBeVisibleAsync();
        await app.OpenAsync(new Uri(page.Url).AbsolutePath + "?step=plan");
        await Expect(page.GetByTestId("plan")).ToContainTextAsync("4 sources are listed once the batch runs");
        (await app.Services.GetRequiredService<Core.Data.Database>().Worker.QueryAsync<string>("SELECT source_type FROM ingestion.import_input ORDER BY 1")).ShouldBe(["feed", "local_directory", "site", "youtube"]);
        await Expect(page.GetByTestId("plan-obstacles")).ToHaveCountAsync(0);
        app.Complaints.ShouldBeEmpty();
    }
}

using System.Globalization;
using System.Net;
using System.Text;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using Shouldly;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

public sealed class NewBatchTests
{
    private const int Files = 300;
    private const string Sentence = "The lighthouse keeper of Valsund counts puffins every second Thursday";

    [BrowserFact]
    public async Task Three_hundred_files_addresses_and_a_manifest_become_searchable_before_ones_eyes()
    {
        await using var site = await FixtureHost.StartAsync();
        var recovered = false;
        site.On("/late", context =>
        {
            if (Volatile.Read(ref recovered)) return WriteAsync(context, FixtureHost.PageOf("/late"));
            context.Response.StatusCode = (int)HttpStatusCode.NotFound;
            return Task.CompletedTask;
        });
        using var folder = new TemporaryDirectory("drop-");
        WriteFiles(folder.Path);
        await using var app = await BrowserApp.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"), ("Ingestion:Processing:QualityThreshold", "0"), ("Ingestion:Processing:MaxWorkers", "16"));
        var page = app.Page;

        await app.OpenAsync("/new");
        await app.DropAsync(page.GetByTestId("drop-zone"), Directory.GetFileSystemEntries(folder.Path));
        await Expect(page.GetByTestId("upload-sum")).ToContainTextAsync($"{Files} of {Files} files uploaded");
        new Uri(page.Url).AbsolutePath.ShouldStartWith("/new/job_");

        await page.GetByTestId("addresses").FillAsync(string.Join('\n', Enumerable.Range(1, 4).Select(i => site.Url($"/page/{i}").ToString()).Append(site.Url("/late").ToString())));
        await Expect(page.GetByTestId("addresses-sum")).ToContainTextAsync("5 addresses");
        await page.GetByTestId("pick-manifest").SetInputFilesAsync(new FilePayload { Name = "songs.csv", MimeType = "text/csv", Buffer = Encoding.UTF8.GetBytes($"Krithi,Raga,Hyperlink\nEndaro,Sri,{site.Url("/songs/1")}\nVatapi,Hamsadhvani,{site.Url("/songs/2")}\n") });
        await Expect(page.GetByTestId("manifest-rows")).ToHaveTextAsync("2 rows");

        // What was put in survives a reload.
        await page.ReloadAsync();
        await app.ReadyAsync();
        await Expect(page.GetByTestId("upload-sum")).ToContainTextAsync($"{Files} of {Files} files uploaded");
        await Expect(page.GetByTestId("addresses")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("/late$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));

        await page.GetByTestId("next-step").ClickAsync();
        await page.Locator("#chunk-size").FillAsync("800");
        await page.GetByTestId("next-step").ClickAsync();
        await Expect(page.GetByTestId("plan-total")).ToContainTextAsync($"{Files + 7} documents");
        await page.GetByTestId("start-batch").ClickAsync();

        await page.WaitForURLAsync("**/batches/job_*");
        await page.EvaluateAsync("window.neverReloaded = true");
        await Expect(page.Locator(".overview-card")).ToContainTextAsync($"Ingested {Files + 7}/{Files + 7}", new() { Timeout = 3 * BrowserApp.Patience });
        await Expect(page.Locator(".page-header")).ToContainTextAsync("Completed");
        var retry = page.Locator("[data-act=Retry]");
        await Expect(retry).ToBeVisibleAsync();

        Volatile.Write(ref recovered, true);
        await retry.ClickAsync();
        await Expect(page.Locator(".overview-card")).ToContainTextAsync($"{Files + 7} published");
        (await page.EvaluateAsync<bool>("window.neverReloaded")).ShouldBeTrue();

        await page.Locator("#global-search").FillAsync(Sentence);
        await page.Locator("#global-search").PressAsync("Enter");
        await Expect(page.GetByTestId("search-hit").First).ToContainTextAsync("lighthouse keeper of Valsund");
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Connection_that_fails_is_tried_again_and_one_file_fails_alone()
    {
        using var folder = new TemporaryDirectory("drop-");
        foreach (var name in new[] { "a.txt", "b.txt", "c.txt" }) await File.WriteAllTextAsync(Path.Combine(folder.Path, name), $"The text of {name}.");
        await using var app = await BrowserApp.StartAsync();
        var page = app.Page;
        var broken = 0;
        await page.RouteAsync("**/api/v1/uploads/file?path=a.txt*", async route =>
        {
            if (Interlocked.Increment(ref broken) == 1) await route.AbortAsync();
            else await route.ContinueAsync();
        });
        await page.RouteAsync("**/api/v1/uploads/file?path=b.txt*", route => route.FulfillAsync(new() { Status = 400, ContentType = "application/json", Body = """{"detail":"No."}""" }));
        await page.RouteAsync("**/api/v1/uploads", async route =>
        {
            if (route.Request.PostData?.Contains("b.txt", StringComparison.Ordinal) == true) await route.FulfillAsync(new() { Status = 400, ContentType = "application/json", Body = """{"detail":"No such luck."}""" });
            else await route.ContinueAsync();
        });

        await app.OpenAsync("/new");
        await app.DropAsync(page.GetByTestId("drop-zone"), Directory.GetFiles(folder.Path));
        await Expect(page.GetByTestId("upload-sum")).ToContainTextAsync("2 of 3 files uploaded");
        await Expect(page.Locator("[data-testid=file-row][data-state=failed]")).ToContainTextAsync("No such luck.");

        await page.UnrouteAllAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Try 1 failed file again" }).ClickAsync();
        await Expect(page.GetByTestId("upload-sum")).ToContainTextAsync("3 of 3 files uploaded");
    }

    private static void WriteFiles(string folder)
    {
        for (var i = 0; i < Files; i++)
        {
            var directory = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"part{i % 3}"), "inner")).FullName;
            var text = i == 123 ? Sentence : $"Document {i} tells of {FixtureHost.WordOf($"/{i}")} and of nothing else";
            var (extension, content) = (i % 3) switch
            {
                0 => (".md", $"# Chapter {i}\n\n{text}.\n"),
                1 => (".txt", $"{text}.\n"),
                _ => (".csv", $"number,text\n{i},{text}\n"),
            };
            File.WriteAllText(Path.Combine(directory, $"document {i}{extension}"), content);
        }
    }

    private static Task WriteAsync(HttpContext context, string page)
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync(page);
    }
}

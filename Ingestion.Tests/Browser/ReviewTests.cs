using System.Globalization;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Access;
using Ingestion.Tests.Review;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Shouldly;
using Xunit;
using Xunit.Abstractions;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

/// <summary>A queue worked off with the keyboard alone, before a real browser.</summary>
public sealed class ReviewTests(ITestOutputHelper output)
{
    private const int Documents = 50;
    private const int ByHand = 36;

    private static readonly RecordType Song = new("song",
        [new("title", FieldKind.Text, [new(FieldSource.Name)], Required: true), new("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga")], "raga"), new("tala", FieldKind.Entity, [new(FieldSource.Column, "Tala")], "tala")]);

    [BrowserFact]
    public async Task Fifty_documents_are_decided_with_the_keyboard_one_is_taken_back_two_people_meet_and_the_rest_goes_at_once()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var app = await BrowserApp.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"));
        var worker = app.Services.GetRequiredService<Database>().Worker;
        await SubmitAsync(app, site);
        await Eventually.IsAsync(async () => await CountAsync(worker, "open") == Documents, "every document waits for a person", 120);
        var page = app.Page;

        // g r: the queue, with its number beside it and its reasons as chips.
        await app.OpenAsync("/");
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("r");
        await Expect(page.Locator("tr[data-review]")).ToHaveCountAsync(Documents);
        await Expect(page.GetByTestId("review-count")).ToHaveTextAsync("50");
        await Expect(page.Locator("[data-reason=uncertain] .tab-count")).ToHaveTextAsync("50");

        // j to the first row, Enter opens it; 1 chooses the first candidate of the field that asks.
        await page.Keyboard.PressAsync("j");
        await Expect(page.Locator("tr[aria-current]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByTestId("place")).ToHaveTextAsync("1 of 50");
        await Expect(page.Locator(".document-text")).ToContainTextAsync("sung slowly in the evening");
        await page.Keyboard.PressAsync("1");
        await Expect(page.Locator("[data-field=raga]")).ToContainTextAsync("Chosen");
        // The other field is in hand then; e goes round; s looks for another entity of its list.
        await Expect(page.Locator("[data-field=tala][aria-current]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("e");
        await Expect(page.Locator("[data-field=raga][aria-current]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("e");
        await Expect(page.Locator("[data-field=tala][aria-current]")).ToHaveCountAsync(1);
        await page.Keyboard.PressAsync("s");
        await page.GetByTestId("entity-text").FillAsync("rupak");
        await Expect(page.Locator("[data-entity=rupakam]")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-field=tala]")).ToContainTextAsync("Rūpakam");

        var last = "";
        for (var i = 1; i <= ByHand; i++)
        {
            await Expect(page.Locator("[data-act=approve]")).ToBeEnabledAsync();
            last = await NameAsync(page);
            await DecideAsync(page, i);
            await Expect(page.Locator("h1")).Not.ToContainTextAsync(last);
        }
        (await CountAsync(worker, "rejected"), await CountAsync(worker, "approved")).ShouldBe((4, ByHand - 4 - 3));

        // z: back to the last one, open as before; decided again.
        await page.Keyboard.PressAsync("z");
        await Expect(page.Locator("h1")).ToContainTextAsync(last);
        await Expect(page.Locator("[data-act=approve]")).ToBeEnabledAsync();
        (await CountAsync(worker, "open")).ShouldBe(Documents - ByHand + 3 + 1);
        await page.Keyboard.PressAsync("a");
        await Expect(page.Locator("h1")).Not.ToContainTextAsync(last);

        await TwoMeetAsync(app, page, await NameAsync(page));
        await RestAsync(app, page, worker);

        await Eventually.IsAsync(async () => (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state IN ('ready', 'running', 'blocked')")).Single() == 0, "what was approved is published", 120);
        (await Rows.ProblemsAsync(worker)).ShouldBeEmpty();
        app.Complaints.ShouldBeEmpty();
        var decisions = await worker.QueryAsync<string>("SELECT action || ' ' || count(*) FROM ingestion.review_decision GROUP BY action ORDER BY action");
        output.WriteLine(string.Join(", ", decisions));
    }

    // Every ninth is rejected, three are left to others, the rest is approved.
    private static async Task DecideAsync(IPage page, int i)
    {
        if (i % 9 == 0)
        {
            await page.Keyboard.PressAsync("r");
            await Expect(page.GetByTestId("reason")).ToBeFocusedAsync();
            await page.Keyboard.TypeAsync("Not ours");
            await page.Keyboard.PressAsync("Enter");
        }
        else if (i % 10 == 0)
        {
            await page.Keyboard.PressAsync("u");
            await Expect(page.GetByTestId("reason")).ToBeFocusedAsync();
            await page.Keyboard.PressAsync("Enter");
        }
        else
        {
            await page.Keyboard.PressAsync("a");
        }
    }

    private static async Task TwoMeetAsync(BrowserApp app, IPage page, string name)
    {
        var bea = await new People(app.Services).MakeAsync(Role.Reviewer);
        await using var others = await page.Context.Browser!.NewContextAsync(new() { BaseURL = new Uri(page.Url).GetLeftPart(UriPartial.Authority), ViewportSize = new() { Width = 1400, Height = 900 } });
        others.SetDefaultTimeout(BrowserApp.Patience);
        await others.AddCookiesAsync([new() { Name = "ingestion", Value = bea.Session, Url = new Uri(page.Url).GetLeftPart(UriPartial.Authority) }]);
        var beas = await others.NewPageAsync();
        await beas.GotoAsync(new Uri(page.Url).PathAndQuery);
        await Expect(beas.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await Expect(beas.Locator("h1")).ToContainTextAsync(name);

        await beas.Keyboard.PressAsync("a");
        await Expect(beas.Locator("h1")).Not.ToContainTextAsync(name);
        // Told at once what she did; deciding all the same does nothing and says so, with both ways on.
        await Expect(page.GetByTestId("conflict")).ToContainTextAsync("approved it");
        await page.Keyboard.PressAsync("r");
        await page.GetByTestId("reason").FillAsync("A copy");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByTestId("conflict")).ToContainTextAsync("You wanted to: reject.");
        await page.Locator("[data-act=do-mine]").PressAsync("Enter");
        await Expect(page.Locator("h1")).Not.ToContainTextAsync(name);
    }

    private static async Task RestAsync(BrowserApp app, IPage page, Npgsql.NpgsqlDataSource worker)
    {
        await app.OpenAsync("/review");
        var left = await CountAsync(worker, "open");
        await page.GetByTestId("bulk-approve").PressAsync("Enter");
        var dialog = page.GetByTestId("bulk-dialog");
        await Expect(dialog).ToContainTextAsync(string.Create(CultureInfo.InvariantCulture, $"{left} documents"));
        await Expect(dialog).ToContainTextAsync("Somebody was unsure of 3.");
        await Expect(dialog).ToContainTextAsync("Least sure");
        await Expect(dialog.Locator(".spread-list")).ToContainTextAsync("title");
        await page.GetByTestId("bulk-confirm").PressAsync("Enter");
        await Expect(page.GetByTestId("bulk-progress")).ToHaveAttributeAsync("data-state", "done");
        await Expect(page.GetByTestId("bulk-progress")).ToContainTextAsync(string.Create(CultureInfo.InvariantCulture, $"{left} approved."));
        await page.GetByTestId("bulk-close").PressAsync("Enter");
        await Expect(page.GetByText("Nothing waits for you")).ToBeVisibleAsync();
        (await CountAsync(worker, "open")).ShouldBe(0);
    }

    private static async Task SubmitAsync(BrowserApp app, FixtureHost site)
    {
        await app.Services.GetRequiredService<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        var lists = app.Services.GetRequiredService<ReferenceLists>();
        // A spelling that somebody entered as a guess is offered and never decides.
        await lists.LoadAsync(PipelineHost.Actor, "default", "raga", [new ReferenceEntity("kalyani", "Kalyāni") with { Aliases = [new("kalyaan", 0.5)] }, new("todi", "Todi"), new("mohanam", "Mohanam")], null, CancellationToken.None);
        await lists.LoadAsync(PipelineHost.Actor, "default", "tala", [new("adi", "Ādi"), new("rupakam", "Rūpakam")], null, CancellationToken.None);
        var urls = new List<UrlEntry>();
        for (var i = 1; i <= Documents; i++)
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/{i:00}.md");
            site.Text(path, string.Create(CultureInfo.InvariantCulture, $"# {Name(i)}\n\nThe words of song {i}, sung slowly in the evening by whoever knows them.\n"), "text/markdown");
            urls.Add(new(site.Url(path).AbsoluteUri, Name(i), new Dictionary<string, string> { ["Raga"] = "kalyaan", ["Tala"] = "Adi" }));
        }
        await app.Services.GetRequiredService<Submission>().SubmitAsync(PipelineHost.Actor, new("Fifty songs") { Urls = urls }, null, CancellationToken.None);
    }

    // The heading holds the state behind the name.
    private static async Task<string> NameAsync(IPage page) => (await page.Locator("h1").TextContentAsync())!.Trim()[..Name(1).Length];

    private static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"Song {i:00}");

    private static async Task<long> CountAsync(Npgsql.NpgsqlDataSource worker, string state) => (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.review_item WHERE state = $1", state)).Single();
}

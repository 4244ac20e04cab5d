using AngleSharp.Dom;
using Bunit;
using Ingestion.Admin.Access;
using Ingestion.Admin.Components.Pages.Sources;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components;
using Radzen.Blazor;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

/// <summary>The hosts that were asked, and the page of one with its rate.</summary>
public sealed class HostPagesTests : LivePageTest
{
    private const string Host = "docs.example.org:443";

    [Fact]
    public async Task List_says_what_belongs_there_narrows_and_finds_nothing_in_words()
    {
        Go("/hosts");
        var page = Render<HostsPage>();
        page.WaitForAssertion(() => page.Find(".empty-state h2").TextContent.ShouldBe("No host was asked yet"), Deadline);
        page.Find(".empty-state a").GetAttribute("href").ShouldBe("/new");

        foreach (var host in new[] { Host, "wiki.example.org:443" }) await Worker.HostUsedAsync(host);
        Go("/hosts?page=1");
        page.WaitForAssertion(() => page.FindAll("tbody a").Select(a => a.TextContent).ShouldBe([Host, "wiki.example.org:443"], ignoreOrder: true), Deadline);
        Go("/hosts?q=wiki");
        page.WaitForAssertion(() => page.FindAll("tbody a").Select(a => a.GetAttribute("href")).ShouldBe(["/hosts/wiki.example.org%3A443"]), Deadline);
        page.FindAll("tbody td").Select(c => $"{c.GetAttribute("data-label")}: {c.TextContent}").Take(5).ShouldBe(["Rate: 120 a minute", "Waiting: 0", "Requests: 3", "Received: 4 KiB", "Last answer: answered 200"]);
        Go("/hosts?q=nobody");
        page.WaitForAssertion(() => page.Find(".empty-state h2").TextContent.ShouldBe("No host matches"), Deadline);
    }

    [Fact]
    public async Task Rate_is_lowered_raised_after_a_question_and_taken_back()
    {
        await Worker.HostUsedAsync(Host);
        var dialogs = Render<RadzenDialog>();
        var page = Open();
        page.FindAll("[data-testid=default-rate]").ShouldBeEmpty("it has no rate of its own");

        await SaveAsync(page, "0");
        page.Find(".field-problem").TextContent.ShouldBe("The rate is a whole number from 1 to 60,000.");
        (await BudgetsAsync()).ShouldBeEmpty();

        // Less is done at once.
        await SaveAsync(page, "30");
        page.WaitForAssertion(() => Rate(page).ShouldBe("30 a minute"), Deadline);
        page.Find(".act-note").TextContent.ShouldContain("It is asked at most 30 a minute.");
        page.Find(".field-problem").TextContent.ShouldBeEmpty();

        // More asks first, and a no changes nothing.
        foreach (var (answer, rate) in new[] { ("Keep the rate", "30 a minute"), ("Raise the rate", "90 a minute") })
        {
            var saving = SaveAsync(page, "90");
            await AnswerAsync(dialogs, "is asked 90 a minute instead of 30 a minute", answer);
            await saving.WaitAsync(Deadline);
            page.WaitForAssertion(() => Rate(page).ShouldBe(rate), Deadline);
        }
        (await BudgetsAsync()).ShouldBe([90]);

        var back = ClickAsync(page.Find("[data-testid=default-rate]"));
        await AnswerAsync(dialogs, "is asked 120 a minute instead of 90 a minute", "Raise the rate");
        await back.WaitAsync(Deadline);
        page.WaitForAssertion(() => Rate(page).ShouldBe("120 a minute"), Deadline);
        page.Find(".act-note").TextContent.ShouldContain("The default holds again.");
        page.Find("#host-rate").GetAttribute("value").ShouldBe("120");
        page.FindAll("[data-testid=default-rate]").ShouldBeEmpty();
        (await Worker.QueryAsync<string>("SELECT data ->> 'before' || ' ' || coalesce(data ->> 'after', 'default') FROM ingestion.audit_entry WHERE action = 'change_host_rate' AND data ->> 'before' IS NOT NULL ORDER BY id"))
            .ShouldBe(["30 90", "90 default"]);
    }

    [Fact]
    public async Task Page_tells_waits_and_requests_and_has_no_form_for_who_may_not_use_it()
    {
        await Worker.HostUsedAsync(Host);
        SignedIn = Caller.Of(new("somebody", "Somebody", Tenant.Default, Role.Operator, Owner: false, Narrowing.None), "test");
        var page = Open();
        page.Find("h1").TextContent.ShouldContain(Host);
        page.Find("[aria-label='Waits of the last hour'] tbody tr").TextContent.ShouldContain("Pause that robots.txt asks for");
        page.Find("[aria-label='Last requests'] tbody tr").TextContent.ShouldContain("/handbook.html");
        page.FindAll("#host-rate").ShouldBeEmpty();

        var missing = Render<HostPage>(p => p.Add(h => h.Host, "nobody.example:443"));
        missing.WaitForAssertion(() => missing.Find(".empty-state h1").TextContent.ShouldBe("There is no such host"), Deadline);
        missing.Find(".empty-state a").GetAttribute("href").ShouldBe("/hosts");
    }

    private Npgsql.NpgsqlDataSource Worker => Database.Worker;

    private IRenderedComponent<HostPage> Open()
    {
        SetRendererInfo(new RendererInfo("Server", true));
        var page = Render<HostPage>(p => p.Add(h => h.Host, Host));
        page.WaitForAssertion(() => page.Find(".fact-row"), Deadline);
        return page;
    }

    private async Task SaveAsync(IRenderedComponent<HostPage> page, string rate)
    {
        await TypeAsync(page.Find("#host-rate"), rate);
        await FireAsync(page.Find("form"), "onsubmit", new EventArgs());
    }

    private async Task AnswerAsync(IRenderedComponent<RadzenDialog> dialogs, string question, string answer)
    {
        dialogs.WaitForAssertion(() => dialogs.Markup.ShouldContain(question), Deadline);
        await ClickAsync(dialogs.FindAll(".dialog-actions button").Single(b => b.TextContent.Trim() == answer));
    }

    private Task<List<int>> BudgetsAsync() => Worker.QueryAsync<int>("SELECT requests_per_minute FROM ingestion.host_budget WHERE requests_per_minute IS NOT NULL");

    private static string Rate(IRenderedComponent<HostPage> page) => page.FindAll(".fact-row div").Single(d => d.QuerySelector("dt")!.TextContent == "Rate").QuerySelector("dd")!.TextContent;
}

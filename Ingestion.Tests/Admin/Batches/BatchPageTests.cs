using System.Security.Claims;
using Bunit;
using Ingestion.Admin.Access;
using Ingestion.Admin.Components.Pages.Batches;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

/// <summary>The page of a batch on a real database, without a browser.</summary>
public sealed class BatchPageTests : LivePageTest
{
    [Fact]
    public async Task Pausing_on_the_page_pauses_the_batch_and_says_who_did()
    {
        var batch = await SubmitAsync();
        var page = Open(batch.PublicId);
        page.Find(".overall").TextContent.ShouldContain("Downloading 0/2 · Ingested 0/2");

        await ClickAsync(Button(page, "Pause"));

        page.WaitForAssertion(() => page.Find("h1 .badge").TextContent.ShouldContain("Paused"), Deadline);
        Buttons(page).ShouldBe(["Cancel", "Resume"]);
        page.Find(".act-note").TextContent.ShouldStartWith("Paused.");
        await using var who = Database.Worker.CreateCommand("SELECT who FROM ingestion.audit_entry WHERE action = 'pause'");
        (await who.ExecuteScalarAsync()).ShouldBe(Caller.OfScheme("test").FindFirstValue(ClaimTypes.NameIdentifier));
    }

    [Fact]
    public async Task A_conflict_is_shown_as_it_comes_back_and_the_page_takes_the_true_state()
    {
        var batch = await SubmitAsync();
        var page = Open(batch.PublicId);
        (await Services.GetRequiredService<BatchControl>().CancelAsync(new("default", "other"), batch.BatchId, default)).Done.ShouldBeTrue();

        // The page still shows the button: nobody has told it yet, or it was just being pressed.
        if (page.FindAll("[data-act=Pause]") is [var pause, ..]) await ClickAsync(pause);

        page.WaitForAssertion(() => Buttons(page).ShouldBe(["Retry cancelled (2)"]), Deadline);
        page.Find("h1 .badge").TextContent.ShouldContain("Cancelled");
    }

    [Fact]
    public async Task What_another_does_appears_without_a_reload()
    {
        var batch = await SubmitAsync();
        var page = Open(batch.PublicId);
        (await Services.GetRequiredService<BatchControl>().PauseAsync(new("default", "other"), batch.BatchId, default)).Done.ShouldBeTrue();
        page.WaitForAssertion(() => page.Find("h1 .badge").TextContent.ShouldContain("Paused"), Deadline);
    }

    [Theory]
    [InlineData("job_0000000000000000", null)]
    [InlineData(null, "nonsense")]
    public async Task An_unknown_batch_or_tab_is_said_to_be_unknown(string? id, string? tab)
    {
        var batch = await SubmitAsync();
        var page = Render<BatchPage>(p => p.Add(b => b.PublicId, id ?? batch.PublicId).Add(b => b.Tab, tab));
        page.WaitForAssertion(() => page.Find("h1").TextContent.ShouldBe("There is no such batch"), Deadline);
    }

    private IRenderedComponent<BatchPage> Open(string id)
    {
        var page = Render<BatchPage>(p => p.Add(b => b.PublicId, id));
        page.WaitForElement(".overall", Deadline);
        return page;
    }

    private static List<string> Buttons(IRenderedComponent<BatchPage> page) => [.. page.FindAll("[data-act]").Select(b => b.TextContent.Trim())];

    private static AngleSharp.Dom.IElement Button(IRenderedComponent<BatchPage> page, string text) => page.FindAll("[data-act]").Single(b => b.TextContent.Trim() == text);

    private Task<Submitted> SubmitAsync() => Services.GetRequiredService<Submission>().SubmitAsync(
        new("default", "someone"), new("Two pages") { Urls = [new("https://a.example/1"), new("https://a.example/2")] }, null, default);
}

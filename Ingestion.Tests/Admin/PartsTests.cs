using Bunit;
using Ingestion.Admin.Components.Parts;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Radzen;
using Radzen.Blazor;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class PartsTests : ComponentTest
{
    [Theory]
    [InlineData("running", "running", "Running")]
    [InlineData("blocked", "person", "Needs review")]
    [InlineData("FAILED", "failed", "Failed")]
    [InlineData("novel", "waiting", "novel")]
    public void Badge_has_colour_icon_and_word(string state, string tone, string label)
    {
        var badge = Render<StateBadge>(p => p.Add(b => b.State, state)).Find(".badge");
        badge.ClassList.ShouldContain("tone-" + tone);
        badge.QuerySelector(".rzi")!.TextContent.ShouldNotBeEmpty();
        badge.TextContent.ShouldEndWith(label);
    }

    [Fact]
    public void Strip_counts_each_stage_for_itself()
    {
        var strip = Render<StageStrip>(p => p.Add(s => s.Stages,
        [
            new("Discovered", 1240, null, Active: true),
            new("Acquired", 310, 1240, Active: true),
            new("Parsed", 0, 1240, Failed: 3),
            new("Published", 5, 5),
        ]));
        strip.FindAll(".stage-count").Select(c => c.TextContent).ShouldBe(["1,240 so far", "310 / 1,240", "0 / 1,240", "5 / 5"]);
        strip.FindAll(".fill").Select(f => f.GetAttribute("width")).ShouldBe(["0", "25", "0", "100"]);
        strip.Find(".stage-failed").TextContent.ShouldContain("3 failed");
        strip.FindAll("li").Last().ClassList.ShouldContain("stage-complete");
    }

    [Fact]
    public void Time_carries_the_exact_moment_and_absence_a_dash()
    {
        var time = Render<RelativeTime>(p => p.Add(t => t.Time, new DateTimeOffset(2024, 1, 15, 12, 30, 0, TimeSpan.FromHours(2)))).Find("time");
        time.GetAttribute("datetime").ShouldBe("2024-01-15T10:30:00.000Z");
        time.TextContent.ShouldBe("15 Jan 2024");
        Render<RelativeTime>(p => p.Add(t => t.Time, null)).Markup.ShouldContain("–");
    }

    [Fact]
    public async Task Empty_state_raises_its_action()
    {
        var clicks = 0;
        var empty = Render<EmptyState>(p => p.Add(e => e.Icon, "inbox").Add(e => e.Title, "Nothing yet").Add(e => e.Text, "Come back.")
            .Add(e => e.Action, "Try").Add(e => e.OnAction, EventCallback.Factory.Create(this, () => clicks++)));
        await ClickAsync(empty.Find("button"));
        clicks.ShouldBe(1);
        empty.Find("h2").TextContent.ShouldBe("Nothing yet");
    }

    [Fact]
    public void Error_note_escapes_what_a_document_brings()
    {
        var note = Render<ErrorNote>(p => p.Add(n => n.What, "<img src=x onerror=alert(1)>.pdf could not be read.")
            .Add(n => n.Details, [new("Code", "<script>alert(1)</script>")]));
        note.FindAll("img, script").ShouldBeEmpty();
        note.Find("details dd").TextContent.ShouldBe("<script>alert(1)</script>");
    }

    [Theory]
    [InlineData("Cancel batch", true)]
    [InlineData("Keep it", false)]
    public async Task Confirmation_is_the_action_and_nothing_else(string button, bool expected)
    {
        var host = Render<RadzenDialog>();
        var answer = host.InvokeAsync(() => Services.GetRequiredService<DialogService>()
            .ConfirmAsync(new("Cancel this batch?", "12 documents are dropped.", "Cancel batch")));
        host.WaitForAssertion(() => host.Markup.ShouldContain("12 documents are dropped."));
        await ClickAsync(host.FindAll(".dialog-actions button").Single(b => b.TextContent.Trim() == button));
        (await answer).ShouldBe(expected);
    }

    [Fact]
    public void Copy_button_holds_the_id()
    {
        var copy = Render<CopyId>(p => p.Add(c => c.Id, "job_1").Add(c => c.Href, "/batches/job_1"));
        copy.Find("[data-copy]").GetAttribute("data-copy").ShouldBe("job_1");
        copy.Find("a").GetAttribute("href").ShouldBe("/batches/job_1");
    }
}

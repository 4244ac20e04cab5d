using Bunit;
using Ingestion.Admin.Components.Pages.NewBatch;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.NewBatch;

public sealed class WizardPartsTests : ComponentTest
{
    [Theory]
    [InlineData("options", WizardSteps.Options)]
    [InlineData("plan", WizardSteps.Plan)]
    [InlineData("start", WizardSteps.Sources)]
    [InlineData("anything", WizardSteps.Sources)]
    [InlineData(null, WizardSteps.Sources)]
    public void Address_names_a_step_or_means_the_first(string? word, string step) => WizardSteps.Of(word).ShouldBe(step);

    [Fact]
    public void Before_there_is_a_draft_no_step_can_be_gone_to()
    {
        var steps = Render<WizardSteps>(p => p.Add(s => s.Current, WizardSteps.Sources));
        steps.FindAll("a").ShouldBeEmpty();
        steps.FindAll("li").Count.ShouldBe(4);
    }

    [Fact]
    public void Steps_of_a_draft_are_links_but_for_the_one_shown_and_the_start()
    {
        var steps = Render<WizardSteps>(p => p.Add(s => s.Current, WizardSteps.Options).Add(s => s.PublicId, "job_x"));
        steps.FindAll("a").Select(a => a.GetAttribute("href")).ShouldBe(["/new/job_x", "/new/job_x?step=plan"]);
        steps.Find("[aria-current=step]").TextContent.ShouldContain("Options");
    }

    [Fact]
    public async Task Text_that_is_no_number_stays_and_is_said_and_the_value_is_left_alone()
    {
        var values = new List<double>();
        var unreadable = new List<bool>();
        var field = Render<NumberField>(p => p.Add(f => f.Id, "n").Add(f => f.Label, "Number").Add(f => f.Value, 5)
            .Add(f => f.ValueChanged, (double v) => values.Add(v)).Add(f => f.UnreadableChanged, (bool u) => unreadable.Add(u)));

        await FireAsync(field.Find("input"), "oninput", new ChangeEventArgs { Value = "five" });
        field.Find("input").GetAttribute("value").ShouldBe("five");
        field.Find(".entry-error").TextContent.ShouldContain("whole number");
        field.Find("input").GetAttribute("aria-describedby").ShouldBe("n-error n-help");
        values.ShouldBeEmpty();

        await FireAsync(field.Find("input"), "oninput", new ChangeEventArgs { Value = " 7 " });
        field.FindAll(".entry-error").ShouldBeEmpty();
        values.ShouldBe([7]);
        unreadable.ShouldBe([true, false]);
    }

    [Theory]
    [InlineData("0.5", true, true)]
    [InlineData("0.5", false, false)]
    [InlineData("-1", false, true)]
    [InlineData("1e9", false, false)]
    [InlineData("99999999999", false, false)]
    [InlineData("", false, false)]
    public async Task Number_is_read_as_the_field_counts(string text, bool fraction, bool read)
    {
        var values = new List<double>();
        var field = Render<NumberField>(p => p.Add(f => f.Id, "n").Add(f => f.Label, "Number").Add(f => f.Fraction, fraction).Add(f => f.ValueChanged, (double v) => values.Add(v)));
        await FireAsync(field.Find("input"), "oninput", new ChangeEventArgs { Value = text });
        values.Count.ShouldBe(read ? 1 : 0);
    }

    [Theory]
    [InlineData(false, false, true, "Start batch")]
    [InlineData(true, false, false, "Start batch")]
    [InlineData(false, true, false, "Start when uploaded")]
    public void Start_is_possible_where_nothing_stands_in_the_way_or_files_are_still_coming(bool clear, bool busy, bool disabled, string words)
    {
        var totals = busy ? UploadTotals.None with { Sending = 1, Total = 1 } : UploadTotals.None;
        var foot = Render<WizardFoot>(p => p.Add(f => f.Step, WizardSteps.Plan).Add(f => f.HasDraft, true).Add(f => f.CanStart, clear).Add(f => f.Totals, totals));
        var start = foot.Find("[data-testid=start-batch]");
        start.TextContent.ShouldContain(words);
        start.HasAttribute("disabled").ShouldBe(disabled);
    }

    [Fact]
    public void Before_there_is_a_draft_there_is_nothing_to_go_on_to() =>
        Render<WizardFoot>(p => p.Add(f => f.Step, WizardSteps.Sources).Add(f => f.Totals, UploadTotals.None)).Markup.Trim().ShouldBeEmpty();

    [Fact]
    public void Share_of_nothing_is_nothing_and_never_more_than_all()
    {
        UploadTotals.None.Share.ShouldBe(0);
        (UploadTotals.None with { Bytes = 10, Sent = 12 }).Share.ShouldBe(1);
    }
}

using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

public sealed class OperationsTests
{
    [BrowserFact]
    public async Task Workers_show_this_process_and_the_stage_that_nobody_serves()
    {
        await using var app = await BrowserApp.StartAsync(
            ("Ingestion:Pipeline:Stages:0", "Discover"), ("Ingestion:Pipeline:Stages:1", "Acquire"), ("Ingestion:Pipeline:Stages:2", "Parse"), ("Ingestion:Pipeline:Stages:3", "Resolve"), ("Ingestion:Pipeline:Stages:4", "Embed"));
        await app.OpenAsync("/workers");
        await Expect(app.Page.GetByTestId("process")).ToHaveCountAsync(1);
        await Expect(app.Page.GetByTestId("process")).ToContainTextAsync("Alive");
        await Expect(app.Page.GetByTestId("queue")).ToHaveCountAsync(6);
        await Expect(app.Page.GetByTestId("duty")).ToHaveCountAsync(12);
        await Expect(app.Page.Locator(".worker-note")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("No running worker serves the stage index", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Self_check_finds_what_is_broken_and_mends_it_after_asking()
    {
        await using var app = await BrowserApp.StartAsync();
        var worker = app.Services.GetRequiredService<Database>().Worker;
        await app.OpenAsync("/self-check");
        var summary = app.Page.GetByTestId("check-summary");
        await Expect(summary).ToContainTextAsync("Nothing is lost and nothing is doubled.");

        var batch = await new Make(worker).Batch(Core.Pipeline.BatchState.Pending);
        await worker.QueryAsync<object>("UPDATE ingestion.import_job SET active = true WHERE batch_id = $1", batch);
        await app.Page.GetByTestId("check-again").ClickAsync();
        await Expect(summary).ToContainTextAsync("1 row does not add up.");
        var broken = app.Page.Locator("[data-check=batch_has_its_jobs]");
        await Expect(broken.Locator(".violations a")).ToHaveAttributeAsync("href", "/batches/" + (await worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch")).Single());

        await broken.GetByTestId("repair").ClickAsync();
        await app.Page.Locator(".rz-dialog .rz-primary").ClickAsync();
        await Expect(summary).ToContainTextAsync("Set the jobs of 1 batches as their states say.");
        await Expect(summary).ToContainTextAsync("Nothing is lost and nothing is doubled.");
        (await worker.QueryAsync<string>("SELECT action || ' ' || target FROM ingestion.audit_entry WHERE action LIKE 'repair%'")).ShouldBe(["repair check batch_has_its_jobs"]);
        app.Complaints.ShouldBeEmpty();
    }
}

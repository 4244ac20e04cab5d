using Bunit;
using Ingestion.Admin.Components.Pages.Items;
using Ingestion.Admin.Components.Pages.Library;
using Ingestion.Admin.Components.Pages.Search;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Library;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Radzen;
using Radzen.Blazor;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Library;

/// <summary>What the library's pages do once a circuit is there, on a real database.</summary>
public sealed class LivePagesTests : LivePageTest
{
    private LibrarySeed _seed = null!;
    private Make _make = null!;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        (_seed, _make) = (new LibrarySeed(Database), new Make(Database.Worker));
    }

    [Fact]
    public async Task Search_follows_the_address_from_one_question_to_the_next()
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        await _seed.DocumentAsync("Otter", ["The otter floats on its back."]);
        Go("/search");
        var page = Render<SearchPage>();
        page.WaitForAssertion(() => page.Markup.ShouldContain("Find a passage"), Deadline);
        foreach (var (question, title) in new[] { ("heron", "Heron"), ("otter", "Otter"), ("heron", "Heron") })
        {
            Go("/search?q=" + question);
            page.WaitForAssertion(() => page.FindAll("[data-testid=search-hit] h2").Select(h => h.TextContent).ShouldBe([title]), Deadline);
            page.Find("[data-testid=search-input]").GetAttribute("value").ShouldBe(question);
        }
        Go("/search?q=qqzzxx");
        page.WaitForAssertion(() => page.Markup.ShouldContain("Nothing found"), Deadline);
        Go("/search");
        page.WaitForAssertion(() => page.Markup.ShouldContain("Find a passage"), Deadline);
    }

    [Fact]
    public void An_empty_library_says_where_hits_come_from()
    {
        Go("/search");
        var page = Render<SearchPage>();
        page.WaitForAssertion(() => page.Find(".empty-state a").GetAttribute("href").ShouldBe("/new"), Deadline);
    }

    [Fact]
    public async Task Retrying_on_the_item_page_opens_it_again_and_keeps_the_old_run()
    {
        var batch = await _make.Batch(BatchState.Failed);
        var task = await _make.Task(batch, TaskState.Failed);
        await _seed.RunAsync("UPDATE ingestion.import_item SET state = 'failed', step = 'finished', error_code = 'network_error', error_message = 'It broke.', completed_at = now() WHERE id = $1", task.ItemId!.Value);
        var page = await ItemAsync(batch, task.ItemId.Value);
        page.WaitForAssertion(() => page.FindAll(".data-table tbody tr").Count.ShouldBe(1), Deadline);

        await ClickAsync(page.Find(".error-note button"));

        page.WaitForAssertion(() => page.FindAll(".data-table tbody tr").Count.ShouldBe(2), Deadline);
        page.Find("h1 .badge").TextContent.ShouldContain("Waiting");
        page.FindAll(".error-note").ShouldBeEmpty();
    }

    [Fact]
    public async Task Item_page_follows_what_happens_to_the_item()
    {
        var batch = await _make.Batch();
        var task = await _make.Task(batch);
        var page = await ItemAsync(batch, task.ItemId!.Value);
        page.WaitForAssertion(() => page.Find("h1 .badge").TextContent.ShouldContain("Waiting"), Deadline);
        page.Find(".progress-line").TextContent.ShouldContain("No running worker serves the stage acquire");

        await _seed.RunAsync("UPDATE ingestion.import_task_run SET state = 'running', attempt = 1, lease_until = now() + interval '1 minute', worker = 'w', claimed_at = now() WHERE id = $1", task.Id);
        await _seed.RunAsync("UPDATE ingestion.import_item SET step = 'downloading', progress_current = 3, progress_total = 9, progress_message = '3 of 9' WHERE id = $1", task.ItemId.Value);
        Services.GetRequiredService<BatchHub>().Changed(batch);

        page.WaitForAssertion(() => page.Find(".progress-line").TextContent.ShouldContain("3 of 9"), Deadline);
        page.Find("progress").GetAttribute("max").ShouldBe("9");
        page.Find("h1 .badge").TextContent.ShouldContain("Running");
    }

    [Fact]
    public async Task A_collection_is_made_in_a_form_that_says_what_is_wrong()
    {
        var host = Render<RadzenDialog>();
        var actor = new Actor("default", "test");
        var collections = Services.GetRequiredService<Collections>();
        var answer = host.InvokeAsync(() => CollectionForm.OpenAsync(Services.GetRequiredService<DialogService>(), "New collection", null,
            f => collections.CreateAsync(actor, f.Key, f.Name, f.Description, CancellationToken.None)));
        host.WaitForAssertion(() => host.Find("#collection-name"), Deadline);
        await TypeAsync(host.Find("#collection-name"), "All Ragas 2");
        host.Find("#collection-key").GetAttribute("value").ShouldBe("all-ragas-2");
        await TypeAsync(host.Find("#collection-key"), "Bad Key");
        host.FindAll(".field-problem").Select(p => p.TextContent).ShouldContain(t => t.StartsWith("A key has lower-case"));
        await FireAsync(host.Find("form"), "onsubmit", new EventArgs());
        host.Find("#collection-name").GetAttribute("value").ShouldBe("All Ragas 2", "nothing typed is lost");
        await TypeAsync(host.Find("#collection-key"), "ragas");
        await FireAsync(host.Find("form"), "onsubmit", new EventArgs());
        (await answer.WaitAsync(Deadline)).ShouldBe("ragas");
        (await collections.FindAsync("default", "ragas", CancellationToken.None))!.Name.ShouldBe("All Ragas 2");
    }

    private async Task<IRenderedComponent<ItemPage>> ItemAsync(long batch, long item)
    {
        await using var command = Database.Worker.CreateCommand("SELECT public_id FROM ingestion.import_batch WHERE id = $1");
        command.Parameters.Add(new() { Value = batch });
        var id = (string)(await command.ExecuteScalarAsync())!;
        return Render<ItemPage>(p => p.Add(i => i.PublicId, id).Add(i => i.ItemId, item));
    }
}

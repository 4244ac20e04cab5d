using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Parsing;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests;

/// <summary>From submission to search: every kind of source and format at once, and what a second submission of the same does.</summary>
public sealed class WholeWayTests(WholeWay way) : IClassFixture<WholeWay>
{
    [Fact]
    public async Task A_mixed_batch_becomes_searchable()
    {
        var (app, site) = (way.App, way.Site);
        var files = new (string Path, byte[] Content, string Sentence)[]
        {
            ("mixed/one.txt", "Plain words about herons and their reeds."u8.ToArray(), "herons and their reeds"),
            ("mixed/two.md", "# Otters\n\nOtters hold hands while they sleep."u8.ToArray(), "hold hands while they sleep"),
            ("mixed/three.html", "<html><body><nav>Menu</nav><main><h1>Badgers</h1><p>Badgers dig setts under hedges.</p></main></body></html>"u8.ToArray(), "dig setts under hedges"),
            ("mixed/four.csv", "bird,colour\nkingfisher,turquoise\n"u8.ToArray(), "kingfisher turquoise"),
            ("mixed/five.docx", OfficeSamples.Docx(OfficeSamples.P("Newts return to the pond where they hatched.")), "pond where they hatched"),
            ("mixed/six.pdf", PdfSamples.Pages(["Voles store their roots in chambers."]), "store their roots in chambers"),
        };
        var uploads = new List<string>();
        foreach (var file in files) uploads.Add(await app.UploadAsync(file.Path, file.Content));
        var manifest = await app.UploadAsync("list.csv", $"Krithi,Raga,Hyperlink\nfirst,kalyANi,{site.Url("/m1")}\nsecond,bhairavi,{site.Url("/m2")}\n");
        var batch = await app.SubmitAsync(new("mixed")
        {
            Uploads = uploads, Urls = [new(site.Url("/u1").AbsoluteUri, "Pasted")], Manifests = [new(manifest, "Hyperlink", "Krithi")],
        });

        var ended = await app.EndedAsync(batch);

        var items = await app.ItemsAsync(batch);
        items.Count.ShouldBe(9);
        items.ShouldAllBe(i => i.State == ItemState.Done && i.ChunkCount > 0, string.Join('\n', items));
        ended.State.ShouldBe(BatchState.Completed);
        ended.Counts.OverallPercent.ShouldBe(100);
        ended.Counts.Chunks.ShouldBe(items.Sum(i => i.ChunkCount!.Value));
        foreach (var file in files)
            (await app.SearchAsync(file.Sentence))[0].SourceKey.ShouldBe(file.Path);
        foreach (var path in new[] { "/u1", "/m1", "/m2" })
            (await app.SearchAsync(FixtureHost.WordOf(path))).ShouldHaveSingleItem().SourceKey.ShouldBe(site.Url(path).AbsoluteUri);
        (await app.SearchAsync("dig setts"))[0].HeadingPath.ShouldContain("Badgers");
        items.Single(i => i.Name == "Pasted").SourceType.ShouldBe("url");
        items.Single(i => i.Name == "second").Metadata.ShouldContain("bhairavi");

        // A row's other columns narrow a search, and a hit leads back to its item.
        var narrowed = await app.SearchAsync("second paragraph to read", filter: new Dictionary<string, string> { ["Raga"] = "bhairavi" });
        narrowed.ShouldNotBeEmpty();
        narrowed.ShouldAllBe(h => h.SourceKey == site.Url("/m2").AbsoluteUri);
        narrowed[0].ItemId.ShouldBe(items.Single(i => i.Name == "second").Id);
        narrowed[0].BatchId.ShouldBe(batch.PublicId);
        (await app.SearchAsync("second paragraph to read", filter: new Dictionary<string, string> { ["Raga"] = "todi" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_made_lies_at_its_names()
    {
        var content = "# Kestrels\n\nKestrels hover over verges."u8.ToArray();
        var upload = await way.App.UploadAsync("birds/kestrel.md", content);
        var batch = await way.App.SubmitAsync(new("artifacts") { Uploads = [upload], Options = new() { ChunkSize = 400, ChunkOverlap = 40 } });
        await way.App.EndedAsync(batch);
        var item = (await way.App.ItemsAsync(batch)).ShouldHaveSingleItem();
        item.State.ShouldBe(ItemState.Done);

        var source = (await way.App.QueryAsync<long>("SELECT source_id FROM ingestion.source_version WHERE id = $1", item.SourceVersionId!)).Single();
        var folder = Path.Combine(way.App.Data, "artifacts", "default", $"{source}", $"{item.SourceVersionId}");
        (await File.ReadAllBytesAsync(Path.Combine(folder, "raw.bin"))).ShouldBe(content);
        // The names of what is published follow the publication; the end of the batch may be seen before.
        await way.App.UntilAsync("SELECT exported_version_id IS NOT DISTINCT FROM $1 FROM ingestion.document WHERE source_id = $2", item.DocumentVersionId!, source);
        (await File.ReadAllTextAsync(Path.Combine(folder, "normalized.md"))).ShouldContain("Kestrels hover over verges.");

        var record = JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(Path.Combine(folder, "artifacts", "ingestion.json")));
        record.GetProperty("tenant").GetString().ShouldBe("default");
        record.GetProperty("source").GetProperty("id").GetInt64().ShouldBe(source);
        record.GetProperty("source").GetProperty("key").GetString().ShouldBe("birds/kestrel.md");
        record.GetProperty("source_version").GetProperty("id").GetInt64().ShouldBe(item.SourceVersionId!.Value);
        record.GetProperty("source_version").GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        record.GetProperty("document_version").GetInt64().ShouldBe(item.DocumentVersionId!.Value);
        record.GetProperty("options").GetProperty("chunk_size").GetInt32().ShouldBe(400);
        record.GetProperty("options_hash").GetString()!.Length.ShouldBe(64);
        record.GetProperty("parser").GetProperty("format").GetString().ShouldBe("md");
        record.GetProperty("parser").GetProperty("version").GetInt32().ShouldBeGreaterThan(0);
        record.GetProperty("counts").GetProperty("chunks").GetInt32().ShouldBe(item.ChunkCount!.Value);
        record.GetProperty("timings").GetProperty("parse_ms").GetDouble().ShouldBeGreaterThan(0);
        record.GetProperty("metadata").ValueKind.ShouldBe(JsonValueKind.Object);
    }

    [Fact]
    public async Task The_same_content_again_is_skipped_unless_asked_for()
    {
        var content = Encoding.UTF8.GetBytes("Swifts sleep on the wing, high above the town.");
        var first = await way.RunAsync("first", [("swifts.txt", content)]);
        first.Single().State.ShouldBe(ItemState.Done);

        var again = await way.RunAsync("again", [("swifts.txt", content), ("copy of swifts.txt", content)]);
        again.ShouldAllBe(i => i.State == ItemState.Skipped);
        again[0].ProgressMessage.ShouldBe("The collection already holds this content.");

        var forced = await way.RunAsync("forced", [("swifts.txt", content)], new() { SkipExisting = false });
        forced.Single().State.ShouldBe(ItemState.Done);
        forced.Single().DocumentVersionId.ShouldBe(first.Single().DocumentVersionId);
        (await way.App.SearchAsync("swifts sleep on the wing")).Count(h => h.Text.Contains("Swifts", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Changed_bytes_are_a_new_version_and_search_has_no_gap()
    {
        const string path = "/changing";
        const int editions = 6;
        way.Site.Text(path, Edition(1));
        var versions = new List<ItemView> { await way.RunUrlAsync(path) };

        using var stop = new CancellationTokenSource();
        var watching = WatchAsync("quagga notice edition", stop.Token);
        for (var n = 2; n <= editions; n++)
        {
            way.Site.Text(path, Edition(n));
            versions.Add(await way.RunUrlAsync(path));
        }
        await stop.CancelAsync();
        var seen = await watching;

        versions.ShouldAllBe(v => v.State == ItemState.Done);
        versions.Select(v => v.SourceVersionId).ShouldBeUnique();
        versions.Select(v => v.DocumentVersionId).ShouldBeUnique();
        seen.ShouldNotBeEmpty();
        // Never none, and never two at once.
        seen.ShouldAllBe(n => n == 1);
        (await way.App.SearchAsync("quagga notice edition")).Where(h => h.SourceKey.EndsWith(path, StringComparison.Ordinal)).ShouldHaveSingleItem().Text.ShouldContain($"number {editions}.");
        (await way.App.SearchAsync("cormorant1")).ShouldNotContain(h => h.Text.Contains("cormorant1", StringComparison.Ordinal));

        static string Edition(int n) => $"<main><h1>Notice</h1><p>The quagga notice, edition number {n}. This cormorant{n} dries its wings.</p></main>";
    }

    [Fact]
    public async Task A_file_that_becomes_like_another_is_not_left_with_its_old_text()
    {
        var shared = Encoding.UTF8.GetBytes("Turnstones flip pebbles along the strand.");
        await way.RunAsync("both", [("strand a.txt", shared), ("strand b.txt", Encoding.UTF8.GetBytes("Sanderlings chase the zephyrous foam."))]);

        var changed = await way.RunAsync("alike", [("strand b.txt", shared)]);

        changed.Single().State.ShouldBe(ItemState.Done);
        (await way.App.SearchAsync("sanderlings chase the zephyrous foam")).ShouldNotContain(h => h.Text.Contains("zephyrous", StringComparison.Ordinal));
        (await way.RunAsync("still alike", [("strand b.txt", shared)])).Single().State.ShouldBe(ItemState.Skipped);
    }

    [Fact]
    public async Task A_manifest_that_would_make_the_batch_too_large_fails_and_the_rest_goes_on()
    {
        await using var app = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", way.Site.Target), ("Ingestion:Pipeline:MaxItemsPerBatch", "3"));
        var manifest = await app.UploadAsync("list.csv", $"Hyperlink\n{way.Site.Url("/x1")}\n{way.Site.Url("/x2")}\n{way.Site.Url("/x3")}\n");
        var batch = await app.SubmitAsync(new("too many") { Urls = [new(way.Site.Url("/x4").AbsoluteUri)], Manifests = [new(manifest, "Hyperlink")] });
        (await app.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await app.ItemsAsync(batch)).ShouldHaveSingleItem().State.ShouldBe(ItemState.Done);
        (await app.QueryAsync<string>("SELECT error_code FROM ingestion.import_input WHERE state = 'failed'")).ShouldBe(["too_many_items"]);
    }

    [Fact]
    public async Task A_retry_with_another_chunk_size_makes_a_new_version_of_the_same_bytes()
    {
        var text = string.Join("\n\n", Enumerable.Range(1, 40).Select(n => $"Paragraph {n} tells of the {n}th guillemot on the ledge above the sea."));
        var upload = await way.App.UploadAsync("ledge.md", text);
        var batch = await way.App.SubmitAsync(new("ledge") { Uploads = [upload] });
        await way.App.EndedAsync(batch);
        var before = (await way.App.ItemsAsync(batch)).Single();

        var options = new ProcessingOptions { ChunkSize = 200, ChunkOverlap = 0 };
        (await way.App.Get<BatchRetry>().RetryAsync(PipelineHost.Actor, batch.BatchId, RetryScope.All, null, options, CancellationToken.None)).Done.ShouldBeTrue();
        (await way.App.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);

        var after = (await way.App.ItemsAsync(batch)).Single();
        after.State.ShouldBe(ItemState.Done);
        after.SourceVersionId.ShouldBe(before.SourceVersionId);
        after.DocumentVersionId.ShouldNotBe(before.DocumentVersionId);
        after.ChunkCount!.Value.ShouldBeGreaterThan(before.ChunkCount!.Value);
        (await way.App.SearchAsync("guillemot on the ledge")).Where(h => h.SourceKey == "ledge.md").ShouldAllBe(h => h.Text.Length <= 200);
    }

    [Fact]
    public async Task Two_batches_with_the_same_file_at_once_bring_it_in_once()
    {
        var content = Encoding.UTF8.GetBytes("Dunlins wheel over the estuary in one great flock.");
        var uploads = new List<string>();
        for (var i = 0; i < 6; i++) uploads.Add(await way.App.UploadAsync($"flock {i}.txt", content));
        var batches = await Task.WhenAll(uploads.Select((u, i) => way.App.SubmitAsync(new($"flock {i}") { Uploads = [u] })));
        var items = new List<ItemView>();
        foreach (var batch in batches)
        {
            (await way.App.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
            items.AddRange(await way.App.ItemsAsync(batch));
        }
        items.Count(i => i.State == ItemState.Done).ShouldBe(1);
        items.Count(i => i.State == ItemState.Skipped).ShouldBe(5);
        (await way.App.SearchAsync("dunlins wheel over the estuary")).Count(h => h.Text.Contains("Dunlins", StringComparison.Ordinal)).ShouldBe(1);
        (await way.App.QueryAsync<int>("SELECT count(*)::int FROM ingestion.content_claim c JOIN ingestion.import_item i ON i.id = c.item_id WHERE i.state <> 'open'")).Single().ShouldBe(0);
    }

    [Fact]
    public async Task A_host_that_recovers_is_waited_for_and_one_that_did_not_is_retried_by_hand()
    {
        way.Site.FailsFirst("/twice", 2).FailsFirst("/throttled", 1, 429, retryAfter: "1").Redirect("/old", "/new").Status("/down", 503);
        var batch = await way.App.SubmitAsync(new("hosts") { Urls = [.. new[] { "/twice", "/throttled", "/old", "/down" }.Select(p => new UrlEntry(way.Site.Url(p).AbsoluteUri))] });
        (await way.App.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        var items = await way.App.ItemsAsync(batch);
        items.Select(i => i.State).ShouldBe([ItemState.Done, ItemState.Done, ItemState.Done, ItemState.Failed]);
        items[3].ErrorCode.ShouldBe("http_server_error");
        (await RunsAsync(items[0])).ShouldBe(2);
        (await RunsAsync(items[3])).ShouldBe(4);

        way.Site.Text("/down", FixtureHost.PageOf("/down"));
        (await way.App.Get<BatchRetry>().RetryAsync(PipelineHost.Actor, batch.BatchId, RetryScope.Failed, null, null, CancellationToken.None)).Done.ShouldBeTrue();
        (await way.App.EndedAsync(batch)).Counts.Done.ShouldBe(4);
        (await way.App.SearchAsync(FixtureHost.WordOf("/down"))).ShouldHaveSingleItem();

        async Task<int> RunsAsync(ItemView item) =>
            (await way.App.QueryAsync<int>("SELECT max(failures) FROM ingestion.import_task_run WHERE item_id = $1", item.Id)).Single();
    }

    private async Task<List<int>> WatchAsync(string text, CancellationToken stop)
    {
        var seen = new List<int>();
        while (!stop.IsCancellationRequested)
            seen.Add((await way.App.SearchAsync(text)).Count(h => h.Text.Contains("quagga notice", StringComparison.Ordinal)));
        return seen;
    }
}

/// <summary>One pipeline and one site for all of <see cref="WholeWayTests"/>; each test brings content of its own.</summary>
public sealed class WholeWay : IAsyncLifetime
{
    public PipelineHost App { get; private set; } = null!;

    public FixtureHost Site { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Site = await FixtureHost.StartAsync();
        App = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", Site.Target));
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await Site.DisposeAsync();
    }

    /// <summary>Uploads and runs files in a batch of their own; its items in order.</summary>
    public async Task<IReadOnlyList<ItemView>> RunAsync(string name, (string Path, byte[] Content)[] files, ProcessingOptions? options = null)
    {
        var uploads = new List<string>();
        foreach (var (path, content) in files) uploads.Add(await App.UploadAsync(path, content));
        var batch = await App.SubmitAsync(new(name) { Uploads = uploads, Options = options ?? new() });
        await App.EndedAsync(batch);
        return await App.ItemsAsync(batch);
    }

    /// <summary>Runs one page of the site in a batch of its own.</summary>
    public async Task<ItemView> RunUrlAsync(string path)
    {
        var batch = await App.SubmitAsync(new(path) { Urls = [new(Site.Url(path).AbsoluteUri)] });
        await App.EndedAsync(batch);
        return (await App.ItemsAsync(batch)).Single();
    }
}

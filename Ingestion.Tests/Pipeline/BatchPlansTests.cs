using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class BatchPlansTests : IAsyncLifetime
{
    private PipelineHost _host = null!;
    private Submitted _draft = null!;

    public async Task InitializeAsync()
    {
        _host = await PipelineHost.StartAsync(("Ingestion:Pipeline:MaxItemsPerBatch", "50"));
        _draft = await _host.Get<Drafts>().CreateAsync(PipelineHost.Actor, new("A draft"), default);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Files_are_counted_by_format_and_what_nothing_reads_is_named_with_its_reason()
    {
        await UploadAsync("a/one.md", "# One");
        await UploadAsync("a/two.md", "# Two");
        await UploadAsync("three.txt", "Three");
        await UploadAsync("picture.png", [0x89, .. "PNG\r\n\u001a\n"u8]);
        await UploadAsync("empty.txt", "");
        await UploadAsync("papers.zip", "PK");

        var plan = await PlanAsync();
        (plan.Items, plan.Listed).ShouldBe((5, 1), "what an archive holds shows when it is opened");
        plan.Formats.Select(f => (f.Name, f.Count)).ShouldBe([("md", 2L), ("txt", 1L)]);
        plan.Refused.Select(r => (r.Code, r.Count, r.Examples[0])).ShouldBe([("empty", 1L, "empty.txt"), ("unsupported", 1L, "picture.png")], ignoreOrder: true);
        plan.Obstacles.ShouldBeEmpty();
    }

    [Fact]
    public async Task Addresses_and_manifest_rows_that_rules_refuse_are_counted_with_them()
    {
        await _host.Get<Drafts>().SetUrlsAsync(PipelineHost.Actor, _draft.BatchId, [new("https://a.example/"), new("https://a.example/"), new("file:///etc/passwd")], default);
        var manifest = await UploadAsync("m.csv", "Title,Link\nOne,https://b.example/1\nTwo,http://10.0.0.1/\nThree,\n", UploadPurposes.Manifest);
        await _host.Get<Drafts>().SetManifestAsync(PipelineHost.Actor, _draft.BatchId, new(manifest, "Link", "Title"), default);

        var plan = await PlanAsync();
        plan.Sources.Select(s => (s.Name, s.Count)).ShouldBe([("url", 2L), ("manifest", 3L)]);
        plan.Repeats.ShouldBe(1);
        plan.RefusedCount.ShouldBe(3);
        plan.Refused.ShouldContain(r => r.Examples.Any(e => e.StartsWith("m.csv, line 3", StringComparison.Ordinal)));
        plan.Obstacles.ShouldBeEmpty();
    }

    [Fact]
    public async Task Content_that_is_published_or_there_twice_will_be_skipped()
    {
        const string Known = "# A river\n\nIt flows to the sea.";
        (await _host.RunAsync(new("Before") { Uploads = [await _host.UploadAsync("river.md", Known)] })).Counts.Done.ShouldBe(1);
        await UploadAsync("again.md", Known);
        await UploadAsync("new.md", "# New");
        await UploadAsync("new-copy.md", "# New");

        var plan = await PlanAsync();
        plan.Known.Count.ShouldBe(1);
        plan.Twins.Count.ShouldBe(1);

        await _host.Get<Drafts>().SaveAsync(PipelineHost.Actor, _draft.BatchId, new("A draft") { Options = new() { SkipExisting = false } }, default);
        (await PlanAsync()).Known.Count.ShouldBe(0);
    }

    [Fact]
    public async Task What_stands_in_the_way_is_said_with_what_to_do()
    {
        (await PlanAsync()).Obstacles.ShouldHaveSingleItem().ShouldContain("empty");

        await _host.Get<UploadStore>().CreateAsync(PipelineHost.Actor, new("half.txt", 10, _draft.BatchId), default);
        await UploadAsync("unmapped.csv", "a,b\n1,2\n", UploadPurposes.Manifest);
        var many = await UploadAsync("many.csv", "url\n" + string.Join('\n', Enumerable.Range(0, 51).Select(i => $"https://a.example/{i}")), UploadPurposes.Manifest);
        await _host.Get<Drafts>().SetManifestAsync(PipelineHost.Actor, _draft.BatchId, new(many, "url"), default);

        var obstacles = (await PlanAsync()).Obstacles;
        obstacles.Count.ShouldBe(3);
        obstacles.ShouldContain(o => o.Contains("1 upload is not finished", StringComparison.Ordinal));
        obstacles.ShouldContain(o => o.StartsWith("unmapped.csv: No column", StringComparison.Ordinal));
        obstacles.ShouldContain(o => o.StartsWith("many.csv: It has 51 rows; 50 are allowed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Model_that_is_not_there_stands_in_the_way()
    {
        await UploadAsync("a.md", "# A");
        await _host.Get<Drafts>().SaveAsync(PipelineHost.Actor, _draft.BatchId, new("A draft") { Options = new() { EmbeddingModelPreference = "no-such-model" } }, default);
        var plan = await PlanAsync();
        plan.Model.Id.ShouldBeNull();
        plan.Obstacles.ShouldHaveSingleItem().ShouldContain("no-such-model");
    }

    [Fact]
    public async Task Draft_of_another_tenant_and_batch_that_was_started_have_no_plan()
    {
        (await _host.Get<BatchPlans>().OfAsync("other", _draft.PublicId, default)).ShouldBeNull();
        await UploadAsync("a.md", "# A");
        await _host.Get<Submission>().LaunchDraftAsync(PipelineHost.Actor, _draft.BatchId, default);
        (await _host.Get<BatchPlans>().OfAsync("default", _draft.PublicId, default)).ShouldBeNull();
    }

    private async Task<BatchPlan> PlanAsync() => (await _host.Get<BatchPlans>().OfAsync("default", _draft.PublicId, default)).ShouldNotBeNull();

    private Task<string> UploadAsync(string path, string content, string purpose = UploadPurposes.File) => UploadAsync(path, Encoding.UTF8.GetBytes(content), purpose);

    private async Task<string> UploadAsync(string path, byte[] content, string purpose = UploadPurposes.File)
    {
        var store = _host.Get<UploadStore>();
        var upload = await store.CreateAsync(PipelineHost.Actor, new(path, content.Length, _draft.BatchId, purpose), default);
        if (content.Length > 0) await store.WriteAsync("default", upload.PublicId, 0, new MemoryStream(content), default);
        return upload.PublicId;
    }
}

using Ingestion.Core.Artifacts;
using Ingestion.Core.Library;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Sources;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Artifacts;

/// <summary>The whole way of documents with buckets for their bytes.</summary>
public sealed class StoredInBucketsTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [S3Fact]
    public async Task Documents_go_the_whole_way_on_a_real_server_and_verify_finds_what_is_lost_and_what_is_strange()
    {
        await using var server = await S3Server.StartAsync();
        await using var host = await PipelineHost.StartAsync(
            ("Ingestion:Artifacts:Endpoint", server.Endpoint), ("Ingestion:Artifacts:AccessKey", S3Server.AccessKey), ("Ingestion:Artifacts:SecretKey", S3Server.SecretKey),
            ("Ingestion:Artifacts:RawBucket", S3Server.RawBucket), ("Ingestion:Artifacts:MarkdownBucket", S3Server.MarkdownBucket));
        (await RunAsync(host, "one", "two", "three")).State.ShouldBe(BatchState.Completed);
        (await host.SearchAsync("pelican one")).ShouldNotBeEmpty();
        (await host.QueryAsync<string>("SELECT DISTINCT substring(uri FROM '^s3://[^/]+') FROM ingestion.artifact ORDER BY 1")).ShouldBe(["s3://markdown-docs", "s3://raw-docs"]);
        Directory.EnumerateFiles(Path.Combine(host.Data, "artifacts"), "*", SearchOption.AllDirectories).ShouldBeEmpty();
        // Published names follow the commit.
        await host.UntilAsync("SELECT count(*) = 0 FROM ingestion.document WHERE exported_version_id IS NULL");
        await host.VerifiedAsync();

        var store = host.Get<IArtifactStore>();
        var lost = new Uri((await host.QueryAsync<string>("SELECT uri FROM ingestion.artifact WHERE kind = 'raw' ORDER BY id LIMIT 1")).Single());
        await store.DeleteAsync(lost, Ct);
        await store.PutAsync("default/999/999/raw.bin", new MemoryStream([1, 2, 3]), Ct);
        var report = await host.Get<Verification>().RunAsync(new() { Quick = true }, Ct);
        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).Select(v => v.Sentence)
            .ShouldBe([$"The file {lost} is not there.", "No row names the file s3://raw-docs/default/999/999/raw.bin."], ignoreOrder: true);
    }

    [Fact]
    public async Task Store_that_is_away_holds_documents_up_and_charges_them_nothing()
    {
        var (fixture, bucket) = await FakeBucket.StartAsync();
        await using var _ = fixture;
        var away = true;
        bucket.Trouble = _ => Task.FromResult(Volatile.Read(ref away) ? 503 : 0);
        await using var host = await PipelineHost.StartAsync(Settings(fixture, "docs"));
        var upload = await host.UploadAsync("a.txt", "The pelican a is here.");
        var batch = await host.SubmitAsync(new("Files") { Uploads = [upload] });
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_task_run WHERE wait_reason = 'service_unavailable' AND failures = 0 AND state = 'ready'");
        Volatile.Write(ref away, false);
        await host.Get<ItemControl>().TryNowAsync(PipelineHost.Actor, batch.BatchId, null, Ct);
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.QueryAsync<int>("SELECT coalesce(sum(failures), 0)::int FROM ingestion.import_task_run")).ShouldBe([0]);
        bucket.Objects.Keys.Count(k => k.EndsWith("/raw.bin", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task What_was_written_before_the_store_was_changed_stays_readable_to_and_fro()
    {
        var (fixture, _) = await FakeBucket.StartAsync();
        await using var running = fixture;
        await using var host = await PipelineHost.StartAsync(Settings(fixture, ""));
        // As the settings of the next start would say it.
        var options = host.Get<IOptions<ArtifactOptions>>().Value;
        await RunAsync(host, "folder");
        options.RawBucket = "docs";
        await RunAsync(host, "bucket");
        (options.RawBucket, options.FormerBuckets) = ("", [new() { Bucket = "docs" }]);
        await RunAsync(host, "again");
        await host.UntilAsync("SELECT count(*) = 0 FROM ingestion.document WHERE exported_version_id IS NULL");

        (await host.QueryAsync<string>("SELECT split_part(uri, ':', 1) FROM ingestion.artifact WHERE kind = 'raw' ORDER BY id")).ShouldBe(["file", "s3", "file"]);
        var versions = await host.QueryAsync<long>("SELECT id FROM ingestion.document_version ORDER BY id");
        foreach (var (version, word) in versions.Zip(["folder", "bucket", "again"]))
        {
            await using var raw = (await host.Get<DocumentFiles>().RawAsync("default", version, Ct))!.Content;
            await using var markdown = (await host.Get<DocumentFiles>().MarkdownAsync("default", version, Ct))!.Content;
            foreach (var stream in new[] { raw, markdown }) (await new StreamReader(stream).ReadToEndAsync()).ShouldContain($"pelican {word}");
        }
        await host.VerifiedAsync();
        (await host.Get<Verification>().RunAsync(new() { Quick = true }, Ct)).Checks.Sum(c => c.Count).ShouldBe(0);
    }

    private static (string, string)[] Settings(FixtureHost host, string bucket) =>
    [
        ("Ingestion:Artifacts:Endpoint", $"http://{host.Target}"), ("Ingestion:Artifacts:Region", "eu-test-1"), ("Ingestion:Artifacts:AccessKey", "AKIDEXAMPLE"),
        ("Ingestion:Artifacts:SecretKey", "secret/Key+1"), ("Ingestion:Artifacts:RawBucket", bucket),
    ];

    private static async Task<BatchView> RunAsync(PipelineHost host, params string[] words)
    {
        var uploads = new List<string>();
        foreach (var word in words) uploads.Add(await host.UploadAsync($"{word}.txt", $"The pelican {word} flies over the harbour at noon."));
        return await host.RunAsync(new("Files") { Uploads = uploads });
    }
}

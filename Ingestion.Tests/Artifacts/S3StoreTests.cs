using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Sources;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Artifacts;

public sealed class S3StoreTests : IDisposable
{
    private const string Secret = "secret/Key+1";
    private static readonly CancellationToken Ct = CancellationToken.None;
    private readonly TemporaryDirectory _work = new("s3work-");

    [S3Fact]
    public async Task Real_server_keeps_gives_lists_and_deletes()
    {
        await using var server = await S3Server.StartAsync();
        using var store = Open(new() { Endpoint = server.Endpoint, AccessKey = S3Server.AccessKey, SecretKey = S3Server.SecretKey, RawBucket = S3Server.RawBucket, MarkdownBucket = S3Server.MarkdownBucket });
        var raw = await PutAsync(store, ArtifactKeys.Raw("acme", "12", "34"), "as it came");
        var markdown = await PutAsync(store, ArtifactKeys.VersionMarkdown("acme", "12", "34", "56"), "# ä ö");
        (raw.AbsoluteUri, markdown.AbsoluteUri).ShouldBe(("s3://raw-docs/acme/12/34/raw.bin", "s3://markdown-docs/acme/12/34/artifacts/56/normalized.md"));
        (await ReadAsync(store, raw), await ReadAsync(store, markdown)).ShouldBe(("as it came", "# ä ö"));
        await PutAsync(store, ArtifactKeys.Raw("acme", "12", "34"), "replaced");
        (await ReadAsync(store, raw)).ShouldBe("replaced");
        (await store.ListAsync(Ct).ToListAsync()).Select(o => (o.Uri, o.Length)).ShouldBe([(raw, 8L), (markdown, 7L)], ignoreOrder: true);
        var name = store.Locate(ArtifactKeys.Markdown("acme", "12", "34"), beside: markdown);
        await store.PutAsync(name, Bytes("published"), Ct);
        (await ReadAsync(store, name)).ShouldBe("published");
        await store.DeleteAsync(raw, Ct);
        await store.DeleteAsync(raw, Ct);
        (await store.OpenAsync(raw, Ct)).ShouldBeNull();
        Directory.EnumerateFileSystemEntries(_work.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Store_that_is_slow_for_a_moment_is_asked_again_and_lists_come_in_pages()
    {
        var (host, bucket) = await FakeBucket.StartAsync();
        await using var _ = host;
        using var store = Open(Options(host));
        var trouble = 2;
        bucket.Trouble = _ => Task.FromResult(Interlocked.Decrement(ref trouble) >= 0 ? 503 : 0);
        for (var i = 0; i < 7; i++) await PutAsync(store, ArtifactKeys.Raw("acme", "1", $"{i}"), $"bytes {i}");
        bucket.Puts.ShouldBe(7);
        bucket.PageSize = 3;
        // What others keep in the bucket is not ours to look at, nor to delete.
        bucket.Objects["photos/cat.jpg"] = [1];
        (await store.ListAsync(Ct).Select(o => o.Uri.AbsolutePath).ToListAsync()).ShouldBe(Enumerable.Range(0, 7).Select(i => $"/acme/1/{i}/raw.bin"), ignoreOrder: true);
        bucket.Lists.ShouldBe(3);
    }

    [Theory]
    [InlineData(503, "asks us to slow down")]
    [InlineData(500, "cannot store")]
    [InlineData(403, "the keys are wrong, or lack the right")]
    public async Task Store_that_refuses_is_a_fault_of_a_service_and_told_without_secrets(int status, string why)
    {
        var (host, bucket) = await FakeBucket.StartAsync();
        await using var _ = host;
        using var store = Open(Options(host));
        bucket.Trouble = _ => Task.FromResult(status);
        var failure = await Should.ThrowAsync<IngestionException>(() => PutAsync(store, "acme/1/2/raw.bin", "x"));
        (failure.Code, failure.Code.WaitReason).ShouldBe((ErrorCodes.StorageUnavailable, WaitReasons.Unavailable));
        failure.Message.ShouldContain(why);
        failure.ToString().ShouldNotContain(Secret);
        Directory.EnumerateFileSystemEntries(_work.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Wrong_keys_and_a_bucket_that_is_not_there_are_no_missing_documents()
    {
        var (host, _) = await FakeBucket.StartAsync();
        await using var running = host;
        using (var wrong = Open(Options(host) with { SecretKey = "another" }))
            (await Should.ThrowAsync<IngestionException>(() => wrong.OpenAsync(new("s3://docs/acme/1/2/raw.bin"), Ct))).Message.ShouldContain("SignatureDoesNotMatch");
        using var store = Open(Options(host));
        (await store.OpenAsync(new("s3://docs/acme/1/2/raw.bin"), Ct)).ShouldBeNull();
        (await Should.ThrowAsync<IngestionException>(() => store.OpenAsync(new("s3://gone/acme/1/2/raw.bin"), Ct))).Message.ShouldContain("there is no such bucket");
        await host.DisposeAsync();
        (await Should.ThrowAsync<IngestionException>(() => store.OpenAsync(new("s3://docs/acme/1/2/raw.bin"), Ct))).Code.ShouldBe(ErrorCodes.StorageUnavailable);
    }

    [Fact]
    public void Settings_that_cannot_work_are_refused_by_their_names()
    {
        var valid = new ArtifactOptions { Folder = "/data", RawBucket = "docs", Endpoint = "https://s3.example.org", AccessKey = "a", SecretKey = "s" };
        Problems(valid).ShouldBe("");
        Problems(valid with { Endpoint = "" }).ShouldContain("Ingestion:Artifacts:Endpoint is missing");
        Problems(valid with { SecretKey = "" }).ShouldContain("Ingestion:Artifacts:AccessKey and SecretKey are missing");
        Problems(valid with { RawBucket = "Not A Bucket" }).ShouldContain("Ingestion:Artifacts:RawBucket");
        Problems(valid with { FormerBuckets = [new() { Bucket = "docs" }] }).ShouldContain("Ingestion:Artifacts:FormerBuckets must not name a bucket twice");
    }

    public void Dispose() => _work.Dispose();

    private static string Problems(ArtifactOptions options) => new ArtifactOptionsValidator().Validate(null, options).FailureMessage ?? "";

    private static ArtifactOptions Options(FixtureHost host) => new() { Endpoint = $"http://{host.Target}", Region = "eu-test-1", AccessKey = "AKIDEXAMPLE", SecretKey = Secret, RawBucket = "docs" };

    private S3Store Open(ArtifactOptions options) => new(Microsoft.Extensions.Options.Options.Create(options), new WorkFolder(_work.Path), TimeProvider.System);

    private static Task<Uri> PutAsync(S3Store store, string key, string text) => store.PutAsync(key, Bytes(text), Ct);

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async Task<string> ReadAsync(S3Store store, Uri uri)
    {
        await using var content = (await store.OpenAsync(uri, Ct)).ShouldNotBeNull();
        using var reader = new StreamReader(content);
        return await reader.ReadToEndAsync();
    }
}

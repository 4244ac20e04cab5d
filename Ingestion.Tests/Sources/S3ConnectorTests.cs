using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class S3ConnectorTests
{
    // The example of a signed GET that the documentation of the protocol computes by hand.
    [Fact]
    public void Signature_is_that_of_the_protocols_own_example()
    {
        var headers = S3Signature.Headers(new("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"), "us-east-1", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero));
        headers["Authorization"].ShouldEndWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    }

    [Fact]
    public async Task Every_object_below_the_prefix_is_a_document_whatever_it_is_called()
    {
        var (server, bucket) = await FakeBucket.StartAsync();
        await using var _ = server;
        string[] names = ["in/one.txt", "in/two words+plus.txt", "in/sub/d\u00e9j\u00e0 vu.md", "in/100%.txt", "in/a&b=c.txt"];
        foreach (var name in names) bucket.Objects[name] = Encoding.UTF8.GetBytes($"The text of {name}.");
        bucket.Objects["out/other.txt"] = "Not wanted."u8.ToArray();
        bucket.Objects["in/folder/"] = [];
        bucket.PageSize = 2;
        await using var host = await StartAsync(server);
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "bucket", CancellationToken.None))!.ShouldBe(new ControlResult(true, "The connection works."));
        var batch = await host.SubmitAsync(Taking("s3", "bucket"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(names.ToDictionary(n => n, _ => "done"), ignoreOrder: true);
        bucket.Lists.ShouldBe(1 + 3, "a look by the test, then a page of two at a time");
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Second_sync_fetches_what_changed_and_marks_what_is_gone()
    {
        var (server, bucket) = await FakeBucket.StartAsync();
        await using var _ = server;
        for (var i = 0; i < 8; i++) bucket.Objects[$"in/{i}.txt"] = Encoding.UTF8.GetBytes($"The text of {i}.");
        await using var host = await StartAsync(server);
        await host.EndedAsync(await host.SubmitAsync(Taking("s3", "bucket")));
        bucket.Gets.ShouldBe(8);
        bucket.Objects["in/3.txt"] = "Another text."u8.ToArray();
        bucket.Objects.TryRemove("in/7.txt", out var removed);
        await host.EndedAsync(await host.SubmitAsync(Taking("s3", "bucket")));
        var run = await host.LastRunAsync("bucket");
        (bucket.Gets, run.Listed, run.Added, run.Changed, run.Unchanged, run.Gone).ShouldBe((9, 7, 0, 1, 6, 1));
        bucket.Objects["in/7.txt"] = removed!;
        await host.EndedAsync(await host.SubmitAsync(Taking("s3", "bucket")));
        (await host.LastRunAsync("bucket")).Unchanged.ShouldBe(8);
        (await host.Get<Syncs>().GoneAsync("default", "bucket", 10, CancellationToken.None)).ShouldBeEmpty();
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Missing_object_fails_alone_and_a_store_that_slows_down_is_waited_for()
    {
        var (server, bucket) = await FakeBucket.StartAsync();
        await using var _ = server;
        bucket.Objects["in/one.txt"] = "The first text."u8.ToArray();
        var slow = 2;
        bucket.Trouble = _ => Task.FromResult(Interlocked.Decrement(ref slow) >= 0 ? 503 : 0);
        await using var host = await StartAsync(server);
        var batch = await host.SubmitAsync(Taking("s3", "bucket", ["in/one.txt", "in/gone.txt"]));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["in/one.txt"] = "done", ["in/gone.txt"] = "not_found" }, ignoreOrder: true);
    }

    [Fact]
    public async Task Listing_that_breaks_off_marks_nothing_as_gone()
    {
        var (server, bucket) = await FakeBucket.StartAsync();
        await using var _ = server;
        for (var i = 0; i < 6; i++) bucket.Objects[$"in/{i}.txt"] = Encoding.UTF8.GetBytes($"The text of {i}.");
        bucket.PageSize = 2;
        await using var host = await StartAsync(server);
        await host.EndedAsync(await host.SubmitAsync(Taking("s3", "bucket")));
        bucket.Trouble = context => Task.FromResult(context.Request.Query.ContainsKey("continuation-token") ? 403 : 0);
        (await host.EndedAsync(await host.SubmitAsync(Taking("s3", "bucket")))).State.ShouldBe(BatchState.Failed);
        var run = await host.LastRunAsync("bucket");
        (run.State, run.Gone).ShouldBe(("failed", 0));
        run.Note!.ShouldContain("s3:ListBucket");
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.source_sync_state WHERE absent_runs > 0")).ShouldBe([0]);
    }

    [Theory]
    [InlineData("wrong secret", "s3:ListBucket")]
    [InlineData("wrong bucket", "no bucket")]
    [InlineData("metadata", "metadata service")]
    [InlineData("private", "private network")]
    public async Task Test_says_what_is_missing_and_inner_networks_stay_silent(string what, string sentence)
    {
        var (server, _) = await FakeBucket.StartAsync();
        await using var _2 = server;
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await host.ConnectAsync("s3", "bucket", new
        {
            endpoint = what switch { "metadata" => "http://169.254.169.254/latest", "private" => "http://10.0.0.1/", _ => $"http://{server.Target}" },
            bucket = what == "wrong bucket" ? "other" : "docs", region = "eu-test-1", access_key = "AKIDEXAMPLE", secret_key = what == "wrong secret" ? "x" : "secret/Key+1",
        });
        var result = (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "bucket", CancellationToken.None))!;
        result.Done.ShouldBeFalse();
        result.Message.ShouldContain(sentence);
        result.Message.ShouldNotContain("secret/Key");
    }

    private static async Task<PipelineHost> StartAsync(FixtureHost server)
    {
        var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await host.ConnectAsync("s3", "bucket", FakeBucket.Settings(server, "in/"));
        return host;
    }
}

using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests;

/// <summary>
/// Everything that can be wrong with what people bring, in one batch of the running program: each bad thing ends as a record with a code,
/// a sentence and a remedy; the good things beside it do not notice.
/// </summary>
[Collection(RunningProgram.Name)]
public sealed class BadInputTests(BadInput run, ITestOutputHelper output) : IClassFixture<BadInput>
{
    [Theory]
    [InlineData("empty.txt", "empty")]
    [InlineData("zero.docx", "empty")]
    [InlineData("operators.pdf", "limit_exceeded", "parse_timeout")]
    [InlineData("pages.pdf", "limit_exceeded", "parse_timeout", "corrupt")]
    [InlineData("locked.pdf", "encrypted")]
    [InlineData("noise.bin", "unsupported", "corrupt")]
    [InlineData("/404", "not_found")]
    [InlineData("/410", "gone")]
    [InlineData("/403", "access_denied")]
    [InlineData("/500", "http_server_error")]
    [InlineData("/garbage", "unsupported", "corrupt", "bad_content")]
    [InlineData("/endless", "fetch_timeout")]
    [InlineData("/huge", "too_large")]
    [InlineData("/nothing", "empty")]
    [InlineData("/private", "blocked_url")]
    [InlineData("/circle", "too_many_redirects")]
    [InlineData("http://127.0.0.1:5432/", "blocked_url")]
    [InlineData("http://[::ffff:127.0.0.1]:5432/", "blocked_url")]
    [InlineData("file:///etc/passwd", "invalid_url", "blocked_url")]
    [InlineData("not an address", "invalid_url")]
    public void A_bad_document_ends_with_a_code_a_sentence_and_a_remedy(string source, params string[] codes)
    {
        var failure = run.Failures.Where(f => f.GetProperty("source").GetString() is { } key && (key == source || key == run.Site.Url("").AbsoluteUri.TrimEnd('/') + source))
            .ShouldHaveSingleItem($"{source} did not fail");
        failure.GetProperty("code").GetString().ShouldBeOneOf(codes, failure.ToString());
        failure.GetProperty("reason").GetString()!.ShouldMatch(@"^\S.{10,}\.$");
        failure.GetProperty("remedy").GetString().ShouldBe(ErrorCodes.Find(failure.GetProperty("code").GetString()!).Remedy);
    }

    [Theory]
    [InlineData("no-column.csv", "invalid_manifest")]
    [InlineData("million.csv", "too_many_items")]
    [InlineData("binary.csv", "invalid_manifest")]
    public void A_bad_manifest_ends_likewise_and_makes_nothing(string manifest, string code)
    {
        var error = run.Inputs.Single(i => i.GetProperty("id").GetInt64() == run.InputOf(manifest)).GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe(code);
        error.GetProperty("message").GetString()!.ShouldMatch(@"^\S.{10,}\.$");
        error.GetProperty("remedy").GetString().ShouldBe(ErrorCodes.Find(code).Remedy);
        run.Items.ShouldNotContain(i => i.GetProperty("source_key").GetString()!.StartsWith($"http://127.0.0.1:9/{manifest}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/bom")]
    [InlineData("/semicolon")]
    [InlineData("/good")]
    [InlineData("good.txt")]
    [InlineData("owner-locked.pdf")]
    [InlineData("../../etc/cron.d/climbing.txt")]
    [InlineData("two\uFFFDlines.txt")]
    public void What_is_good_beside_it_is_done(string source)
    {
        var item = run.Items.Single(i => i.GetProperty("source_key").GetString() is { } key && (key == source || key == run.Site.Url("").AbsoluteUri.TrimEnd('/') + source));
        item.GetProperty("state").GetString().ShouldBe("done", item.ToString());
    }

    [Fact]
    public void Names_stay_names()
    {
        run.Items.Select(i => i.GetProperty("name").GetString()).ShouldContain("climbing.txt");
        File.Exists("/etc/cron.d/climbing.txt").ShouldBeFalse();
        Directory.EnumerateFiles(run.Data, "*climbing*", SearchOption.AllDirectories).ShouldBeEmpty();
        Directory.EnumerateFiles(Path.GetDirectoryName(run.Data)!, "*climbing*").ShouldBeEmpty();
    }

    [Fact]
    public void Every_item_has_ended_and_the_batch_says_so()
    {
        run.Batch.GetProperty("state").GetString().ShouldBe("completed");
        var counts = run.Batch.GetProperty("counts");
        counts.GetProperty("total").GetInt32().ShouldBe(run.Items.Count);
        counts.GetProperty("open").GetInt32().ShouldBe(0);
        counts.GetProperty("failed").GetInt32().ShouldBe(run.Failures.Count);
        counts.GetProperty("failed_inputs").GetInt32().ShouldBe(3);
    }

    [Fact]
    public void Five_gigabytes_are_refused_before_the_body()
    {
        run.HugeUpload.ShouldStartWith("HTTP/1.1 413 ");
        run.HugeUpload.ShouldContain("\"code\":\"too_large\"");
        run.HugeUpload.ShouldContain("\"remedy\":");
    }

    [Fact]
    public void Memory_stays_flat()
    {
        output.WriteLine($"working set before {run.MemoryBefore >> 20} MiB, at most {run.MemoryPeak >> 20} MiB while the batch ran");
        (run.MemoryPeak - run.MemoryBefore).ShouldBeLessThan(256L << 20);
    }
}

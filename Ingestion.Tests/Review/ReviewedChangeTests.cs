using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Review;

/// <summary>A published document that changes, and a person between the old text and the new.</summary>
public sealed class ReviewedChangeTests(ITestOutputHelper output)
{
    private static readonly RecordType Song = new("song", [new("raga", FieldKind.Entity, [new(FieldSource.Text, Pattern: "Raga (\\w+)")], "raga", Required: true)]);

    [Fact]
    public async Task Search_finds_the_old_text_until_the_moment_it_finds_the_approved_one()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", [new("kalyani", "Kalyani")], null, CancellationToken.None);
        (await UploadAsync(host, "Raga Kalyani. The kingfisher waits by the river with old words.")).Counts.Done.ShouldBe(1);

        using var enough = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => ReadAsync(host, enough)).ToList();
        // Nobody knows this raga: the new text waits, and readers see nothing of it.
        (await UploadAsync(host, "Raga Xyzzy. The kingfisher waits by the river with new words.")).Counts.AwaitingReview.ShouldBe(1);
        (await host.SearchAsync("kingfisher")).ShouldHaveSingleItem().Text.ShouldContain("old words");
        var review = (await host.Get<ReviewQueries>().ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, CancellationToken.None)).Rows.ShouldHaveSingleItem();
        (await host.Get<ReviewDesk>().ApproveAsync(PipelineHost.Actor, review.Id, 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.publication WHERE revoked_at IS NULL AND document_version_id = (SELECT max(id) FROM ingestion.document_version)");
        (await host.SearchAsync("kingfisher")).ShouldHaveSingleItem().Text.ShouldContain("new words");
        await enough.CancelAsync();

        var seen = await Task.WhenAll(readers);
        output.WriteLine($"{seen.Sum(s => s.Count)} queries, {seen.Sum(s => s.Count(t => t == "gap"))} gaps, {seen.Sum(s => s.Count(t => t == "old"))} old, {seen.Sum(s => s.Count(t => t == "new"))} new");
        foreach (var texts in seen)
        {
            texts[0].ShouldBe("old");
            // After the new one never the old.
            texts.ShouldBe(texts.OrderBy(t => t == "new").ToList());
            texts.ShouldAllBe(t => t == "old" || t == "new");
            texts[^1].ShouldBe("new");
        }
    }

    // What each query found, in order: old, new, or a gap; goes on until one began after the end was said.
    private static async Task<List<string>> ReadAsync(PipelineHost host, CancellationTokenSource enough)
    {
        var seen = new List<string>();
        for (var last = false; !last;)
        {
            last = enough.IsCancellationRequested;
            seen.Add(await host.SearchAsync("kingfisher") is [var hit] ? hit.Text.Contains("new words", StringComparison.Ordinal) ? "new" : "old" : "gap");
        }
        return seen;
    }

    private static async Task<BatchView> UploadAsync(PipelineHost host, string text) => await host.RunAsync(new("Song") { Uploads = [await host.UploadAsync("song.txt", text)] });
}

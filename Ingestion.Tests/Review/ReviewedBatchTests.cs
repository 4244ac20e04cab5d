using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

/// <summary>The whole way past people: pages and files, record types, decisions, search.</summary>
public sealed class ReviewedBatchTests
{
    private static readonly RecordType Song = new("song",
        [
            new("title", FieldKind.Text, [new(FieldSource.Name), new(FieldSource.Css, Selector: "h1")], Required: true),
            new("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga"), new(FieldSource.Meta, "raga")], "raga"),
            new("lyrics", FieldKind.Sections, [new(FieldSource.Labels, Labels: ["pallavi", "charanam"])]),
        ],
        new Dictionary<string, Matcher> { ["raga"] = KrithiRagas });

    private static Matcher KrithiRagas => Resolution.KrithiReference.Ragas;

    [Fact]
    public async Task What_is_sure_passes_what_is_not_waits_and_both_are_found_when_they_are_published()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var host = await HostAsync(site);
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", [new("kalyani", "Kalyāni"), new("mohanam", "Mohanam")], null, CancellationToken.None);
        Page(site, "/sure", "Kalyāni", "zebrafish");
        Page(site, "/conflict", "Mohanam", "yellowtail");
        Page(site, "/unknown", "Xyzzy", "wolverine");
        var submitted = await host.SubmitAsync(new("Songs")
        {
            Urls = [Entry(site, "/sure", "kalyANi"), Entry(site, "/conflict", "kalyANi"), new(site.Url("/unknown").AbsoluteUri, "unknown")],
        });
        var batch = await host.EndedAsync(submitted);
        (batch.State, batch.Counts.Done, batch.Counts.AwaitingReview, batch.Message).ShouldBe((BatchState.Completed, 1, 2, "2 documents wait for review."));
        (await host.SearchAsync("zebrafish")).ShouldHaveSingleItem();
        (await host.SearchAsync("yellowtail")).ShouldBeEmpty();
        await CleanAsync(host);

        var queue = (await host.Get<ReviewQueries>().ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, CancellationToken.None)).Rows;
        queue.Single(r => r.Name == "conflict").Reasons.ShouldBe([ReviewReasons.Conflict]);
        queue.Single(r => r.Name == "unknown").Reasons.ShouldBe([ReviewReasons.Unmatched]);
        var detail = (await host.Get<ReviewQueries>().FindAsync("default", queue.Single(r => r.Name == "conflict").Id, CancellationToken.None))!;
        detail.Fields.Single(f => f.Name == "raga").Others.ShouldBe([new("Mohanam", "meta raga")]);
        detail.Fields.Single(f => f.Name == "lyrics").Parts!.Select(p => p.Label).ShouldBe(["pallavi", "charanam"]);
        detail.QualityParts.ShouldNotBeEmpty();

        var desk = host.Get<ReviewDesk>();
        (await desk.PickAsync(PipelineHost.Actor, detail.Review.Id, 1, "raga", "mohanam", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await desk.ApproveAsync(PipelineHost.Actor, detail.Review.Id, 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await desk.RejectAsync(PipelineHost.Actor with { Reason = "Unknown." }, queue.Single(r => r.Name == "unknown").Id, 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        await DoneAsync(host, submitted, done: 2);
        (await host.SearchAsync("yellowtail")).ShouldHaveSingleItem();
        (await host.SearchAsync("wolverine")).ShouldBeEmpty();
        await CleanAsync(host);

        // Taken back after it was published: gone from search, and asked about again.
        (await desk.UndoAsync(PipelineHost.Actor, detail.Review.Id, 3, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await host.SearchAsync("yellowtail")).ShouldBeEmpty();
        (await host.FindAsync(submitted)).Counts.AwaitingReview.ShouldBe(1);
        await CleanAsync(host);
        (await desk.ApproveAsync(PipelineHost.Actor, detail.Review.Id, 4, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        await DoneAsync(host, submitted, done: 2);
        (await host.SearchAsync("yellowtail")).ShouldHaveSingleItem();
        await CleanAsync(host);
    }

    [Fact]
    public async Task Rows_of_manifests_are_all_reviewed_until_the_collection_lets_them_pass()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var host = await HostAsync(site);
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", [new("kalyani", "Kalyāni")], null, CancellationToken.None);
        var first = await ManifestAsync(host, site, "a");
        (first.Counts.AwaitingReview, first.Counts.Done).ShouldBe((2, 0));
        await host.Get<RecordTypes>().SetAutoAcceptAsync(PipelineHost.Actor, "default", true, CancellationToken.None);
        var second = await ManifestAsync(host, site, "b");
        (second.Counts.AwaitingReview, second.Counts.Done).ShouldBe((0, 2));
        await CleanAsync(host);
    }

    [Fact]
    public async Task What_is_hardly_readable_waits_also_where_nothing_has_to_be_resolved()
    {
        await using var host = await PipelineHost.StartAsync();
        var garbage = string.Join(' ', Enumerable.Repeat("aEKlAX vEr r\" mAm^ rAg\\ яяAvEt crZm^ lMbodr gzgh pEяt vrd vrf {lrAяnt", 10));
        var batch = await host.RunAsync(new("Files") { Uploads = [await host.UploadAsync("good.txt", "A plain sentence that anybody can read."), await host.UploadAsync("bad.txt", garbage)] });
        (batch.Counts.Done, batch.Counts.AwaitingReview).ShouldBe((1, 1));
        var review = (await host.Get<ReviewQueries>().ListAsync("default", new(), ReviewOrder.WorstQuality, 0, 10, CancellationToken.None)).Rows.ShouldHaveSingleItem();
        (review.Name, review.Reasons.Single()).ShouldBe(("bad.txt", ReviewReasons.Quality));
        review.Quality!.Value.ShouldBeLessThan(0.7);
        // The readable one took no way round.
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE stage IN ('resolve', 'review')")).ShouldBe([2]);
        (await host.RunAsync(new("Again") { Uploads = [await host.UploadAsync("bad2.txt", garbage)], Options = new() { QualityThreshold = 0 } })).Counts.Done.ShouldBe(1);
        await CleanAsync(host);
    }

    private static Task<PipelineHost> HostAsync(FixtureHost site) => PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target));

    private static void Page(FixtureHost site, string path, string raga, string word) => site.On(path, async context =>
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync($"<html><head><meta name='Raga' content='{raga}'></head><body><h1>{path}</h1><p>pallavi</p><p>the {word} swims in the river</p><p>charanam</p><p>and sings</p></body></html>");
    });

    private static UrlEntry Entry(FixtureHost site, string path, string raga) => new(site.Url(path).AbsoluteUri, path[1..], new Dictionary<string, string> { ["Raga"] = raga });

    private static async Task<BatchView> ManifestAsync(PipelineHost host, FixtureHost site, string name)
    {
        var table = $"Title,Raga,Url\none,kalyANi,{site.Url($"/{name}/1")}\ntwo,Kalyāni,{site.Url($"/{name}/2")}\n";
        return await host.RunAsync(new(name) { Manifests = [new(await host.UploadAsync($"{name}.csv", Encoding.UTF8.GetBytes(table), "manifest"), "Url", "Title")] });
    }

    private static Task DoneAsync(PipelineHost host, Submitted batch, int done) =>
        host.UntilAsync("SELECT count(*) FILTER (WHERE state = 'done') = $2 AND count(*) FILTER (WHERE state = 'open') = 0 FROM ingestion.import_item WHERE batch_id = $1", batch.BatchId, (long)done);

    private static async Task CleanAsync(PipelineHost host)
    {
        await host.UntilAsync("SELECT NOT EXISTS (SELECT FROM ingestion.import_task_run WHERE state IN ('ready', 'running'))");
        var report = await host.Get<Verification>().RunAsync(new(), CancellationToken.None);
        report.Checks.SelectMany(c => c.First.Select(v => $"{c.Name}: {v.Sentence}")).ShouldBeEmpty();
    }
}

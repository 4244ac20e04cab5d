using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

/// <summary>Decisions on documents that change, or whose source goes away, under the reviewer's hands: one effect each, and who made it is known.</summary>
public sealed class ReviewUnderChangeTests
{
    private static readonly RecordType Song = new("song", [new("raga", FieldKind.Entity, [new(FieldSource.Text, Pattern: "Raga (\\w+)")], "raga", Required: true)]);

    [Fact]
    public async Task Approving_twice_what_comes_in_again_meanwhile_has_one_effect_for_each_item()
    {
        await using var host = await StartAsync();
        var first = await SubmitAsync(host, "Raga Xyzzy. The kingfisher with the first words.");
        (await host.EndedAsync(first)).Counts.AwaitingReview.ShouldBe(1);
        var waiting = await OpenAsync(host);

        // The same document comes in anew while two people, and one of them twice, approve what it was.
        var again = SubmitAsync(host, "Raga Plugh. The kingfisher with the second words.");
        var decided = await Task.WhenAll(new[] { "anna", "anna", "berta" }.Select(who => ApproveAsync(host, who, waiting)));
        decided.Count(r => r.Outcome == ReviewOutcome.Done).ShouldBe(1);
        decided.Count(r => r.Outcome == ReviewOutcome.Conflict && r.Message.Contains("approved", StringComparison.Ordinal)).ShouldBe(2);
        (await host.EndedAsync(await again)).Counts.AwaitingReview.ShouldBe(1);
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.publication");
        (await host.SearchAsync("kingfisher")).ShouldHaveSingleItem().Text.ShouldContain("first words");

        (await ApproveAsync(host, "berta", await OpenAsync(host))).Outcome.ShouldBe(ReviewOutcome.Done);
        await host.UntilAsync("SELECT count(*) = 2 AND (SELECT count(*) FROM ingestion.import_item WHERE state = 'done') = 2 FROM ingestion.publication");
        (await host.SearchAsync("kingfisher")).ShouldHaveSingleItem().Text.ShouldContain("second words");
        // One decision, one audit entry and one end for each item.
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.review_decision GROUP BY review_id")).ShouldBe([1, 1]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'item_done' GROUP BY item_id")).ShouldBe([1, 1]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.audit_entry WHERE action = 'review_approve' AND who IN ('anna', 'berta') GROUP BY target")).ShouldBe([1, 1]);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task What_is_approved_after_its_source_is_gone_is_published_from_what_was_stored()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Text("/song", "<title>Song</title><p>Raga Xyzzy. The kingfisher that was taken off the web while somebody thought about it.</p>");
        await using var host = await StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target));
        (await host.RunAsync(new("Song") { Urls = [new(site.Url("/song").ToString())] })).Counts.AwaitingReview.ShouldBe(1);
        site.Status("/song", 410);
        var asked = site.Requests("/song");

        (await ApproveAsync(host, "anna", await OpenAsync(host))).Outcome.ShouldBe(ReviewOutcome.Done);
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_item WHERE state = 'done'");
        (await host.SearchAsync("kingfisher")).ShouldHaveSingleItem().Text.ShouldContain("off the web");
        site.Requests("/song").ShouldBe(asked);
        await host.VerifiedAsync();
    }

    private static async Task<PipelineHost> StartAsync(params (string, string)[] settings)
    {
        var host = await PipelineHost.StartAsync(settings);
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        // Nobody knows the ragas of these songs: all of them wait.
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", [new("kalyani", "Kalyani")], null, CancellationToken.None);
        return host;
    }

    private static async Task<Submitted> SubmitAsync(PipelineHost host, string text) => await host.SubmitAsync(new("Song") { Uploads = [await host.UploadAsync("song.txt", text)] });

    private static async Task<long> OpenAsync(PipelineHost host) =>
        (await host.Get<ReviewQueries>().ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, CancellationToken.None)).Rows.ShouldHaveSingleItem().Id;

    private static Task<ReviewResult> ApproveAsync(PipelineHost host, string who, long review) => host.Get<ReviewDesk>().ApproveAsync(PipelineHost.Actor with { Name = who }, review, 1, CancellationToken.None);
}

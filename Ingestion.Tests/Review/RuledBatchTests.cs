using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Core.Review.Rules;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

/// <summary>A decision that teaches, through the pipeline.</summary>
public sealed class RuledBatchTests
{
    private static readonly RecordType Song = new("song", [new("raga", FieldKind.Entity, [new(FieldSource.Text, Pattern: "Raga (\\w+)")], "raga", Required: true)]);

    [Fact]
    public async Task What_a_rule_links_is_sampled_and_what_it_links_unsampled_passes()
    {
        await using var host = await PipelineHost.StartAsync(("Ingestion:Review:SampleShare", "1"));
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Song, CancellationToken.None);
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", [new("kalyani", "Kalyani")], null, CancellationToken.None);
        var (desk, rules) = (host.Get<ReviewDesk>(), host.Get<ReviewRules>());
        (await UploadAsync(host, "one")).Counts.AwaitingReview.ShouldBe(1);
        var asked = await OpenAsync(host);
        await desk.PickAsync(PipelineHost.Actor, asked.Id, 1, "raga", "kalyani", CancellationToken.None);
        await desk.ApproveAsync(PipelineHost.Actor, asked.Id, 2, CancellationToken.None);
        var (id, _) = await rules.CreateAsync(PipelineHost.Actor, asked.Id, "raga", RuleKinds.Value, CancellationToken.None);

        // Not yet on: asked as before.
        (await UploadAsync(host, "two")).Counts.AwaitingReview.ShouldBe(1);
        (await OpenAsync(host)).Reasons.ShouldBe([ReviewReasons.Unmatched]);
        (await rules.StartAsync(PipelineHost.Actor, id!.Value, 1, applyToOpen: true, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        // The open one is resolved again by the duty, and belongs to the sample as everything does here.
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.review_item WHERE state = 'open' AND reasons = '{sample}'");
        var sample = await OpenAsync(host);
        var field = (await host.Get<ReviewQueries>().FindAsync("default", sample.Id, CancellationToken.None))!.Fields.Single();
        (field.State, field.Entity, field.Why).ShouldBe((FieldState.Linked, "kalyani", $"Rule {id}: “Xyzzy” means Kalyani."));
        (await desk.ApproveAsync(PipelineHost.Actor, sample.Id, 1, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await rules.FindAsync("default", id.Value, CancellationToken.None))!.Figures.ShouldBe(new(1, 1, 1, 0));

        host.Get<ReviewOptions>().SampleShare = 0;
        (await UploadAsync(host, "three")).Counts.Done.ShouldBe(1);
        (await rules.FindAsync("default", id.Value, CancellationToken.None))!.Figures.ShouldBe(new(2, 1, 1, 0));
    }

    private static async Task<ReviewRow> OpenAsync(PipelineHost host) => (await host.Get<ReviewQueries>().ListAsync("default", new(), ReviewOrder.Oldest, 0, 10, CancellationToken.None)).Rows.ShouldHaveSingleItem();

    private static async Task<BatchView> UploadAsync(PipelineHost host, string name) =>
        await host.RunAsync(new("Song") { Uploads = [await host.UploadAsync($"{name}.txt", $"Raga Xyzzy. The song called {name} has plain words that anybody can read.")] });
}

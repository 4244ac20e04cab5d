using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Resolution;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Review;

/// <summary>Three real manifests and a real list of ragas, through the pipeline: every row staged for people, none lost.</summary>
public sealed class StagedManifestTests(ITestOutputHelper output)
{
    private static readonly RecordType Krithi = new("krithi",
        [
            new("title", FieldKind.Text, [new(FieldSource.Name)], Required: true),
            new("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga")], "raga", Required: true),
            new("composer", FieldKind.Entity, [new(FieldSource.Address, Pattern: "dikshitar|thyagaraja|syama-sastry")], "composer"),
        ],
        new Dictionary<string, Matcher>
        {
            ["raga"] = KrithiReference.Ragas,
            ["composer"] = new([MatchStep.Exact, MatchStep.Folded]),
        });

    [KrithiFact]
    [Trait("Category", "Long")]
    public async Task Every_row_is_staged_and_what_is_certain_passes_once_people_allow_it()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:ConnectionsPerHost", "8"));
        var (entities, map) = (await KrithiReference.EntitiesAsync("ragas.tsv"), await KrithiReference.MapAsync());
        await host.Get<RecordTypes>().SetAsync(PipelineHost.Actor, "default", Krithi, CancellationToken.None);
        await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "composer",
            [Composer("Tyagaraja", "thyagaraja"), Composer("Muthuswami Dikshitar", "dikshitar"), Composer("Syama Sastri", "syama-sastry")], null, CancellationToken.None);
        (await host.Get<ReferenceLists>().LoadAsync(PipelineHost.Actor, "default", "raga", entities, "withheld", CancellationToken.None)).ShouldBe(1);

        var batch = await host.EndedAsync(await SubmitAsync(host, site), TimeSpan.FromMinutes(4));
        (batch.State, batch.Counts.Total, batch.Counts.AwaitingReview, batch.Counts.Failed, batch.Counts.Done).ShouldBe((BatchState.Completed, 1240, 1240, 0, 0));
        var truth = KrithiReference.Truth(entities, map);
        var withheld = await TallyAsync(host, truth);
        output.WriteLine($"spellings withheld: {withheld}");
        withheld.Wrong.ShouldBe(0);

        // The same rows once more, with the spellings known and the sure ones let pass: what is left is what nobody is sure of.
        var (version, unknown) = await host.Get<ReferenceLists>().AddAliasesAsync(PipelineHost.Actor, "default", "raga", map, "the map", CancellationToken.None);
        (version, unknown.Single()).ShouldBe((2, "rAga mAlikA"));
        var reviews = (await host.QueryAsync<long>("SELECT id FROM ingestion.review_item ORDER BY id")).ToArray();
        await host.Get<RecordTypes>().SetAutoAcceptAsync(PipelineHost.Actor, "default", true, CancellationToken.None);
        foreach (var review in reviews) (await host.Get<ReviewDesk>().SendBackAsync(PipelineHost.Actor, review, 1, Stage.Resolve, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        await host.UntilAsync("SELECT NOT EXISTS (SELECT FROM ingestion.import_task_run WHERE state IN ('ready', 'running'))");

        var loaded = await TallyAsync(host, truth);
        output.WriteLine($"spellings loaded: {loaded}");
        loaded.Wrong.ShouldBe(0);
        var guessed = map.Where(m => m.Certainty < 1).Select(m => m.Text).ToHashSet();
        var states = await StatesAsync(host);
        states.Count.ShouldBe(1240);
        states.Where(s => guessed.Contains(s.Raga)).ShouldAllBe(s => s.State == "open");
        states.Count(s => guessed.Contains(s.Raga)).ShouldBe(19);
        states.Where(s => s.Raga == "rAga mAlikA").ShouldAllBe(s => s.State == "open");
        var mapped = await KrithiReference.MappedAsync();
        var right = states.Where(s => mapped.Contains(new(s.Name, s.Raga)) && s.Entity == truth(s.Raga)).ToList();
        output.WriteLine($"of {mapped.Count} mapped rows {right.Count} are linked right; published {states.Count(s => s.State is "done" or "skipped")}, waiting {states.Count(s => s.State == "open")}");
        right.Count.ShouldBeGreaterThanOrEqualTo(580);
        (await host.Get<Verification>().RunAsync(new(Quick: true), CancellationToken.None)).Checks.SelectMany(c => c.First.Select(v => $"{c.Name}: {v.Sentence}")).ShouldBeEmpty();
    }

    private static ReferenceEntity Composer(string name, string alias) => new ReferenceEntity(name, name) with { Aliases = [new(alias)] };

    private static async Task<Submitted> SubmitAsync(PipelineHost host, FixtureHost site)
    {
        var manifests = new List<ManifestEntry>();
        foreach (var file in KrithiSite.Files())
        {
            var table = (await File.ReadAllTextAsync(file)).Replace("http://", $"http://{site.Target}/", StringComparison.Ordinal);
            manifests.Add(new(await host.UploadAsync(Path.GetFileName(file), Encoding.UTF8.GetBytes(table), "manifest"), "Hyperlink", "Krithi"));
        }
        return await host.SubmitAsync(new("Krithis") { Manifests = manifests, Options = new() { MaxWorkers = 16 } });
    }

    private static async Task<Tally> TallyAsync(PipelineHost host, Func<string, string?> truth)
    {
        var tally = new Tally(0, 0, 0, 0);
        foreach (var row in await StatesAsync(host))
            tally = row.Linked is null
                ? row.Offered ? tally with { Blocked = tally.Blocked + 1 } : tally with { Unmatched = tally.Unmatched + 1 }
                : row.Linked == truth(row.Raga) ? tally with { Right = tally.Right + 1 } : tally with { Wrong = tally.Wrong + 1 };
        return tally;
    }

    private static async Task<IReadOnlyList<Row>> StatesAsync(PipelineHost host)
    {
        var rows = await host.QueryAsync<string[]>("""
            SELECT ARRAY[i.name, i.metadata ->> 'Raga', i.state, f.fields::text] FROM ingestion.import_item i JOIN ingestion.item_record f ON f.item_id = i.id ORDER BY i.id
            """);
        return [.. rows.Select(r =>
        {
            var raga = ResolvedField.FromJson(r[3]).Single(f => f.Name == "raga");
            return new Row(r[0], r[1], r[2], raga.EntityName, raga.EntityName ?? raga.Candidates?.FirstOrDefault()?.Name, raga.Candidates is { Count: > 0 });
        })];
    }

    private sealed record Row(string Name, string Raga, string State, string? Linked, string? Entity, bool Offered);

    private sealed record Tally(int Right, int Wrong, int Blocked, int Unmatched)
    {
        public override string ToString() => $"{Right + Wrong + Blocked + Unmatched} rows: {Right} right, {Wrong} wrong, {Blocked} blocked with candidates, {Unmatched} blocked without";
    }
}

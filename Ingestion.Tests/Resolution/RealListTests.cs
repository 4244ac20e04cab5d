using System.Diagnostics;
using Ingestion.Core.Resolution;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Resolution;

/// <summary>972 ragas, 1,240 rows that name one, and 172 spellings that somebody looked up.</summary>
public sealed class RealListTests(ITestOutputHelper output)
{
    [KrithiFact]
    public async Task Without_the_known_spellings_no_link_is_wrong()
    {
        var (entities, map) = (await KrithiReference.EntitiesAsync("ragas.tsv"), await KrithiReference.MapAsync());
        var tally = await TallyAsync(new(entities, KrithiReference.Ragas), entities, map);
        output.WriteLine($"spellings withheld: {tally}");
        tally.Rows.ShouldBe(1240);
        tally.Wrong.ShouldBe(0);
        tally.Right.ShouldBeGreaterThan(650);
    }

    [KrithiFact]
    public async Task With_them_what_is_certain_is_linked_and_what_was_guessed_waits()
    {
        var (entities, map) = (await KrithiReference.EntitiesAsync("ragas.tsv"), await KrithiReference.MapAsync());
        var known = entities.Select(e => e with { Aliases = [.. map.Where(m => m.Entity == e.Name).Select(m => new EntityAlias(m.Text, m.Certainty))] }).ToList();
        var index = new ReferenceIndex(known, KrithiReference.Ragas);
        var tally = await TallyAsync(index, known, map);
        output.WriteLine($"spellings loaded: {tally}");
        tally.Wrong.ShouldBe(0);

        var certain = map.ToDictionary(m => m.Text, m => m.Certainty);
        var rows = (await KrithiReference.RowsAsync()).Where((await KrithiReference.MappedAsync()).Contains).ToList();
        rows.Count.ShouldBe(599);
        var mapped = new Tally();
        foreach (var row in rows) mapped = mapped.With(index.Match(row.Raga), KrithiReference.Truth(entities, map)(row.Raga));
        output.WriteLine($"the mapped ones: {mapped}");
        mapped.Right.ShouldBeGreaterThanOrEqualTo(580);
        var guessed = rows.Where(r => certain[r.Raga] < 1).ToList();
        guessed.Count.ShouldBe(19);
        guessed.ShouldAllBe(r => !Tally.IsLink(index.Match(r.Raga)));
        rows.Where(r => r.Raga == "rAga mAlikA").ShouldAllBe(r => !Tally.IsLink(index.Match(r.Raga)));
    }

    [KrithiFact]
    public async Task Resolving_all_rows_takes_a_moment()
    {
        var (entities, rows) = (await KrithiReference.EntitiesAsync("ragas.tsv"), await KrithiReference.RowsAsync());
        var clock = Stopwatch.StartNew();
        var index = new ReferenceIndex(entities, KrithiReference.Ragas);
        var made = clock.Elapsed;
        var candidates = rows.Sum(r => index.Match(r.Raga).Candidates.Count);
        output.WriteLine($"{rows.Count} rows against {entities.Count} entities: {clock.ElapsedMilliseconds} ms, {made.TotalMilliseconds:0} of them to make the index; {candidates} candidates");
        candidates.ShouldBeGreaterThan(1000);
    }

    private async Task<Tally> TallyAsync(ReferenceIndex index, IReadOnlyList<ReferenceEntity> entities, IReadOnlyList<NamedAlias> map)
    {
        var truth = KrithiReference.Truth(entities, map);
        var tally = new Tally();
        foreach (var row in await KrithiReference.RowsAsync())
        {
            var match = index.Match(row.Raga);
            if (Tally.IsLink(match) && match.Best!.Name != truth(row.Raga)) output.WriteLine($"wrong: {row.Krithi}, “{row.Raga}” is {truth(row.Raga)} and not {match.Best.Name} ({match.Best.Why})");
            tally = tally.With(match, truth(row.Raga));
        }
        return tally;
    }

    private sealed record Tally(int Right = 0, int Wrong = 0, int Offered = 0, int Unmatched = 0)
    {
        public int Rows => Right + Wrong + Offered + Unmatched;

        public static bool IsLink(MatchResult match) => match.Doubt is null && match.Confidence >= Matcher.DefaultAccept;

        public Tally With(MatchResult match, string? truth) => IsLink(match)
            ? match.Best!.Name == truth ? this with { Right = Right + 1 } : this with { Wrong = Wrong + 1 }
            : match.Best is null ? this with { Unmatched = Unmatched + 1 } : this with { Offered = Offered + 1 };

        public override string ToString() => $"{Rows} rows: {Right} right, {Wrong} wrong, {Offered} blocked with candidates, {Unmatched} blocked without";
    }
}

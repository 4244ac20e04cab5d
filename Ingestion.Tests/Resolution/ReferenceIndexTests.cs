using Ingestion.Core.Resolution;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Resolution;

public sealed class ReferenceIndexTests
{
    private static readonly Matcher Indic = new([MatchStep.Exact, MatchStep.Folded, MatchStep.Transliterated, MatchStep.Trigram, MatchStep.EditDistance], Reading.Letters, ["scale"]);

    [Fact]
    public void The_step_by_which_a_name_is_found_says_how_sure_it_is()
    {
        var index = Index(Entity("Bhoopālam"), Entity("Shreeranjani"), Entity("Kāpi"));
        index.Match("Bhoopālam").Confidence.ShouldBe(1);
        index.Match("bhoopalam").Confidence.ShouldBe(0.97);
        index.Match("bhUpALaM").Confidence.ShouldBe(0.95);
        index.Match("bhUpAlA").Confidence.ShouldBeInRange(0.7, 0.9);
        index.Match("bhUpaLamu r").Confidence.ShouldBeInRange(0.35, 0.75);
        index.Match("xyzzy").Candidates.ShouldBeEmpty();
        index.Match("  ").Candidates.ShouldBeEmpty();
    }

    [Fact]
    public void Without_the_folding_step_case_decides()
    {
        var exact = new ReferenceIndex([Entity("rAga"), Entity("raga")], new([MatchStep.Exact], Reading.Letters));
        exact.Match("rAga").Best!.Name.ShouldBe("rAga");
        exact.Match("RAGA").Candidates.ShouldBeEmpty();
    }

    [Fact]
    public void What_could_be_two_entities_is_never_sure()
    {
        var match = Index(Entity("Gowla"), Entity("Gaula")).Match("gauLa");
        match.Candidates.Select(c => c.Name).ShouldBe(["Gaula", "Gowla"], ignoreOrder: true);
        match.Confidence.ShouldBeLessThanOrEqualTo(0.6);
        match.Doubt!.ShouldContain("Gowla");
    }

    [Fact]
    public void A_spelling_that_the_list_knows_settles_it()
    {
        var match = Index(Entity("Gowla", "gauLa"), Entity("Gaula")).Match("gauLa");
        (match.Best!.Name, match.Confidence, match.Doubt).ShouldBe(("Gowla", 0.99, null));
    }

    [Fact]
    public void Twins_by_what_tells_an_entity_are_a_persons_business()
    {
        var same = new Dictionary<string, string> { ["scale"] = "S R1 G2 M1" };
        var index = Index(Entity("Todi") with { Attributes = same }, Entity("Hanumatodi") with { Attributes = same }, Entity("Mohanam") with { Attributes = same });
        index.Match("tODi").Doubt!.ShouldContain("Hanumatodi");
        // Shares the scale, but no name with the others.
        index.Match("mOhanaM").Doubt.ShouldBeNull();
    }

    [Fact]
    public void A_guess_is_offered_and_never_decides()
    {
        var match = Index(Entity("Soma") with { Aliases = [new("sAma", 0.6)] }, Entity("Sharāvathi")).Match("sAma");
        match.Best!.Name.ShouldBe("Soma");
        match.Confidence.ShouldBeLessThanOrEqualTo(0.6);
        match.Doubt.ShouldNotBeNull();
    }

    [Fact]
    public void Each_part_of_a_double_name_is_a_name() => Index(Entity("Dwijāvanthi /Jujāvanthi"), Entity("Pharaju  {Hindustani}")).Match("jujAvanti").Best!.Name.ShouldStartWith("Dwij");

    [Fact]
    public void At_most_nine_are_offered() => Index([.. Enumerable.Range(0, 40).Select(i => Entity($"Kalyani{(char)('a' + i % 26)}{i}"))]).Match("kalyAni").Candidates.Count.ShouldBeLessThanOrEqualTo(9);

    private static ReferenceIndex Index(params ReferenceEntity[] entities) => new(entities, Indic);

    private static ReferenceEntity Entity(string name, params string[] aliases) =>
        new ReferenceEntity(name, name) with { Aliases = [.. aliases.Select(a => new EntityAlias(a))] };
}

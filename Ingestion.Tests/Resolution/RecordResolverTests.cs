using Ingestion.Core.Parsing;
using Ingestion.Core.Resolution;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Resolution;

public sealed class RecordResolverTests
{
    private static readonly RecordType Song = new("song",
        [
            new("title", FieldKind.Text, [new(FieldSource.Name), new(FieldSource.Title)], Required: true),
            new("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga"), new(FieldSource.Title, Pattern: "Raga (.+)$")], "raga"),
            new("composer", FieldKind.Entity, [new(FieldSource.Column, "Composer")], "composer"),
        ],
        new Dictionary<string, Matcher> { ["raga"] = KrithiReference.Ragas with { Reject = 0.2 } });

    [Fact]
    public void What_is_sure_is_linked_and_the_record_accepted()
    {
        var record = Resolve("""{"Raga":"kIravANi"}""");
        var raga = record.Fields[1];
        (raga.State, raga.Entity, raga.ListVersion, raga.Confidence, raga.Found).ShouldBe((FieldState.Linked, "keeravani", 7, 0.95, new FoundValue("kIravANi", "column Raga")));
        (record.Accepted, record.Confidence, record.Refused).ShouldBe((true, 0.95, null));
        record.Fields[2].State.ShouldBe(FieldState.Empty);
    }

    [Fact]
    public void Nothing_close_and_nobody_to_ask_look_different()
    {
        var record = Resolve("""{"Raga":"xyzzy","Composer":"Tyagaraja"}""");
        record.Fields[1].State.ShouldBe(FieldState.Unmatched);
        record.Fields[2].State.ShouldBe(FieldState.NoList);
        (record.Accepted, record.Confidence).ShouldBe((false, 0d));
    }

    [Fact]
    public void Page_and_manifest_that_mean_different_things_stay_side_by_side()
    {
        var record = Resolve("""{"Raga":"kIravANi"}""", title: "Some song - Raga Mohanam");
        var raga = record.Fields[1];
        (raga.Conflict, raga.Others!.Single()).ShouldBe((true, new("Mohanam", "title")));
        raga.Why!.ShouldContain("Mohanam");
        record.Accepted.ShouldBeFalse();
        // Two habits of spelling the same thing are no conflict.
        Resolve("""{"Raga":"kIravANi"}""", title: "Some song - Raga Keeravani").Fields[1].Conflict.ShouldBeFalse();
    }

    [Fact]
    public void Below_the_threshold_of_its_type_a_document_is_turned_away() => Resolve("""{"Raga":"xyzzy"}""").Refused!.ShouldContain("xyzzy");

    [Fact]
    public void A_required_field_that_is_missing_keeps_it_from_going_on() => Resolve("""{"Raga":"kIravANi"}""", name: " ", title: null).Accepted.ShouldBeFalse();

    [Fact]
    public void Fields_survive_being_stored()
    {
        var fields = Resolve("""{"Raga":"kIravANi","Composer":"x"}""", title: "Other - Raga Mohanam").Fields;
        ResolvedField.ToJson(ResolvedField.FromJson(ResolvedField.ToJson(fields))).ShouldBe(ResolvedField.ToJson(fields));
    }

    private static ResolvedRecord Resolve(string metadata, string name = "a song", string? title = "a song")
    {
        var ragas = new ReferenceIndex([new("keeravani", "Keeravāni"), new("mohanam", "Mohanam")], Song.MatcherOf("raga"));
        return RecordResolver.Resolve(new(Song), new(name, title, "http://x", RecordSources.ParseMetadata(metadata), new Dictionary<PageSelector, string>(), ""),
            new Dictionary<string, (ListVersion, ReferenceIndex)> { ["raga"] = (new(1, "raga", 7), ragas) });
    }
}

using System.Text.Json;
using Ingestion.Core.Parsing;
using Ingestion.Core.Resolution;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Resolution;

public sealed class FieldExtractorTests
{
    private static readonly RecordSources Song = new(
        "SrI rAma candrO", "Dikshitar Kriti - Sri Ramachandro - Raga Sri Ranjani", "http://guru-guha.example/2008/08/sri-ramachandro-raga.html",
        RecordSources.ParseMetadata("""{"Raga":"SrI ranjani","Tala":" ","n":3}"""),
        new Dictionary<PageSelector, string> { [new("h3.post-title", null)] = " Sri  Ramachandro\n" },
        "# Song\n\nraga: SrI ranjani\n\n## Meaning\n\nHe who is Rama.\n\n## pallavi\nSrI rAma candrO\n\n**anupallavi:**\nASrita jana\n\ncharanam\nline one\ncharanam\nline two\n");

    [Fact]
    public void Every_rule_that_finds_something_is_kept_and_the_first_decides()
    {
        var type = Type(new RecordField("raga", FieldKind.Text,
            [new(FieldSource.Column, "Tala"), new(FieldSource.Column, "raga"), new(FieldSource.Title, Pattern: "Raga (.+)$"), new(FieldSource.Text, Pattern: "^raga: (.+)$")]));
        new FieldExtractor(type).Read(type.Fields[0], Song).ShouldBe([new("SrI ranjani", "column raga"), new("Sri Ranjani", "title"), new("SrI ranjani", "text")]);
    }

    [Fact]
    public void Pages_addresses_headings_and_constants_are_read()
    {
        Read(new FieldRule(FieldSource.Css, Selector: "h3.post-title")).ShouldBe("Sri Ramachandro");
        Read(new FieldRule(FieldSource.Address, Pattern: "//([^.]+)")).ShouldBe("guru-guha");
        Read(new FieldRule(FieldSource.Text, "meaning")).ShouldBe("He who is Rama.");
        Read(new FieldRule(FieldSource.Constant, Value: "sa")).ShouldBe("sa");
        Read(new FieldRule(FieldSource.Name)).ShouldBe("SrI rAma candrO");
        Read(new FieldRule(FieldSource.Meta, "author")).ShouldBeNull();
    }

    [Fact]
    public void Labelled_parts_are_in_the_order_of_the_text_and_a_label_may_come_again()
    {
        var field = new RecordField("lyrics", FieldKind.Sections, [new(FieldSource.Labels, Labels: ["pallavi", "anupallavi", "charanam"])]);
        FieldExtractor.Parts(field, Song).ShouldBe([new("pallavi", "SrI rAma candrO"), new("anupallavi", "ASrita jana"), new("charanam", "line one"), new("charanam", "line two")]);
    }

    [Fact]
    public void A_hostile_text_does_not_hold_a_pattern_up()
    {
        var rule = new FieldRule(FieldSource.Text, Pattern: "(a+)+$");
        var type = Type(new RecordField("x", FieldKind.Text, [rule]));
        new FieldExtractor(type).Read(type.Fields[0], Song with { Markdown = new string('a', 100_000) + "!" }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"text","rules":[{"from":"css","selector":"p["}]}]}""", "CSS")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"text","rules":[{"from":"text","pattern":"(?=a)"}]}]}""", "pattern")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"entity","rules":[{"from":"name"}]}]}""", "entity_type")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"text","rules":[{"from":"column"}]}]}""", "needs name")]
    [InlineData("""{"name":"x","fields":[]}""", "1 to")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"text","rules":[{"from":"labels","labels":["p"]}]}]}""", "sections")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"text","rules":[{"from":"name"}]}],"matchers":{"t":{"steps":["exact"],"accept":0.2,"reject":0.5}}}""", "thresholds")]
    public void What_cannot_be_used_is_said(string json, string word) => RecordTypeProblems.Of(RecordType.Parse(json)).ShouldContain(p => p.Contains(word));

    [Theory]
    [InlineData("""{"name":"x"}""")]
    [InlineData("""{"name":"x","fields":[],"more":1}""")]
    [InlineData("""{"name":"x","fields":[{"name":"a","kind":"picture","rules":[]}]}""")]
    [InlineData("[]")]
    public void What_is_no_record_type_is_refused(string json) => Should.Throw<JsonException>(() => RecordType.Parse(json));

    [Fact]
    public void A_record_type_is_the_same_after_it_was_stored()
    {
        var type = Type(new RecordField("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga")], "raga", true)) with { Matchers = new Dictionary<string, Matcher> { ["raga"] = KrithiReference.Ragas } };
        RecordType.Parse(type.ToJson()).ToJson().ShouldBe(type.ToJson());
    }

    private static string? Read(FieldRule rule)
    {
        var type = Type(new RecordField("x", FieldKind.Text, [rule]));
        return new FieldExtractor(type).Read(type.Fields[0], Song).FirstOrDefault()?.Value;
    }

    private static RecordType Type(params RecordField[] fields) => new("song", fields);
}

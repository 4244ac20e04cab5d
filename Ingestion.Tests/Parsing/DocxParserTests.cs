using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Parsing.OfficeSamples;

namespace Ingestion.Tests.Parsing;

public sealed class DocxParserTests : ParserConformance
{
    private const string Styles = """
        <w:styles NAMESPACES><w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
        <w:style w:type="paragraph" w:styleId="Eigen"><w:name w:val="Eigene"/><w:basedOn w:val="berschrift2"/></w:style>
        <w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style></w:styles>
        """;

    private const string Numbering = """
        <w:numbering NAMESPACES><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
        <w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>
        """;

    protected override string Format => "docx";

    protected override byte[] Sample() => Docx(P("The quick brown fox") + P("jumps over Größenwahn."));

    protected override byte[] Blank() => Docx("<w:p/><w:p/>");

    private async Task<string> MarkdownAsync(string body, Dictionary<string, string>? parts = null, string relations = "") =>
        (await ParseAsync(Docx(body, parts, relations))).Markdown;

    private static string Style(string id) => $"""<w:pStyle w:val="{id}"/>""";

    private static string Item(int level) => $"""<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>""";

    [Fact]
    public async Task Headings_are_known_by_the_names_of_their_styles_in_any_language_and_through_based_on()
    {
        var document = await ParseAsync(Docx(P("Eins", Style("berschrift1")) + P("Zwei", Style("Eigen")) + P("Text"), new() { ["styles"] = Styles }));
        document.Markdown.ShouldBe("# Eins\n\n## Zwei\n\nText\n");
        document.Title.ShouldBe("Eins");
    }

    [Fact]
    public async Task Lists_count_and_nest() =>
        (await MarkdownAsync(P("a", Item(0)) + P("b", Item(1)) + P("c", Item(0)), new() { ["numbering"] = Numbering })).ShouldBe("1. a\n    - b\n2. c\n");

    [Fact]
    public async Task Merged_cells_stand_in_every_row_they_cover() =>
        (await MarkdownAsync($"""
            <w:tbl><w:tr><w:tc>{P("Year")}</w:tc><w:tc>{P("City")}</w:tc></w:tr>
            <w:tr><w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{P("2024")}</w:tc><w:tc>{P("Rome")}</w:tc></w:tr>
            <w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc>{P("Oslo")}</w:tc></w:tr></w:tbl>
            """)).ShouldBe("| Year | City |\n| --- | --- |\n| 2024 | Rome |\n| 2024 | Oslo |\n");

    [Fact]
    public async Task Tracked_deletions_are_left_out_and_insertions_kept() =>
        (await MarkdownAsync($"""<w:p>{R("stays ")}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins>{R("new")}</w:ins></w:p>""")).ShouldBe("stays new\n");

    [Fact]
    public async Task Links_of_both_kinds_are_links()
    {
        var markdown = await MarkdownAsync(
            $"""
            <w:p><w:hyperlink r:id="h1">{R("new")}</w:hyperlink>{R(" and ")}<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> HYPERLINK "https://b.example/" </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>{R("old")}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>
            """,
            relations: """<Relationship Id="h1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="https://a.example/" TargetMode="External"/>""");
        markdown.ShouldBe("[new](https://a.example/) and [old](https://b.example/)\n");
    }

    [Fact]
    public async Task A_link_that_is_no_address_does_not_cost_the_document() =>
        (await MarkdownAsync(P("still here"), relations: """<Relationship Id="h1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink" Target="mailto:a@b@c d:::" TargetMode="External"/>"""))
            .ShouldBe("still here\n");

    [Fact]
    public async Task Footnotes_stand_at_the_end()
    {
        var notes = $"""<w:footnotes NAMESPACES><w:footnote w:id="2">{P("As noted.")}</w:footnote></w:footnotes>""";
        (await MarkdownAsync($"""<w:p>{R("Said")}<w:r><w:footnoteReference w:id="2"/></w:r></w:p>""", new() { ["footnotes"] = notes })).ShouldBe("Said[^2]\n\n[^2]: As noted.\n");
    }

    [Fact]
    public async Task Text_boxes_are_read_once() =>
        (await MarkdownAsync($"""
            <w:p>{R("Body")}<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:txbx><w:txbxContent>{P("Boxed")}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>
            <mc:Fallback><w:pict><v:textbox><w:txbxContent>{P("Boxed")}</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>
            """)).ShouldBe("Body\n\nBoxed\n");

    [Fact]
    public async Task Formulas_become_LaTeX() =>
        (await MarkdownAsync("<w:p><m:oMath><m:r><m:t>E=m</m:t></m:r><m:sSup><m:e><m:r><m:t>c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>"))
            .ShouldBe("$E=mc^{2}$\n");

    [Fact]
    public async Task A_document_type_is_refused_and_no_entity_resolved()
    {
        var bytes = Docx(P("&x;"), prolog: "<!DOCTYPE w [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>");
        (await Should.ThrowAsync<IngestionException>(() => ParseAsync(bytes))).Code.ShouldBe(ErrorCodes.Corrupt);
    }

    [Fact]
    public async Task A_zip_bomb_is_a_limit()
    {
        var bytes = Docx(P("x") + new string(' ', 60_000_000));
        bytes.Length.ShouldBeLessThan(1_000_000);
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(bytes));
        error.Code.ShouldBe(ErrorCodes.LimitExceeded);
        error.Message.ShouldContain("ratio");
    }

    [Fact]
    public async Task Nesting_beyond_reason_is_a_limit()
    {
        var bytes = Docx(string.Concat(Enumerable.Repeat("<w:sdt><w:sdtContent>", 20_000)) + P("x") + string.Concat(Enumerable.Repeat("</w:sdtContent></w:sdt>", 20_000)));
        (await Should.ThrowAsync<IngestionException>(() => ParseAsync(bytes))).Code.ShouldBe(ErrorCodes.LimitExceeded);
    }
}

using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class CsvParserTests : ParserConformance
{
    protected override string Format => "csv";

    protected override byte[] Sample() => "animal,trait\r\nThe quick brown fox,Größenwahn\r\n"u8.ToArray();

    protected override byte[] Blank() => ",,,\n,,,\n"u8.ToArray();

    [Theory]
    [InlineData("a,b\n1,2\n")]
    [InlineData("a;b\n1;2\n")]
    [InlineData("a\tb\r\n1\t2\r\n")]
    [InlineData("a|b\r1|2\r")]
    [InlineData("sep=;\na;b\n1;2\n")]
    [InlineData("\uFEFF\"a\",\"b\"\n\"1\",\"2\"")]
    public async Task Delimiters_line_ends_and_marks_are_told_apart(string csv) =>
        (await ParseAsync(System.Text.Encoding.UTF8.GetBytes(csv))).Markdown.ShouldBe("| a | b |\n| --- | --- |\n| 1 | 2 |\n");

    [Fact]
    public async Task Quotes_protect_delimiters_line_ends_and_quotes() =>
        (await ParseAsync("name,says\nJohn,\"Hi, \"\"you\"\"\nthere | now\"\n"u8.ToArray())).Markdown.ShouldContain("| John | Hi, \"you\" there \\| now |");

    [Fact]
    public async Task Ragged_rows_keep_every_field() =>
        (await ParseAsync("a,b\n1\n1,2,3\n"u8.ToArray())).Markdown.ShouldBe("| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 1 | 2 | 3 |\n");

    [Fact]
    public async Task A_line_above_the_header_becomes_the_title()
    {
        var document = await ParseAsync("Stanley Cups,,\nTeam,City,Cups\nBlues,STL,1\n"u8.ToArray());
        document.Title.ShouldBe("Stanley Cups");
        document.Markdown.ShouldContain("| Team | City | Cups |\n| --- |");
    }

    [Fact]
    public async Task Wide_rows_become_records_that_name_their_columns()
    {
        var columns = Enumerable.Range(1, 40).ToList();
        var csv = string.Join(',', columns.Select(c => $"col{c}")) + "\n" + string.Join(',', columns.Select(c => $"v{c}")) + "\n";
        var markdown = (await ParseAsync(System.Text.Encoding.UTF8.GetBytes(csv))).Markdown;
        markdown.ShouldStartWith("## Row 1: v1\n");
        markdown.ShouldContain("- **col40**: v40\n");
    }

    [Fact]
    public async Task Addresses_in_cells_are_links() =>
        (await ParseAsync("t,u\nx,https://a.example/1\n"u8.ToArray())).Links.ShouldHaveSingleItem().Target.ShouldBe("https://a.example/1");

    [Fact]
    public async Task An_unbalanced_quote_does_not_lose_the_rest() =>
        (await ParseAsync("a,b\n1,\"open\n2,end\n"u8.ToArray())).Markdown.ShouldContain("end");
}

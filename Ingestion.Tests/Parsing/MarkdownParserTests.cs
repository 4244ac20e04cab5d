using System.Text;
using Ingestion.Core.Parsing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class MarkdownParserTests : ParserConformance
{
    protected override string Format => "md";

    protected override byte[] Sample() => "# The quick brown fox\n\njumps over *Größenwahn*.\n"u8.ToArray();

    protected override byte[] Blank() => "\n\n---\n\n"u8.ToArray();

    [Fact]
    public async Task Front_matter_becomes_the_title_and_leaves_the_text()
    {
        var document = await ParseAsync("---\ntitle: \"On Foxes\"\ntags:\n  - a\n---\n\n# Other\n\nText\n"u8.ToArray());
        document.Title.ShouldBe("On Foxes");
        document.Markdown.ShouldBe("# Other\n\nText\n");
    }

    [Fact]
    public async Task A_rule_at_the_top_is_not_front_matter() =>
        (await ParseAsync("---\nJust a text.\n---\nMore.\n"u8.ToArray())).Markdown.ShouldContain("Just a text.");

    [Fact]
    public async Task The_first_heading_is_the_title_where_nothing_else_is() =>
        (await ParseAsync("Intro\n\n# Foxes #\n"u8.ToArray())).Title.ShouldBe("Foxes");

    [Fact]
    public async Task Links_are_collected_once_resolved_and_not_from_code()
    {
        var raw = Files.Add("a.md", "[one](../x.html) ![pic](p.png) <https://b.example/> [one](../x.html \"t\")\n[ref]: https://c.example/a(b)\n```\n[no](https://no.example/)\n```\n[bad](javascript:alert(1))\n",
            url: new Uri("https://a.example/docs/a.md"));
        var document = await Create().ParseAsync(raw, null, CancellationToken.None);
        document.Links.ShouldBe([new("https://a.example/x.html", "one"), new("https://b.example/", "https://b.example/"), new("https://c.example/a%28b%29", "ref")]);
    }

    [Fact]
    public async Task Deep_nesting_and_brackets_without_end_take_no_time()
    {
        var text = string.Concat(Enumerable.Repeat("> ", 100_000)) + "x\n" + new string('[', 500_000) + string.Concat(Enumerable.Repeat("](", 200_000));
        (await ParseAsync(Encoding.UTF8.GetBytes(text)).WaitAsync(TimeSpan.FromSeconds(20))).Markdown.ShouldNotBeEmpty();
    }
}

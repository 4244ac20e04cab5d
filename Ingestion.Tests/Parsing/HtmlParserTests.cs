using System.Text;
using Ingestion.Core.Parsing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class HtmlParserTests : ParserConformance
{
    protected override string Format => "html";

    protected override byte[] Sample() => "<!doctype html><title>Fox</title><body><h1>Fox</h1><p>The quick brown fox <b>jumps</b> over Größenwahn.</p>"u8.ToArray();

    protected override byte[] Blank() => "<!doctype html><html><head><title>t</title><script>var x = 'text';</script></head><body><div> </div></body></html>"u8.ToArray();

    private async Task<ParsedDocument> HtmlAsync(string html, string? url = null) =>
        await Create().ParseAsync(Files.Add("a.html", html, url: url is null ? null : new Uri(url)), null, CancellationToken.None);

    private async Task<string> BodyAsync(string body) => (await HtmlAsync($"<!doctype html><meta charset=utf-8><body>{body}</body>")).Markdown;

    [Fact]
    public async Task Chrome_is_left_out_and_content_kept()
    {
        var markdown = await BodyAsync($"""
            <header><a href="/">Home</a> Shop</header><nav><ul><li><a href="/a">Menu entry</a></li></ul></nav>
            <div class="sidebar"><a href="/r1">Related one</a> <a href="/r2">Related two</a></div>
            <main><h1>Story</h1><p>{string.Concat(Enumerable.Repeat("What the page is about. ", 30))}</p></main>
            <footer><a href="/imprint">Imprint</a></footer>
            """);
        markdown.ShouldContain("# Story");
        markdown.ShouldContain("What the page is about.");
        foreach (var chrome in (string[])["Menu entry", "Related one", "Imprint", "Home"]) markdown.ShouldNotContain(chrome);
    }

    [Fact]
    public async Task A_main_part_that_holds_little_of_the_page_does_not_cost_the_rest()
    {
        var markdown = await BodyAsync($"<main><p>Short.</p></main><div><p>{string.Concat(Enumerable.Repeat("Most of the text. ", 50))}</p></div>");
        markdown.ShouldContain("Most of the text.");
        markdown.ShouldContain("Short.");
    }

    [Fact]
    public async Task Lists_nest() =>
        (await BodyAsync("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul><ol start=3><li>x</li><li>y</li></ol>"))
            .ShouldBe("- a\n  - b\n- c\n\n3. x\n4. y\n");

    [Fact]
    public async Task Code_keeps_its_lines_and_its_language() =>
        (await BodyAsync("""<pre><code class="language-csharp">if (a &lt; b)<br>    return "```";</code></pre>"""))
            .ShouldBe("````csharp\nif (a < b)\n    return \"```\";\n````\n");

    [Fact]
    public async Task Spans_are_filled_so_that_a_row_is_understood_alone() =>
        (await BodyAsync("<table><tr><th>Year</th><th>City|Town</th></tr><tr><td rowspan=2>2024</td><td>Rome</td></tr><tr><td>Oslo</td></tr></table>"))
            .ShouldBe("| Year | City\\|Town |\n| --- | --- |\n| 2024 | Rome |\n| 2024 | Oslo |\n");

    [Fact]
    public async Task Layout_tables_are_read_as_text()
    {
        var markdown = await BodyAsync("<table><tr><td><h2>Left</h2><p>One.</p></td><td><table><tr><td>Inner</td></tr></table></td></tr></table>");
        markdown.ShouldNotContain("|");
        markdown.ShouldContain("## Left\n\nOne.\n\nInner");
    }

    [Fact]
    public async Task Links_are_resolved_against_the_base_and_dangerous_ones_dropped()
    {
        var document = await HtmlAsync("""<!doctype html><base href="/docs/"><p><a href="x y.html">X</a> <a href="javascript:alert(1)">J</a> <a href="#f">F</a> <a href=" HTTPS://b.example/ ">B</a> <img src="i.png" alt="A fox"><img src="data:image/png;base64,xx" alt="inline">""", "https://a.example/p/q");
        document.Markdown.ShouldBe("[X](https://a.example/docs/x%20y.html) J F [B](https://b.example/) ![A fox](https://a.example/docs/i.png)inline\n");
        document.Links.Select(l => l.Target).ShouldBe(["https://a.example/docs/x%20y.html", "https://b.example/"]);
    }

    [Fact]
    public async Task Scripts_styles_and_hidden_parts_are_not_text()
    {
        var markdown = await BodyAsync("""<p>Seen</p><script>bad()</script><style>.bad{}</style><p hidden>bad</p><p style="display: none">bad</p><template>bad</template>""");
        markdown.ShouldBe("Seen\n");
    }

    [Fact]
    public async Task Markup_in_text_is_escaped_so_that_it_stays_text() =>
        (await BodyAsync("<p>&lt;script&gt; *stars* snake_case 2 * 3</p><p># no heading</p>")).ShouldBe("\\<script> \\*stars\\* snake_case 2 * 3\n\n\\# no heading\n");

    [Theory]
    [InlineData("""<meta charset="iso-8859-2">""")]
    [InlineData("""<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-2">""")]
    [InlineData("""<?xml version="1.0" encoding="iso-8859-2"?>""")]
    public async Task The_page_declares_its_own_character_set(string declaration)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var bytes = Encoding.GetEncoding("iso-8859-2").GetBytes($"{declaration}<html><body><p>Příliš žluťoučký kůň</p></body></html>");
        (await ParseAsync(bytes)).Markdown.ShouldBe("Příliš žluťoučký kůň\n");
    }

    [Fact]
    public async Task Nesting_as_deep_as_the_parser_reads_does_not_overflow_the_stack() =>
        (await BodyAsync(string.Concat(Enumerable.Repeat("<div><b><ul><li>", 1_000)) + "deep")).ShouldContain("deep");
}

using System.Diagnostics;
using Ingestion.Core.Rendering;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Rendering;

public sealed class SafeMarkdownTests
{
    private readonly SafeMarkdown _markdown = new(TimeProvider.System);

    [Theory]
    [MemberData(nameof(HostileText.Data), MemberType = typeof(HostileText))]
    public async Task Hostile_text_does_nothing(string text)
    {
        SafeHtml.Check(await HtmlAsync(text));
        SafeHtml.Check(await HtmlAsync($"# {text}\n\n- {text}\n\n> {text}\n\n| a | b |\n|---|---|\n| {text} | x |\n"));
    }

    [Fact]
    public async Task All_hostile_texts_together_do_nothing() => SafeHtml.Check(await HtmlAsync(string.Join("\n\n", HostileText.All)));

    [Fact]
    public async Task What_a_document_needs_is_drawn()
    {
        var html = await HtmlAsync("# Title\n\nA **bold** [link](https://example.com/a?b=c&d=e), <https://example.org/> and <a@b.example>.\n\n1. one\n2. two\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```cs\nvar x = 1 < 2;\n```\n");
        html.ShouldContain("<h2>Title</h2>");
        html.ShouldContain("<strong>bold</strong>");
        html.ShouldContain("href=\"https://example.com/a?b=c&amp;d=e\"");
        html.ShouldContain("href=\"https://example.org/\"");
        html.ShouldContain("href=\"mailto:a@b.example\"");
        html.ShouldContain("<ol>");
        html.ShouldContain("<td");
        html.ShouldContain("1 &lt; 2");
        SafeHtml.Check(html);
    }

    [Fact]
    public async Task An_image_is_its_description()
    {
        var html = await HtmlAsync("![A heron](https://example.com/heron.png) and ![](pictures/x.png)");
        html.ShouldNotContain("<img");
        html.ShouldContain(">A heron</a>");
        html.ShouldContain("image");
    }

    [Fact]
    public async Task Page_markers_are_dividers_but_in_code_they_are_code()
    {
        var html = await HtmlAsync("<!-- page:1 -->\nFirst.\n\n<!-- page:2 -->\n\nSecond.\n\n```\n<!-- page:3 -->\n```\n");
        html.ShouldContain("<p class=\"page-mark\">Page 1</p>");
        html.ShouldContain("<p class=\"page-mark\">Page 2</p>");
        html.ShouldNotContain("Page 3");
        html.ShouldContain("&lt;!-- page:3 --&gt;");
    }

    public static TheoryData<string> Heavy => new()
    {
        string.Concat(Enumerable.Repeat(">", 20_000)), string.Concat(Enumerable.Repeat("[", 60_000)), string.Concat(Enumerable.Repeat("*a_ ", 15_000)), string.Concat(Enumerable.Repeat("![", 30_000)),
        string.Concat(Enumerable.Range(0, 340).Select(i => new string(' ', i) + "- a\n")), string.Concat(Enumerable.Repeat("[a](", 15_000)), string.Concat(Enumerable.Repeat("`", 60_000)),
        string.Concat(Enumerable.Repeat("<", 60_000)), "|" + string.Concat(Enumerable.Repeat("a|", 15_000)) + "\n|" + string.Concat(Enumerable.Repeat("-|", 15_000)), string.Concat(Enumerable.Range(0, 4000).Select(i => $"[{i}]: /x\n")),
        string.Concat(Enumerable.Repeat("a**b", 15_000)), string.Concat(Enumerable.Repeat("- ", 30_000)), string.Concat(Enumerable.Repeat("> - ", 15_000)), string.Concat(Enumerable.Repeat("\u0000", 10_000)), string.Concat(Enumerable.Repeat("| - ", 15_000)),
    };

    [Theory]
    [MemberData(nameof(Heavy))]
    public async Task Tangled_text_comes_back_soon_and_safe(string text)
    {
        var started = Stopwatch.GetTimestamp();
        var rendered = await _markdown.RenderAsync(text, CancellationToken.None);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(8));
        if (rendered.Html is { } html) SafeHtml.Check(html);
        else rendered.Note.ShouldNotBeNullOrEmpty();
        SafeMarkdown.ToText(text.Length > 4000 ? text[..4000] : text).ShouldNotBeNull();
    }

    [Fact]
    public async Task Too_long_a_text_is_shown_as_it_is()
    {
        var rendered = await _markdown.RenderAsync(new string('x', SafeMarkdown.MaxCharacters + 1), CancellationToken.None);
        rendered.Html.ShouldBeNull();
        rendered.Text.Length.ShouldBe(SafeMarkdown.MaxCharacters);
        rendered.Note.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("A **bold** [link](http://x) and `code`.", "A bold link and code.")]
    [InlineData("# Title\n\nText\nmore", "Title Text more")]
    [InlineData("| a | b |\n|---|---|\n| 1 | 2 |", "a · b · 1 · 2")]
    [InlineData("<script>x</script> &amp; y", "<script>x</script> & y")]
    public void Words_without_marks(string markdown, string expected) => SafeMarkdown.ToText(markdown).ShouldBe(expected);

    private async Task<string> HtmlAsync(string text) => (await _markdown.RenderAsync(text, CancellationToken.None)).Html.ShouldNotBeNull();
}

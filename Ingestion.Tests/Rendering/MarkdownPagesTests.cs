using System.Text;
using Ingestion.Core.Rendering;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Rendering;

public sealed class MarkdownPagesTests
{
    [Fact]
    public async Task A_short_text_is_one_page()
    {
        var page = (await ReadAsync("# A\n\nb\n", 1))!;
        (page.Number, page.Count, page.Text).ShouldBe((1, 1, "# A\n\nb\n"));
        (await ReadAsync("", 1)).ShouldBeNull();
    }

    [Fact]
    public async Task Pages_together_are_the_text_and_end_between_blocks()
    {
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => $"Paragraph {i} with some words.\n\n"));
        var pages = await AllAsync(text);
        pages.Count.ShouldBeGreaterThan(3);
        string.Concat(pages).ShouldBe(text);
        pages.ShouldAllBe(p => p.EndsWith("words.\n\n", StringComparison.Ordinal) && p.Length < MarkdownPages.Size + 100);
    }

    [Fact]
    public async Task A_number_beyond_the_end_is_the_last_page()
    {
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => $"Paragraph {i}.\n\n"));
        var last = (await ReadAsync(text, 99))!;
        last.Number.ShouldBe(last.Count);
        last.Text.ShouldContain("Paragraph 2999.");
    }

    [Fact]
    public async Task A_long_code_block_goes_on_as_code()
    {
        var pages = await AllAsync("````cs\n" + string.Concat(Enumerable.Range(0, 9000).Select(i => $"line {i}\n")) + "````\n\nAfter.\n");
        pages.Count.ShouldBeGreaterThan(1);
        pages.ShouldAllBe(p => p.StartsWith("````cs\n", StringComparison.Ordinal));
        pages.SkipLast(1).ShouldAllBe(p => p.EndsWith("````\n", StringComparison.Ordinal));
        pages[^1].ShouldEndWith("After.\n");
    }

    [Fact]
    public async Task A_long_table_keeps_its_header()
    {
        var pages = await AllAsync("| a | b |\n|---|---|\n" + string.Concat(Enumerable.Range(0, 9000).Select(i => $"| {i} | x |\n")));
        pages.Count.ShouldBeGreaterThan(1);
        pages.ShouldAllBe(p => p.StartsWith("| a | b |\n|---|---|\n", StringComparison.Ordinal));
        pages.Sum(p => p.Split('\n').Count(l => l.EndsWith("| x |", StringComparison.Ordinal))).ShouldBe(9000);
    }

    [Fact]
    public async Task A_line_without_an_end_is_cut_between_characters()
    {
        var pages = await AllAsync(string.Concat(Enumerable.Repeat("🦩", 100_000)));
        pages.Count.ShouldBeGreaterThan(3);
        pages.ShouldAllBe(p => p.Length <= SafeMarkdown.MaxCharacters && !p.Contains('\ufffd'));
        string.Concat(pages).Replace("\n", "").Length.ShouldBe(200_000);
    }

    private static async Task<List<string>> AllAsync(string text)
    {
        var first = (await ReadAsync(text, 1))!;
        var pages = new List<string> { first.Text };
        for (var n = 2; n <= first.Count; n++) pages.Add((await ReadAsync(text, n))!.Text);
        return pages;
    }

    private static Task<MarkdownPage?> ReadAsync(string text, int number) => MarkdownPages.ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), number, CancellationToken.None);
}

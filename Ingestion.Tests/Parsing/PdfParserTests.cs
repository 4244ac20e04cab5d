using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class PdfParserTests : ParserConformance
{
    protected override string Format => "pdf";

    protected override byte[] Sample() => PdfSamples.Pages(["The quick brown fox", "jumps over Größenwahn."]);

    protected override byte[] Blank() => PdfSamples.Pages([], []);

    [Fact]
    public async Task Each_page_has_its_marker()
    {
        var document = await ParseAsync(PdfSamples.Pages(["First page."], ["Second page."]));
        document.Pages.ShouldBe(2);
        document.Markdown.ShouldBe("<!-- page:1 -->\n\nFirst page.\n\n<!-- page:2 -->\n\nSecond page.\n");
    }

    [Fact]
    public async Task Progress_counts_pages()
    {
        var seen = new List<(long, long?)>();
        var raw = Files.Add("a.pdf", PdfSamples.Pages(["one"], ["two"], ["three"]));
        await Create().ParseAsync(raw, (current, total, _) => seen.Add((current, total)), CancellationToken.None);
        seen.ShouldBe([(1, 3), (2, 3), (3, 3)]);
    }

    [Fact]
    public async Task Running_heads_are_kept_once_and_numbers_do_not_hide_them()
    {
        var pages = Enumerable.Range(1, 6).Select(n => new[] { $"Annual Report, page {n}", "", $"What page {(char)('A' + n)} alone says, at a length that fills the line.", "And a second line of it." }).ToArray();
        var markdown = (await ParseAsync(PdfSamples.Pages(pages))).Markdown;
        markdown.Split("Annual Report").Length.ShouldBe(2);
        foreach (var n in Enumerable.Range(1, 6)) markdown.ShouldContain($"What page {(char)('A' + n)} alone says");
    }

    [Fact]
    public async Task A_word_broken_at_the_end_of_a_line_is_one_word() =>
        (await ParseAsync(PdfSamples.Pages(["A paragraph that speaks of nothing but infor-", "mation, which it has to break at the margin."]))).Markdown.ShouldContain("nothing but information, which");

    [Fact]
    public async Task Bullets_become_a_list() =>
        (await ParseAsync(PdfSamples.Pages(["• one thing", "• another"]))).Markdown.ShouldContain("- one thing\n- another");

    [Fact]
    public async Task A_password_is_encrypted()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(PdfSamples.Encrypted()));
        error.Code.ShouldBe(ErrorCodes.Encrypted);
        error.Message.ShouldContain("password");
    }

    [Fact]
    public async Task A_file_without_its_end_is_text_or_corrupt_in_words()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync("%PDF-1.7\nnothing here"u8.ToArray()));
        error.Code.ShouldBe(ErrorCodes.Corrupt);
        error.Message.ShouldContain("damaged");
    }

    [Fact]
    public async Task Little_memory_is_a_named_ending()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(Sample(), ParseLimits.Default with { MaxMemoryBytes = 1 << 20 }));
        error.Code.ShouldBe(ErrorCodes.LimitExceeded);
        error.Message.ShouldContain("memory limit");
    }

    [Fact]
    public async Task Time_running_out_is_a_timeout()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(Sample(), TestPools.Seconds(0.000_1)));
        error.Code.ShouldBe(ErrorCodes.ParseTimeout);
        error.Message.ShouldContain("timed out");
    }
}

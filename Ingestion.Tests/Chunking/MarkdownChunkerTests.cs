using Ingestion.Core.Chunking;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Chunking;

public sealed class MarkdownChunkerTests : ChunkerConformance
{
    protected override IChunker Create() => new MarkdownChunker();

    private List<Chunk> Split(string markdown, int size = 200, int overlap = 0) => [.. Create().Split(markdown, new ChunkingOptions(size, overlap))];

    [Fact]
    public void A_heading_starts_a_chunk_and_names_its_path()
    {
        var chunks = Split("Preface.\n\n# One\n\nText one.\n\n## Two **bold** [link](https://x.example)\n\nText two.\n\n# Three\n\nText three.\n");
        chunks.Select(c => c.HeadingPath).ShouldBe(["", "One", "One > Two bold link", "Three"]);
        chunks[1].Text.ShouldBe("# One\n\nText one.");
    }

    [Fact]
    public void Headings_without_text_go_with_what_follows()
    {
        var chunk = Split("# A\n\n## B\n\nText.\n").ShouldHaveSingleItem();
        chunk.HeadingPath.ShouldBe("A > B");
        chunk.Text.ShouldBe("# A\n\n## B\n\nText.");
    }

    [Fact]
    public void Underlined_headings_count_and_hashes_in_code_do_not()
    {
        var chunks = Split("Title\n=====\n\nx\n\n```sh\n# not a heading\n```\n\nSub\n---\n\ny\n");
        chunks.Select(c => c.HeadingPath).ShouldBe(["Title", "Title > Sub"]);
    }

    [Fact]
    public void A_split_table_repeats_its_header()
    {
        var chunks = Split("| name | value |\n| --- | --- |\n" + string.Concat(Enumerable.Range(0, 40).Select(i => $"| row {i} | {i * i} |\n")));
        chunks.Count.ShouldBeGreaterThan(2);
        chunks.ShouldAllBe(c => c.Text.StartsWith("| name | value |\n| --- | --- |\n| row "));
        chunks.ShouldAllBe(c => c.Text.EndsWith("|"));
    }

    [Fact]
    public void A_fence_that_fits_is_kept_whole()
    {
        var code = "```cs\n" + string.Join("\n", Enumerable.Range(0, 12).Select(i => $"call({i});")) + "\n```";
        var chunks = Split($"{string.Concat(Enumerable.Repeat("Some words. ", 8))}\n\n{code}\n\nAfter.\n");
        chunks.ShouldContain(c => c.Text.Contains(code, StringComparison.Ordinal));
    }

    [Fact]
    public void A_fence_that_must_be_split_stays_code_on_both_sides()
    {
        var chunks = Split("```cs\n" + string.Join("\n", Enumerable.Range(0, 60).Select(i => $"    call({i});")) + "\n```\n");
        chunks.Count.ShouldBeGreaterThan(2);
        chunks.ShouldAllBe(c => c.Text.StartsWith("```cs\n    call(") && c.Text.EndsWith(");\n```"));
    }

    [Fact]
    public void Overlap_repeats_the_end_of_the_chunk_before_from_a_sentence_on()
    {
        var markdown = string.Join(' ', Enumerable.Range(0, 40).Select(i => $"This is sentence number {i}."));
        var chunks = Split(markdown, 200, 60);
        for (var i = 1; i < chunks.Count; i++)
        {
            var repeated = chunks[i].Text[..chunks[i].Text.IndexOf(markdown[chunks[i].Start..chunks[i].End], StringComparison.Ordinal)].Trim();
            repeated.ShouldStartWith("This is");
            markdown[chunks[i - 1].Start..chunks[i - 1].End].ShouldEndWith(repeated);
        }
    }

    [Fact]
    public void Overlap_never_crosses_a_heading() =>
        Split("# A\n\nFirst section text.\n\n# B\n\nSecond.\n", 200, 50)[1].Text.ShouldBe("# B\n\nSecond.");

    [Fact]
    public void Text_is_cut_between_sentences_before_words() =>
        Split(string.Join(' ', Enumerable.Repeat("A sentence of some length stands here.", 30))).ShouldAllBe(c => c.Text.EndsWith('.'));

    [Fact]
    public void A_page_marker_inside_a_chunk_is_not_text_but_counts_in_its_offsets()
    {
        const string Markdown = "<!-- page:1 -->\n\nFirst.\n\n<!-- page:2 -->\n\nSecond.\n";
        var chunk = Split(Markdown).ShouldHaveSingleItem();
        chunk.Text.ShouldBe("First.\n\nSecond.");
        Markdown[chunk.Start..chunk.End].ShouldBe("First.\n\n<!-- page:2 -->\n\nSecond.");
    }
}

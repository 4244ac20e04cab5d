using System.Text;
using Ingestion.Core.Chunking;
using Ingestion.Core.Parsing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Chunking;

/// <summary>What every chunker owes: it covers the text, keeps the limit, stays in order, and is deterministic.</summary>
public abstract class ChunkerConformance
{
    protected abstract IChunker Create();

    public static TheoryData<string, int, int> Documents()
    {
        var data = new TheoryData<string, int, int>();
        foreach (var (size, overlap) in ((int, int)[])[(100, 0), (100, 99), (1000, 200), (333, 120), (20_000, 0)])
            for (var seed = 0; seed < 6; seed++) data.Add(Random(seed), size, overlap);
        return data;
    }

    /// <summary>A document of all kinds of blocks in arbitrary order and of arbitrary lengths.</summary>
    private static string Random(int seed)
    {
        var random = new Random(seed);
        var result = new StringBuilder();
        string Words(int most) => string.Join(' ', Enumerable.Range(0, random.Next(1, most)).Select(_ => random.Next(12) switch { 0 => "e\u0301le\u0300ve.", 1 => "😀", 2 => "日本語。", var n => new string('w', n * (n == 11 ? 30 : 1)) }));
        for (var i = 0; i < 60; i++)
            result.Append(random.Next(9) switch
            {
                0 => new string('#', random.Next(1, 7)) + " " + Words(8) + "\n\n",
                1 => "```cs\n" + string.Join("\n\n", Enumerable.Range(0, random.Next(1, 30)).Select(_ => "    " + Words(6))) + "\n```\n",
                2 => "| a | b |\n| --- | --- |\n" + string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => $"| {Words(9)} | {Words(3)} |\n")) + "\n",
                3 => string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => $"- {Words(30)}\n  - {Words(9)}\n")),
                4 => PageMarker.For(i) + "\n\n",
                5 => Words(4) + "\n=====\n\n",
                6 => new string('\n', random.Next(200)),
                _ => Words(random.Next(2, 300)) + "\n" + Words(20) + "\n\n",
            });
        return result.ToString();
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Own_texts_cover_the_document_in_order(string markdown, int size, int overlap)
    {
        var at = 0;
        foreach (var chunk in Create().Split(markdown, new ChunkingOptions(size, overlap)))
        {
            chunk.Start.ShouldBeGreaterThanOrEqualTo(at);
            chunk.End.ShouldBeGreaterThan(chunk.Start);
            IsBlank(markdown[at..chunk.Start]).ShouldBeTrue($"lost: “{markdown[at..chunk.Start]}”");
            at = chunk.End;
        }
        IsBlank(markdown[at..]).ShouldBeTrue($"lost: “{markdown[at..]}”");
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_chunk_keeps_the_limit_and_is_never_blank(string markdown, int size, int overlap)
    {
        foreach (var chunk in Create().Split(markdown, new ChunkingOptions(size, overlap)))
        {
            chunk.Text.Length.ShouldBeLessThanOrEqualTo(size);
            chunk.Text.ShouldNotBeNullOrWhiteSpace();
            chunk.Text.ShouldNotContain("<!-- page:");
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_chunk_holds_its_own_text_and_cuts_no_character(string markdown, int size, int overlap)
    {
        foreach (var chunk in Create().Split(markdown, new ChunkingOptions(size, overlap)))
        {
            var own = string.Concat(markdown[chunk.Start..chunk.End].Split('\n').Where(l => !PageMarker.Is(l)).SelectMany(l => l).Where(c => !char.IsWhiteSpace(c)));
            string.Concat(chunk.Text.Where(c => !char.IsWhiteSpace(c))).ShouldContain(own);
            char.IsLowSurrogate(chunk.Text[0]).ShouldBeFalse();
            char.IsHighSurrogate(chunk.Text[^1]).ShouldBeFalse();
            chunk.Text[0].ShouldNotBe('\u0301');
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void The_same_input_gives_the_same_chunks_numbered_from_zero(string markdown, int size, int overlap)
    {
        var first = Create().Split(markdown, new ChunkingOptions(size, overlap)).ToList();
        Create().Split(markdown, new ChunkingOptions(size, overlap)).ShouldBe(first);
        first.Select(c => c.Ordinal).ShouldBe(Enumerable.Range(0, first.Count));
    }

    [Fact]
    public void Nothing_gives_no_chunk() => Create().Split(" \n\n" + PageMarker.For(1) + "\n", new ChunkingOptions()).ShouldBeEmpty();

    [Fact]
    public async Task One_endless_line_takes_linear_time()
    {
        var line = string.Create(100_000_000, 0, (span, _) => { for (var i = 0; i < span.Length; i++) span[i] = i % 7 == 0 ? ' ' : 'x'; });
        var count = await Task.Run(() => Create().Split(line, new ChunkingOptions()).Count()).WaitAsync(TimeSpan.FromSeconds(60));
        count.ShouldBeGreaterThan(100_000);
    }

    [Theory]
    [InlineData('x')]
    [InlineData('\u0301')]
    [InlineData('\n')]
    [InlineData('#')]
    [InlineData('|')]
    [InlineData('`')]
    [InlineData('-')]
    public async Task Five_million_equal_characters_take_linear_time(char c) =>
        await Task.Run(() => Create().Split("a" + new string(c, 5_000_000), new ChunkingOptions()).Count()).WaitAsync(TimeSpan.FromSeconds(30));

    [Theory]
    [InlineData(99, 0)]
    [InlineData(20_001, 0)]
    [InlineData(1000, 1000)]
    [InlineData(1000, -1)]
    public void Options_out_of_range_are_refused(int size, int overlap) =>
        Should.Throw<ArgumentOutOfRangeException>(() => Create().Split("text", new ChunkingOptions(size, overlap)).Count());

    private static bool IsBlank(string gap) => gap.Split('\n').All(l => string.IsNullOrWhiteSpace(l) || PageMarker.Is(l));
}

using Ingestion.Core.Embeddings;
using Ingestion.Core.Indexing;
using Microsoft.Extensions.AI;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

public sealed class HashingEmbedderTests : EmbedderConformance
{
    protected override IEmbeddingGenerator<string, Embedding<float>> Embedder { get; } = new HashingEmbedder();

    protected override int Dimensions => HashingEmbedder.Dimensions;

    private static float Similarity(string a, string b) => VectorSearch.Dot(HashingEmbedder.Embed(a), HashingEmbedder.Embed(b));

    [Fact]
    public void Vectors_have_not_moved_since_version_1()
    {
        // Stored vectors are compared with new ones: when this fails, the change needs a new version.
        var vector = HashingEmbedder.Embed("The quick brown fox, 42 naïve 知识库 ไทย 한국어 — straße");
        var bytes = VectorSearchBytes.ToBytes(vector);
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(bytes))[..16].ShouldBe("DF780C340AB103C8");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t")]
    public void Blank_text_gives_the_first_axis(string text)
    {
        var vector = HashingEmbedder.Embed(text);
        vector[0].ShouldBe(1);
        vector.Skip(1).ShouldAllBe(x => x == 0);
    }

    [Theory]
    [InlineData("caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me")]
    [InlineData("ＦＵＬＬ width", "full width")]
    [InlineData("hyphen\u00adation", "hyphenation")]
    [InlineData("UPPER Case", "upper case")]
    [InlineData("two   words,\n(here)", "two words here")]
    public void What_reads_the_same_is_the_same(string a, string b) => HashingEmbedder.Embed(a).ShouldBe(HashingEmbedder.Embed(b));

    [Theory]
    [InlineData("invoice numbers", "number of the invoice", "photographs of birds")]
    [InlineData("configuration", "configure the server", "a walk along the river")]
    [InlineData("导入平台", "知识库的导入平台说明", "今天天气非常好")]
    [InlineData("검색", "문서를 검색한다", "날씨가 좋다")]
    [InlineData("ภาษาไทย", "เอกสารภาษาไทยไม่มีช่องว่าง", "วันนี้อากาศดีมาก")]
    public void Shared_wording_is_nearer_than_none(string query, string near, string far) =>
        Similarity(query, near).ShouldBeGreaterThan(Similarity(query, far) + 0.05f);

    [Fact]
    public void A_blob_without_spaces_counts_as_one_short_word()
    {
        var text = "the contract ends in June";
        Similarity(text, text + " " + new string('Q', 500_000)).ShouldBeGreaterThan(0.8f);
    }

    [Fact]
    public void Nothing_is_read_beyond_the_limit()
    {
        var text = string.Concat(Enumerable.Repeat("ten chars ", HashingEmbedder.MaxCharacters / 10));
        HashingEmbedder.Embed(text + "and more").ShouldBe(HashingEmbedder.Embed(text));
    }

    [Fact]
    public void A_heading_finds_its_own_section_among_two_hundred()
    {
        var sections = MadeUpSections(200);
        var rows = new VectorSearchRows<int>(HashingEmbedder.Dimensions, sections.Count);
        for (var i = 0; i < sections.Count; i++) rows.TryAdd(i, HashingEmbedder.Embed(sections[i].Body)).ShouldBeTrue();

        var mrr = sections.Select((s, i) =>
        {
            var ranked = rows.TopK(HashingEmbedder.Embed(s.Heading), 10).Select(h => h.Key).ToList();
            return ranked.IndexOf(i) is var rank and >= 0 ? 1.0 / (rank + 1) : 0;
        }).Average();

        // Chance would give about 0.015.
        mrr.ShouldBeGreaterThan(0.6);
    }

    /// <summary>Sections over a shared vocabulary: a heading names three of its section's words, two in another form.</summary>
    private static List<(string Heading, string Body)> MadeUpSections(int count)
    {
        var random = new Random(20260301);
        string[] syllables = ["ba", "ker", "ton", "li", "mar", "ves", "op", "rin", "dal", "qui", "sho", "fen", "gra", "ul", "pid", "nos"];
        string[] vocabulary = [.. Enumerable.Range(0, 400).Select(_ => string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(_ => syllables[random.Next(syllables.Length)])))];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            string[] topic = [.. Enumerable.Range(0, 6).Select(_ => vocabulary[random.Next(vocabulary.Length)])];
            var body = string.Join(' ', Enumerable.Range(0, 150).Select(_ => random.Next(5) == 0 ? topic[random.Next(topic.Length)] : vocabulary[random.Next(vocabulary.Length)]));
            return ($"{topic[0]} {topic[1]}s {topic[2]}ing", body);
        })];
    }
}

using Microsoft.Extensions.AI;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

/// <summary>What every embedder owes, whoever computes its vectors.</summary>
public abstract class EmbedderConformance
{
    protected abstract IEmbeddingGenerator<string, Embedding<float>> Embedder { get; }

    protected abstract int Dimensions { get; }

    private async Task<float[][]> EmbedAsync(params string[] texts) =>
        [.. (await Embedder.GenerateAsync(texts)).Select(e => e.Vector.ToArray())];

    [Fact]
    public async Task One_vector_per_text_in_their_order()
    {
        string[] texts = [.. Enumerable.Range(0, 75).Select(i => $"text number {i} about subject {i * 7919}")];
        var together = await EmbedAsync(texts);
        together.Length.ShouldBe(75);
        foreach (var i in (int[])[0, 31, 32, 33, 64, 74]) together[i].ShouldBe((await EmbedAsync(texts[i]))[0]);
    }

    [Theory]
    [InlineData("plain words")]
    [InlineData("x")]
    [InlineData("7")]
    [InlineData("¿?!… — ∑∫√ 🎉🎊")]
    [InlineData(" ")]
    [InlineData("línea única, naïve façade")]
    [InlineData("Быстрая лиса прыгает")]
    [InlineData("知识库的导入平台")]
    [InlineData("ひらがなとカタカナ")]
    [InlineData("한국어 문서를 검색한다")]
    [InlineData("เอกสารภาษาไทยไม่มีช่องว่าง")]
    [InlineData("हिन्दी में लिखा हुआ पाठ")]
    [InlineData("مستند باللغة العربية")]
    [InlineData("half a pair: \ud83d and \udc00 alone")]
    [InlineData("zero \0 byte")]
    public async Task Any_script_gives_a_finite_vector_of_length_one(string text)
    {
        var vector = (await EmbedAsync(text)).ShouldHaveSingleItem();
        vector.Length.ShouldBe(Dimensions);
        vector.ShouldAllBe(x => float.IsFinite(x));
        Math.Sqrt(vector.Sum(x => (double)x * x)).ShouldBe(1, 1e-5);
    }

    [Fact]
    public async Task Same_text_same_bits()
    {
        (await EmbedAsync("the same text"))[0].ShouldBe((await EmbedAsync("the same text"))[0]);
    }

    [Fact]
    public async Task Different_texts_point_elsewhere()
    {
        var vectors = await EmbedAsync("invoices of the year", "rocks of the moon");
        vectors[0].ShouldNotBe(vectors[1]);
    }

    [Fact]
    public async Task No_texts_no_vectors() => (await EmbedAsync()).ShouldBeEmpty();

    [Fact]
    public async Task A_long_text_is_embedded()
    {
        var text = string.Join(' ', Enumerable.Range(0, 100_000).Select(i => "word" + i));
        (await EmbedAsync(text)).ShouldHaveSingleItem().Length.ShouldBe(Dimensions);
    }

    [Fact]
    public async Task A_cancelled_call_ends_as_cancelled()
    {
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Embedder.GenerateAsync(["text"], cancellationToken: cancel.Token));
    }

    [Fact]
    public async Task Another_models_name_or_length_is_refused_not_ignored()
    {
        await Should.ThrowAsync<Core.Pipeline.IngestionException>(() => Embedder.GenerateAsync(["text"], new EmbeddingGenerationOptions { ModelId = "another" }));
        await Should.ThrowAsync<Core.Pipeline.IngestionException>(() => Embedder.GenerateAsync(["text"], new EmbeddingGenerationOptions { Dimensions = Dimensions + 1 }));
    }
}

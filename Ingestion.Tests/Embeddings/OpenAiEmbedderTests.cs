using Ingestion.Core.Embeddings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

/// <summary>A healthy service: what is sent, and how its answers are read.</summary>
public sealed class OpenAiEmbedderTests : EmbedderConformance, IAsyncLifetime
{
    private StubEmbeddingService _service = null!;
    private OpenAiEmbedder _embedder = null!;

    protected override IEmbeddingGenerator<string, Embedding<float>> Embedder => _embedder;

    protected override int Dimensions => HashingEmbedder.Dimensions;

    public async Task InitializeAsync()
    {
        // Any vectors will do, as long as they depend on the text; they come back in reverse and twice as long as one.
        _service = await StubEmbeddingService.StartAsync((context, request) => context.Response.WriteAsJsonAsync(new
        {
            data = request.GetProperty("input").EnumerateArray()
                .Select((text, i) => new { index = i, embedding = HashingEmbedder.Embed(text.GetString()!).Select(x => x * 2) }).Reverse(),
            usage = new { prompt_tokens = 7, total_tokens = 7 },
        }));
        _embedder = _service.Connect();
    }

    public async Task DisposeAsync()
    {
        _embedder.Dispose();
        await _service.DisposeAsync();
    }

    [Fact]
    public async Task Sends_model_texts_dimensions_and_key()
    {
        string? authorization = null, path = null;
        await using var service = await StubEmbeddingService.StartAsync((context, _) =>
        {
            (authorization, path) = (context.Request.Headers.Authorization, context.Request.Path);
            return context.Response.WriteAsync("""{"data":[{"index":0,"embedding":[3,4]}]}""");
        });
        using var embedder = service.Connect("some-model", "a-key", dimensions: 2);

        var vector = (await embedder.GenerateAsync(["ein “Text”"])).ShouldHaveSingleItem().Vector.ToArray();

        vector.ShouldBe([0.6f, 0.8f]);
        (authorization, path).ShouldBe(("Bearer a-key", "/v1/embeddings"));
        var request = service.Requests.ShouldHaveSingleItem();
        request.GetProperty("model").GetString().ShouldBe("some-model");
        request.GetProperty("dimensions").GetInt32().ShouldBe(2);
        request.GetProperty("input")[0].GetString().ShouldBe("ein “Text”");
    }

    [Fact]
    public async Task Splits_into_requests_of_the_batch_size_and_adds_up_tokens()
    {
        using var embedder = _service.Connect(batch: 10);
        var result = await embedder.GenerateAsync(Enumerable.Range(0, 25).Select(i => $"t{i}"));
        _service.Requests.Select(r => r.GetProperty("input").GetArrayLength()).ShouldBe([10, 10, 5]);
        result.Usage!.TotalTokenCount.ShouldBe(21);
    }

    [Fact]
    public async Task Long_texts_go_in_smaller_requests()
    {
        var text = new string('a', OpenAiEmbedder.MaxCharactersPerRequest / 2);
        await _embedder.GenerateAsync([text, text, "b", text + text + text]);
        _service.Requests.Select(r => r.GetProperty("input").GetArrayLength()).ShouldBe([2, 1, 1]);
    }

    [Fact]
    public async Task Base64_is_read_like_numbers()
    {
        var bytes = new byte[8];
        BitConverter.TryWriteBytes(bytes, 3f);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), 4f);
        await using var service = await StubEmbeddingService.AnsweringAsync($$"""{"data":[{"embedding":"{{Convert.ToBase64String(bytes)}}","index":0}]}""");
        using var embedder = service.Connect();
        (await embedder.GenerateAsync(["t"]))[0].Vector.ToArray().ShouldBe([0.6f, 0.8f]);
    }

    [Fact]
    public async Task Unknown_properties_and_a_null_error_are_no_harm()
    {
        await using var service = await StubEmbeddingService.AnsweringAsync(
            """{"object":"list","error":null,"extra":{"data":[1,{"a":[]}]},"data":[{"object":"embedding","meta":[1,2],"index":0,"embedding":[1]}],"usage":null}""");
        using var embedder = service.Connect();
        (await embedder.GenerateAsync(["t"]))[0].Vector.ToArray().ShouldBe([1f]);
    }

    [Fact]
    public void A_handler_that_follows_redirects_is_not_accepted() =>
        Should.Throw<ArgumentException>(() => new OpenAiEmbedder(new SocketsHttpHandler(), new EmbeddingOptions(), TimeProvider.System));

    [Fact]
    public async Task The_first_answer_tells_the_dimensions()
    {
        _embedder.Dimensions.ShouldBeNull();
        await _embedder.GenerateAsync(["t"]);
        _embedder.Dimensions.ShouldBe(HashingEmbedder.Dimensions);
    }
}

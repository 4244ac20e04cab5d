using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

public sealed class EmbeddingBatcherTests : IDisposable
{
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly ManualTime _time = new();
    private readonly ScriptedGenerator _generator = new();
    private readonly EmbeddingBatcher _batcher;
    private readonly EmbeddingModel _model;

    public EmbeddingBatcherTests()
    {
        _batcher = Batcher(batch: 4, requests: 2);
        _model = new EmbeddingModel("scripted", 2, 1, _generator, IsLocal: false);
    }

    public void Dispose() => _batcher.Dispose();

    private EmbeddingBatcher Batcher(int batch, int requests) => new(
        Options.Create(new EmbeddingOptions { BatchSize = batch, MaxConcurrentRequests = requests }), _time, NullLogger<EmbeddingBatcher>.Instance);

    private Task<IReadOnlyList<float[]>> Embed(params string[] texts) => _batcher.EmbedAsync(_model, texts, CancellationToken.None);

    private Task<IReadOnlyList<float[]>> Embed(CancellationToken ct, params string[] texts) => _batcher.EmbedAsync(_model, texts, ct);

    private static async Task<T> Soon<T>(Task<T> task) => await task.WaitAsync(TimeSpan.FromSeconds(20));

    [Fact]
    public async Task Texts_of_several_callers_travel_in_one_request_after_20_ms()
    {
        var first = Embed("a");
        var second = Embed("bb", "ccc");
        _time.Advance(Gather - TimeSpan.FromMilliseconds(1));
        _generator.Untaken.ShouldBe(0);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        var call = await _generator.NextAsync();
        call.Texts.ShouldBe(["a", "bb", "ccc"]);
        call.Answer();

        (await Soon(first)).ShouldHaveSingleItem().ShouldBe([1f, 'a']);
        (await Soon(second)).ShouldBe([[2f, 'b'], [3f, 'c']]);
        _batcher.Counters.ShouldBe(new EmbeddingCounters(Calls: 1, Texts: 3, Shared: 0, Tokens: 30, Failures: 0, Local: 0));
    }

    [Fact]
    public async Task A_full_request_does_not_wait()
    {
        var done = Embed("a", "b", "c", "d");
        (await _generator.NextAsync()).Answer();
        (await Soon(done)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_request_is_full_by_characters_too()
    {
        var large = new string('x', OpenAiEmbedder.MaxCharactersPerRequest - 1);
        var done = Embed("a", large, "b");
        var first = await _generator.NextAsync();
        first.Texts.ShouldBe(["a", large]);
        first.Answer();
        _time.Advance(Gather);
        (await _generator.NextAsync()).Answer();
        (await Soon(done)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task No_more_requests_under_way_than_allowed_and_the_rest_follows()
    {
        var done = Embed([.. Enumerable.Range(0, 13).Select(i => $"text {i}")]);
        var first = await _generator.NextAsync();
        var second = await _generator.NextAsync();
        _time.Advance(Gather);
        _generator.Untaken.ShouldBe(0);

        second.Answer();
        var third = await _generator.NextAsync();
        _generator.Untaken.ShouldBe(0);
        first.Answer();
        third.Answer();
        (await _generator.NextAsync()).Answer();
        (await Soon(done)).Count.ShouldBe(13);
    }

    [Fact]
    public async Task A_document_larger_than_the_room_gets_through()
    {
        string[] texts = [.. Enumerable.Range(0, 500).Select(i => new string('x', i))];
        var done = Embed(texts);
        for (var i = 0; i < 125; i++) (await _generator.NextAsync()).Answer();
        (await Soon(done)).Select(v => (int)v[0]).ShouldBe(Enumerable.Range(0, 500));
    }

    [Fact]
    public async Task Equal_texts_are_sent_once_even_while_the_request_is_under_way()
    {
        var first = Embed("same", "same");
        _time.Advance(Gather);
        var call = await _generator.NextAsync();
        var second = Embed("same");
        call.Texts.ShouldBe(["same"]);
        call.Answer();

        (await Soon(first)).Count.ShouldBe(2);
        (await Soon(second)).ShouldHaveSingleItem().ShouldBe([4f, 's']);
        _batcher.Counters.Shared.ShouldBe(2);

        _ = Embed("same");
        _time.Advance(Gather);
        (await _generator.NextAsync()).Texts.ShouldBe(["same"]);
    }

    [Fact]
    public async Task A_caller_that_gives_up_takes_back_only_its_own_texts()
    {
        using var cancel = new CancellationTokenSource();
        var leaving = Embed(cancel.Token, "mine", "ours");
        var staying = Embed("ours", "theirs");
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(leaving));

        _time.Advance(Gather);
        var call = await _generator.NextAsync();
        call.Texts.ShouldBe(["ours", "theirs"]);
        call.Answer();
        (await Soon(staying)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_request_under_way_is_cancelled_with_its_last_caller()
    {
        using var one = new CancellationTokenSource();
        using var two = new CancellationTokenSource();
        var first = Embed(one.Token, "a");
        var second = Embed(two.Token, "b");
        _time.Advance(Gather);
        var call = await _generator.NextAsync();

        await one.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(first));
        call.Token.IsCancellationRequested.ShouldBeFalse();
        await two.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(second));
        call.Token.IsCancellationRequested.ShouldBeTrue();

        // Its texts can be asked for again at once.
        var again = Embed("a");
        _time.Advance(Gather);
        (await _generator.NextAsync()).Answer();
        (await Soon(again)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_caller_that_waits_for_room_leaves()
    {
        using var cancel = new CancellationTokenSource();
        var done = Embed(cancel.Token, [.. Enumerable.Range(0, 100).Select(i => $"text {i}")]);
        await _generator.NextAsync();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(done));
    }

    [Fact]
    public async Task A_refused_text_fails_alone()
    {
        var good = Embed("a", "b");
        var bad = Embed("too long", "d");
        var refusal = new IngestionException(ErrorCodes.EmbeddingRefused, "Too long.", new RefusedInputException());
        foreach (var expected in (string[][])[["a", "b", "too long", "d"], ["a", "b"], ["too long", "d"], ["too long"], ["d"]])
        {
            var call = await _generator.NextAsync();
            call.Texts.ShouldBe(expected);
            if (expected.Contains("too long")) call.Fail(refusal);
            else call.Answer();
        }
        (await Soon(good)).Count.ShouldBe(2);
        (await Should.ThrowAsync<IngestionException>(() => Soon(bad))).Code.ShouldBe(ErrorCodes.EmbeddingRefused);
        _batcher.Counters.ShouldBe(new EmbeddingCounters(Calls: 5, Texts: 10, Shared: 0, Tokens: 30, Failures: 3, Local: 0));
    }

    [Fact]
    public async Task A_refused_key_is_not_asked_about_text_by_text()
    {
        var done = Embed("a", "b", "c", "d");
        (await _generator.NextAsync()).Fail(new IngestionException(ErrorCodes.EmbeddingRefused, "Bad key."));
        await Should.ThrowAsync<IngestionException>(() => Soon(done));
        _batcher.Counters.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Too_few_vectors_are_invalid()
    {
        var done = Embed("a", "b", "c", "d");
        (await _generator.NextAsync()).Answer(vectors: 3);
        (await Should.ThrowAsync<IngestionException>(() => Soon(done))).Code.ShouldBe(ErrorCodes.EmbeddingInvalid);
    }

    [Fact]
    public async Task A_long_document_stops_asking_after_a_failure()
    {
        var done = Embed([.. Enumerable.Range(0, 1000).Select(i => $"text {i}")]);
        for (var i = 0; i < 2; i++) (await _generator.NextAsync()).Fail(new IngestionException(ErrorCodes.EmbeddingQuota, "Used up."));
        (await Should.ThrowAsync<IngestionException>(() => Soon(done))).Code.ShouldBe(ErrorCodes.EmbeddingQuota);
        _batcher.Counters.Calls.ShouldBeLessThan(20);
    }

    [Fact]
    public async Task Local_models_answer_at_once_and_in_order()
    {
        using var hashing = new HashingEmbedder();
        var local = new EmbeddingModel("local", 1024, 1, hashing, IsLocal: true);
        string[] texts = [.. Enumerable.Range(0, 100).Select(i => $"text {i}")];
        var vectors = await Soon(_batcher.EmbedAsync(local, texts, CancellationToken.None));
        for (var i = 0; i < texts.Length; i++) vectors[i].ShouldBe(HashingEmbedder.Embed(texts[i]));
        _batcher.Counters.ShouldBe(new EmbeddingCounters(0, 0, 0, 0, 0, Local: 100));
    }

    [Fact]
    public async Task A_cancelled_token_is_a_cancelled_call()
    {
        using var hashing = new HashingEmbedder();
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => _batcher.EmbedAsync(new EmbeddingModel("local", 1024, 1, hashing, true), ["a"], cancel.Token));
        await Should.ThrowAsync<OperationCanceledException>(() => Embed(cancel.Token, "a"));
        (await Soon(Embed())).ShouldBeEmpty();
    }

    [Fact]
    public async Task Disposal_ends_what_waits_and_what_is_under_way()
    {
        var batcher = Batcher(batch: 2, requests: 1);
        var underWay = batcher.EmbedAsync(_model, ["a", "b"], CancellationToken.None);
        var waiting = batcher.EmbedAsync(_model, ["c"], CancellationToken.None);
        await _generator.NextAsync();
        batcher.Dispose();
        await Should.ThrowAsync<OperationCanceledException>(() => Soon(underWay));
        await Should.ThrowAsync<ObjectDisposedException>(() => Soon(waiting));
        await Should.ThrowAsync<ObjectDisposedException>(() => Soon(batcher.EmbedAsync(_model, ["d"], CancellationToken.None)));
    }
}

using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

/// <summary>A service that keeps failing is left alone, seen from the callers' side.</summary>
public sealed class EmbeddingBreakerTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly ScriptedGenerator _generator = new();
    private readonly EmbeddingBatcher _batcher;
    private readonly EmbeddingModel _model;
    private int _texts;

    public EmbeddingBreakerTests()
    {
        _batcher = new EmbeddingBatcher(Options.Create(new EmbeddingOptions { BatchSize = 1, MaxConcurrentRequests = 8 }), _time, NullLogger<EmbeddingBatcher>.Instance);
        _model = new EmbeddingModel("scripted", 2, 1, _generator, IsLocal: false);
    }

    public void Dispose() => _batcher.Dispose();

    /// <summary>A request of its own: every text is new, and one fills a request.</summary>
    private Task<IReadOnlyList<float[]>> Ask() => _batcher.EmbedAsync(_model, [$"text {_texts++}"], CancellationToken.None);

    private static Task<IngestionException> FailureOf(Task call) => Should.ThrowAsync<IngestionException>(() => call.WaitAsync(TimeSpan.FromSeconds(20)));

    private async Task FailAsync(ErrorCode code, int times, TimeSpan? retryAfter = null)
    {
        for (var i = 0; i < times; i++)
        {
            var asking = Ask();
            (await _generator.NextAsync()).Fail(new IngestionException(code, "No.") { RetryAfter = retryAfter });
            (await FailureOf(asking)).Code.ShouldBe(code);
        }
    }

    private async Task SucceedAsync()
    {
        var asking = Ask();
        (await _generator.NextAsync()).Answer();
        (await asking.WaitAsync(TimeSpan.FromSeconds(20))).Count.ShouldBe(1);
    }

    private async Task<TimeSpan> PauseAsync()
    {
        var failure = await FailureOf(Ask());
        failure.Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        _generator.Untaken.ShouldBe(0);
        return failure.RetryAfter.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("embedding_unavailable")]
    [InlineData("embedding_invalid")]
    public async Task Opens_after_five_failures_in_a_row(string code)
    {
        await FailAsync(ErrorCodes.Find(code), 4);
        await SucceedAsync();
        await FailAsync(ErrorCodes.Find(code), 5);
        (await PauseAsync()).ShouldBe(TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(29));
        (await PauseAsync()).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("embedding_refused")]
    [InlineData("embedding_quota")]
    public async Task A_service_that_refuses_is_up(string code)
    {
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 4);
        await FailAsync(ErrorCodes.Find(code), 1);
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 4);
        await SucceedAsync();
    }

    [Fact]
    public async Task The_pause_doubles_up_to_five_minutes_and_starts_anew_after_an_answer()
    {
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 5);
        foreach (var seconds in (int[])[30, 60, 120, 240, 300, 300])
        {
            (await PauseAsync()).ShouldBe(TimeSpan.FromSeconds(seconds));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            await FailAsync(ErrorCodes.EmbeddingUnavailable, 1);
        }
        _time.Advance(TimeSpan.FromMinutes(5));
        await SucceedAsync();
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 5);
        (await PauseAsync()).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task One_request_tries_and_the_others_follow_when_it_is_answered()
    {
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 5);
        _time.Advance(TimeSpan.FromSeconds(30));
        Task<IReadOnlyList<float[]>>[] asking = [Ask(), Ask(), Ask()];
        var trial = await _generator.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        _generator.Untaken.ShouldBe(0);

        trial.Answer();
        (await _generator.NextAsync()).Answer();
        (await _generator.NextAsync()).Answer();
        (await Task.WhenAll(asking).WaitAsync(TimeSpan.FromSeconds(20))).Length.ShouldBe(3);
    }

    [Fact]
    public async Task Those_who_wait_for_a_trial_fail_with_it()
    {
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 5);
        _time.Advance(TimeSpan.FromSeconds(30));
        var trying = Ask();
        var waiting = Ask();
        (await _generator.NextAsync()).Fail(new IngestionException(ErrorCodes.EmbeddingUnavailable, "No."));
        await FailureOf(trying);
        (await FailureOf(waiting)).RetryAfter.ShouldBe(TimeSpan.FromSeconds(60));
        _generator.Untaken.ShouldBe(0);
    }

    [Fact]
    public async Task Requests_from_before_the_pause_neither_lengthen_nor_end_it()
    {
        Task[] asking = [.. Enumerable.Range(0, 8).Select(_ => Ask())];
        var calls = new List<ScriptedGenerator.Call>();
        for (var i = 0; i < 8; i++) calls.Add(await _generator.NextAsync());
        foreach (var call in calls.Take(6)) call.Fail(new IngestionException(ErrorCodes.EmbeddingUnavailable, "No."));
        calls[6].Answer();
        (await PauseAsync()).ShouldBe(TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(30));
        calls[7].Fail(new IngestionException(ErrorCodes.EmbeddingUnavailable, "No."));
        await FailureOf(asking[7]);
        await SucceedAsync();
    }

    [Fact]
    public async Task A_throttle_pauses_as_long_as_it_says()
    {
        await FailAsync(ErrorCodes.EmbeddingThrottled, 1, TimeSpan.FromSeconds(7));
        var failure = await FailureOf(Ask());
        failure.Code.ShouldBe(ErrorCodes.EmbeddingThrottled);
        failure.RetryAfter.ShouldBe(TimeSpan.FromSeconds(7));
        _time.Advance(TimeSpan.FromSeconds(7));
        await SucceedAsync();
    }

    [Fact]
    public async Task A_throttle_without_a_time_pauses_nothing()
    {
        await FailAsync(ErrorCodes.EmbeddingThrottled, 6);
        await SucceedAsync();
    }

    [Fact]
    public async Task A_failing_service_that_names_a_longer_time_is_believed()
    {
        await FailAsync(ErrorCodes.EmbeddingUnavailable, 5, TimeSpan.FromMinutes(2));
        (await PauseAsync()).ShouldBe(TimeSpan.FromMinutes(2));
    }
}

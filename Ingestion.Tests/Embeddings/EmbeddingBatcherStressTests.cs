using System.Collections.Concurrent;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

/// <summary>Many callers at once, some of whom give up, over a service that sometimes refuses: nobody gets another's vector and nothing is lost.</summary>
public sealed class EmbeddingBatcherStressTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Every_caller_gets_its_own_vectors_or_its_own_ending(int seed)
    {
        using var generator = new BusyGenerator(limit: 3);
        var model = new EmbeddingModel("busy", 1, 1, generator, IsLocal: false);
        var options = Options.Create(new EmbeddingOptions { BatchSize = 4, MaxConcurrentRequests = 3 });
        using var batcher = new EmbeddingBatcher(options, TimeProvider.System, NullLogger<EmbeddingBatcher>.Instance);
        var random = new Random(seed);
        var endings = new ConcurrentBag<string>();

        var callers = Enumerable.Range(0, 300).Select(_ =>
        {
            int[] numbers = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(2000))];
            var cancel = new CancellationTokenSource();
            if (random.Next(3) == 0) generator.CancelDuringCall(random.Next(400), cancel);
            return Task.Run(async () =>
            {
                try
                {
                    var vectors = await batcher.EmbedAsync(model, [.. numbers.Select(n => n.ToString())], cancel.Token);
                    vectors.Select(v => (int)v[0]).ShouldBe(numbers);
                    numbers.ShouldAllBe(n => n % 97 != 0);
                    endings.Add("answered");
                }
                catch (IngestionException e) when (e.Code == ErrorCodes.EmbeddingRefused)
                {
                    numbers.ShouldContain(n => n % 97 == 0);
                    endings.Add("refused");
                }
                catch (OperationCanceledException)
                {
                    cancel.IsCancellationRequested.ShouldBeTrue();
                    endings.Add("cancelled");
                }
            });
        }).ToArray();
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromSeconds(60));

        endings.Count.ShouldBe(300);
        endings.Distinct().Count().ShouldBe(3);
        generator.WasOverrun.ShouldBeFalse();

        // All room is free again: a document larger than the room still gets through.
        var after = await batcher.EmbedAsync(model, [.. Enumerable.Range(3000, 60).Where(n => n % 97 != 0).Select(n => n.ToString())], CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        after.Count.ShouldBeGreaterThan(50);
    }

    /// <summary>Answers on another thread with the number that the text is; refuses requests that hold a multiple of 97.</summary>
    private sealed class BusyGenerator(int limit) : IEmbeddingGenerator<string, Embedding<float>>
    {
        private readonly ConcurrentDictionary<int, CancellationTokenSource> _cancels = new();
        private int _calls, _underWay;

        public bool WasOverrun { get; private set; }

        public void CancelDuringCall(int call, CancellationTokenSource cancel) => _cancels.TryAdd(call, cancel);

        public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Increment(ref _underWay) > limit) WasOverrun = true;
            try
            {
                await Task.Yield();
                if (_cancels.TryRemove(Interlocked.Increment(ref _calls), out var cancel)) await cancel.CancelAsync();
                cancellationToken.ThrowIfCancellationRequested();
                int[] numbers = [.. values.Select(int.Parse)];
                if (numbers.Any(n => n % 97 == 0)) throw new IngestionException(ErrorCodes.EmbeddingRefused, "No.", new RefusedInputException());
                return new(numbers.Select(n => new Embedding<float>(new float[] { n })));
            }
            finally
            {
                Interlocked.Decrement(ref _underWay);
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}

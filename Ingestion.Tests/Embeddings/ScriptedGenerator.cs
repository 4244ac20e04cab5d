using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace Ingestion.Tests.Embeddings;

/// <summary>A generator whose every call waits until the test answers it.</summary>
internal sealed class ScriptedGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();

    /// <summary>The next call, in the order in which they came; fails the test where none comes.</summary>
    public async Task<Call> NextAsync() => await _calls.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    /// <summary>Calls that came and were not yet taken by <see cref="NextAsync"/>.</summary>
    public int Untaken => _calls.Reader.Count;

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = new Call([.. values], cancellationToken);
        _calls.Writer.TryWrite(call);
        return call.Answered;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }

    public sealed class Call
    {
        private readonly TaskCompletionSource<GeneratedEmbeddings<Embedding<float>>> _answer = new();

        public Call(string[] texts, CancellationToken token)
        {
            Texts = texts;
            Token = token;
            token.Register(() => _answer.TrySetCanceled(token));
        }

        public string[] Texts { get; }

        public CancellationToken Token { get; }

        internal Task<GeneratedEmbeddings<Embedding<float>>> Answered => _answer.Task;

        /// <summary>One vector per text: its length and its first letter.</summary>
        public void Answer() => _answer.TrySetResult(new(Texts.Select(VectorOf)) { Usage = new UsageDetails { TotalTokenCount = Texts.Length * 10 } });

        public void Answer(int vectors) => _answer.TrySetResult(new(Texts.Take(vectors).Select(VectorOf)));

        public void Fail(Exception failure) => _answer.TrySetException(failure);

        private static Embedding<float> VectorOf(string text) => new(new float[] { text.Length, text.Length > 0 ? text[0] : 0 });
    }
}

namespace Ingestion.Core.Embeddings;

/// <summary>What this process has asked of remote services since it started.</summary>
/// <param name="Calls">Requests sent, failed ones included: what a bill counts.</param>
/// <param name="Texts">Texts in them.</param>
/// <param name="Shared">Texts that were answered by another caller's, or an equal text's, place in a request.</param>
/// <param name="Tokens">As reported by the services.</param>
/// <param name="Failures">Requests that brought no vectors.</param>
/// <param name="Local">Texts embedded in this process, without any request.</param>
public sealed record EmbeddingCounters(long Calls, long Texts, long Shared, long Tokens, long Failures, long Local);

/// <summary>The running numbers behind <see cref="EmbeddingCounters"/>.</summary>
internal sealed class EmbeddingTally
{
    private long _calls, _texts, _shared, _tokens, _failures, _local;

    public EmbeddingCounters Read() => new(
        Interlocked.Read(ref _calls), Interlocked.Read(ref _texts), Interlocked.Read(ref _shared),
        Interlocked.Read(ref _tokens), Interlocked.Read(ref _failures), Interlocked.Read(ref _local));

    public void Sent(int texts)
    {
        Interlocked.Increment(ref _calls);
        Interlocked.Add(ref _texts, texts);
    }

    public void Shared() => Interlocked.Increment(ref _shared);

    public void Charged(long tokens) => Interlocked.Add(ref _tokens, tokens);

    public void Failed() => Interlocked.Increment(ref _failures);

    public void Computed(int texts) => Interlocked.Add(ref _local, texts);
}

namespace Ingestion.Core.Embeddings;

/// <summary>What this process has asked of remote services since it started.</summary>
/// <param name="Calls">Requests sent, failed ones included: what a bill counts.</param>
/// <param name="Texts">Texts in them.</param>
/// <param name="Shared">Texts that were answered by another caller's, or an equal text's, place in a request.</param>
/// <param name="Tokens">As reported by the services.</param>
/// <param name="Failures">Requests that brought no vectors.</param>
/// <param name="Local">Texts embedded in this process, without any request.</param>
public sealed record EmbeddingCounters(long Calls, long Texts, long Shared, long Tokens, long Failures, long Local);

/// <summary>How this process fared with the remote service when it last asked.</summary>
/// <param name="FailedInRow">Requests that failed since the last one that was answered; 0 where the last was.</param>
/// <param name="FailedAt">When the newest of all failures came; null for none since the start.</param>
/// <param name="Code">Of that failure, one of the <c>embedding_…</c> codes.</param>
/// <param name="AnsweredAt">When the service last answered as it should, a refusal of a text included; null for never since the start.</param>
public sealed record EmbeddingStanding(int FailedInRow, DateTimeOffset? FailedAt, string? Code, DateTimeOffset? AnsweredAt);

/// <summary>The running numbers behind <see cref="EmbeddingCounters"/>, and the last outcomes behind <see cref="EmbeddingStanding"/>.</summary>
internal sealed class EmbeddingTally(TimeProvider time)
{
    private long _calls, _texts, _shared, _tokens, _failures, _local;
    private volatile EmbeddingStanding _standing = new(0, null, null, null);

    public EmbeddingStanding Standing => _standing;

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

    /// <summary>The service does its work.</summary>
    public void Answered() => Change(s => s with { FailedInRow = 0, AnsweredAt = time.GetUtcNow() });

    /// <summary>The service did not do its work, whatever the text.</summary>
    public void Missed(string code) => Change(s => s with { FailedInRow = s.FailedInRow + 1, FailedAt = time.GetUtcNow(), Code = code });

    private void Change(Func<EmbeddingStanding, EmbeddingStanding> change)
    {
        EmbeddingStanding before;
        do before = _standing;
        while (Interlocked.CompareExchange(ref _standing, change(before), before) != before);
    }

    public void Computed(int texts) => Interlocked.Add(ref _local, texts);
}

namespace Ingestion.Core.Embeddings;

/// <summary>One text on its way, and how many callers wait for it. Its owner guards <see cref="Waiters"/> and <see cref="Request"/> with its lock.</summary>
internal sealed class EmbeddingSlot(string text)
{
    private readonly TaskCompletionSource<float[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Text { get; } = text;

    public int Waiters { get; set; } = 1;

    /// <summary>The request that carries the text; null while it waits to be sent.</summary>
    public EmbeddingRequest? Request { get; set; }

    public Task<float[]> Vector => _done.Task;

    public void Succeed(float[] vector) => _done.TrySetResult(vector);

    public void Fail(Exception failure)
    {
        // Every caller may have gone: then nobody awaits this, and reading the exception marks it as seen.
        if (_done.TrySetException(failure)) _ = _done.Task.Exception;
    }
}

/// <summary>Slots that travel together. When the last of them has lost its callers, the request is cancelled.</summary>
/// <param name="slots">At least one.</param>
/// <param name="epoch">See <see cref="EmbeddingBreaker.Epoch"/>.</param>
internal sealed class EmbeddingRequest(IReadOnlyList<EmbeddingSlot> slots, int epoch)
{
    // Never disposed: it has no timer and no parent, and a caller may leave while the answer comes in.
    private readonly CancellationTokenSource _abandoned = new();

    public IReadOnlyList<EmbeddingSlot> Slots { get; } = slots;

    public int Epoch { get; } = epoch;

    public CancellationToken Abandoned => _abandoned.Token;

    public bool IsWanted => Slots.Any(s => s.Waiters > 0 && !s.Vector.IsCompleted);

    public void Abandon() => _abandoned.Cancel();
}

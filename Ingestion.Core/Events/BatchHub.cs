using System.Collections.Concurrent;

namespace Ingestion.Core.Events;

/// <summary>
/// Tells everybody in this process who watches a batch that it changed. Hints say nothing of what: watchers read the database.
/// A slow watcher loses hints, never slows the one who gives them.
/// </summary>
public sealed class BatchHub
{
    private readonly ConcurrentDictionary<long, ConcurrentDictionary<BatchHints, byte>> _watchers = new();

    /// <summary>Watches one batch, or with <see cref="All"/> every batch.</summary>
    public BatchHints Subscribe(long batchId)
    {
        var hints = new BatchHints(this, batchId);
        _watchers.GetOrAdd(batchId, _ => new())[hints] = 0;
        return hints;
    }

    /// <summary>The number that stands for every batch.</summary>
    public const long All = 0;

    public int Watchers => _watchers.Values.Sum(w => w.Count);

    public void Changed(long batchId)
    {
        if (_watchers.TryGetValue(batchId, out var some))
            foreach (var w in some.Keys) w.Signal();
        if (batchId != All && _watchers.TryGetValue(All, out var all))
            foreach (var w in all.Keys) w.Signal();
    }

    internal void Remove(BatchHints hints)
    {
        if (_watchers.TryGetValue(hints.BatchId, out var some)) some.TryRemove(hints, out _);
    }
}

/// <summary>One watcher's hints: any number since the last wait count as one.</summary>
public sealed class BatchHints(BatchHub hub, long batchId) : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    public long BatchId { get; } = batchId;

    /// <summary>Waits for a hint or for the time to pass; true where there was a hint.</summary>
    public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken ct) => _signal.WaitAsync(atMost, ct);

    internal void Signal()
    {
        // Only one count is ever kept; losing the race to another hint loses nothing.
        if (_signal.CurrentCount > 0) return;
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            return;
        }
    }

    public void Dispose() => hub.Remove(this);
}

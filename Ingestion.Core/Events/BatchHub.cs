using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Ingestion.Core.Events;

/// <summary>
/// Tells everybody in this process who watches a batch that it changed. Hints say nothing of what: watchers read the database.
/// A slow watcher loses hints, never slows the one who gives them.
/// </summary>
public sealed class BatchHub
{
    private readonly ConcurrentDictionary<long, ImmutableArray<BatchHints>> _watchers = new();

    /// <summary>Watches one batch, or with <see cref="All"/> every batch.</summary>
    public BatchHints Subscribe(long batchId)
    {
        var hints = new BatchHints(this, batchId);
        _watchers.AddOrUpdate(batchId, static (_, h) => [h], static (_, some, h) => some.Add(h), hints);
        return hints;
    }

    /// <summary>Begins every notification of this process, which hears itself and needs not.</summary>
    internal string Sender { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The number that stands for every batch.</summary>
    public const long All = 0;

    /// <summary>The number under which those wait who look for tasks: work may have come up that nobody here was told of.</summary>
    public const long Work = -1;

    public int Watchers => _watchers.Values.Sum(w => w.Length);

    /// <summary>A batch changed; with <see cref="All"/>, any may have: everybody looks.</summary>
    public void Changed(long batchId)
    {
        if (batchId == All)
        {
            foreach (var some in _watchers.Values) Signal(some);
            return;
        }
        if (_watchers.TryGetValue(batchId, out var its)) Signal(its);
        if (_watchers.TryGetValue(All, out var all)) Signal(all);
    }

    /// <summary>Somebody opened tasks, or let them go on.</summary>
    public void WorkCameUp()
    {
        if (_watchers.TryGetValue(Work, out var workers)) Signal(workers);
    }

    internal void Remove(BatchHints hints)
    {
        // The last watcher of a batch takes its entry along; whoever subscribes meanwhile makes the exchange fail, and it is tried again.
        while (_watchers.TryGetValue(hints.BatchId, out var some))
        {
            var rest = some.Remove(hints);
            if (rest.IsEmpty ? _watchers.TryRemove(new(hints.BatchId, some)) : _watchers.TryUpdate(hints.BatchId, rest, some)) return;
        }
    }

    private static void Signal(ImmutableArray<BatchHints> watchers)
    {
        foreach (var w in watchers) w.Signal();
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

namespace Ingestion.Core.Pipeline;

/// <summary>
/// The slots of one stage in this process. Where there are several, one is kept for small batches: however long large ones take, what
/// somebody waits for begins.
/// </summary>
internal sealed class Slots(int total)
{
    // Tasks that settle together free their slots together, and one claim for all of them costs what one for a single task does. Where
    // there are few slots the tasks are long, and nothing is gained by waiting.
    private const int Many = 32;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(4);

    private readonly SemaphoreSlim _free = new(total);
    private readonly int _forLarge = total > 1 ? total - 1 : total;
    private int _large;

    /// <summary>Waits until a slot is free and takes all that are. Small only: what is left is kept for small batches.</summary>
    public async Task<(int Free, bool SmallOnly)> TakeAsync(CancellationToken ct)
    {
        await _free.WaitAsync(ct);
        if (total >= Many && _free.CurrentCount < total / 4) await Task.Delay(Gathering, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var free = 1;
        while (_free.Wait(0, ct)) free++;
        var forLarge = _forLarge - Volatile.Read(ref _large);
        if (forLarge <= 0 || forLarge >= free) return (free, forLarge <= 0);
        _free.Release(free - forLarge);
        return (forLarge, false);
    }

    /// <summary>Gives back those of the taken slots for which nothing was claimed.</summary>
    public void Claimed(int taken, IReadOnlyList<ClaimedTask> tasks)
    {
        Interlocked.Add(ref _large, tasks.Count(t => !t.Small));
        if (tasks.Count < taken) _free.Release(taken - tasks.Count);
    }

    /// <summary>A task ended. True where a large batch could not have been served before and can now.</summary>
    public bool Release(ClaimedTask task)
    {
        var was = task.Small ? 0 : Interlocked.Decrement(ref _large) + 1;
        _free.Release();
        return was == _forLarge;
    }
}

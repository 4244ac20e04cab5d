namespace Ingestion.Admin.Api.Live;

/// <summary>What a reader needs of a batch besides its state and its facts.</summary>
[Flags]
internal enum LiveWants
{
    Facts = 0,
    /// <summary>What it waits for and how long it still takes.</summary>
    Outlook = 1,
    /// <summary>The documents at work.</summary>
    Files = 2,
}

/// <summary>
/// One connection that follows. It is told only that there is something new, and takes what it has not seen when it is ready for it: so
/// nothing is kept for one that does not read.
/// </summary>
internal sealed class LiveReader(LiveWants wants)
{
    private readonly SemaphoreSlim _signal = new(0, 1);

    public LiveWants Wants { get; } = wants;

    /// <summary>Waits until something may be new; any number of signals since the last wait count as one.</summary>
    public Task WaitAsync(CancellationToken ct) => _signal.WaitAsync(ct);

    public void Signal()
    {
        if (_signal.CurrentCount > 0) return;
        try
        {
            _signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else was first: it is told already.
            return;
        }
    }
}

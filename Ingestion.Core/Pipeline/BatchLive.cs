namespace Ingestion.Core.Pipeline;

/// <summary>Items of a batch that stand, or ended, at one stage.</summary>
/// <param name="Running">Tasks of the stage that a worker holds.</param>
/// <param name="Ended">Items that ended here in any way; failed and cancelled ones are among them.</param>
public sealed record StageLoad(Stage Stage, int Open, int Running, int Ended, int Failed, int Cancelled);

/// <summary>What a batch does right now, besides its counts.</summary>
/// <param name="Waiting">What its open items and inputs wait for, largest group first; those at work are among them.</param>
/// <param name="Workers">Processes that said within the last minute that they run the pipeline.</param>
public sealed record BatchLive(IReadOnlyList<StageLoad> Stages, IReadOnlyList<WaitingGroup> Waiting, BatchPace Pace, int Workers)
{
    public static readonly BatchLive None = new([], [], BatchPace.None, 0);

    /// <summary>What is left, and how fast it went of late.</summary>
    public BatchOutlook Outlook { get; init; } = BatchOutlook.None;
}

/// <summary>How fast items ended of late.</summary>
/// <param name="LastMinute">Items that ended in the last minute.</param>
/// <param name="Recent">Items that ended in the last five minutes.</param>
/// <param name="RecentMinutes">Minutes since the first of the recent ones ended, at most five.</param>
/// <param name="Chunks">Chunks of the recent ones.</param>
/// <param name="Bytes">Bytes of the recent ones.</param>
public sealed record BatchPace(int LastMinute, int Recent, double RecentMinutes, long Chunks, long Bytes)
{
    public static readonly BatchPace None = new(0, 0, 0, 0, 0);

    // Fewer, or over a shorter time, is chance.
    private const int Enough = 5;
    private const double EnoughMinutes = 0.2;

    /// <summary>False while too few items have ended to speak of a rate.</summary>
    public bool IsKnown => Recent >= Enough && RecentMinutes >= EnoughMinutes;

    /// <summary>Items a minute over the recent ones; 0 while not known.</summary>
    public double PerMinute => IsKnown ? Recent / RecentMinutes : 0;

    public double ChunksPerMinute => IsKnown ? Chunks / RecentMinutes : 0;
}

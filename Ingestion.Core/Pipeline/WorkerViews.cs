namespace Ingestion.Core.Pipeline;

/// <summary>Whether a process is to be counted on.</summary>
public enum ProcessState
{
    /// <summary>It said lately that it lives.</summary>
    Alive,
    /// <summary>It has not said so for a while and did not stop: it died, froze, or lost its way to the database.</summary>
    Silent,
    /// <summary>It said that it stops.</summary>
    Stopped,
}

/// <summary>A process of this database.</summary>
/// <param name="Slots">The stages it serves, with how many tasks of each at once.</param>
/// <param name="Held">Tasks that it holds, by stage. A silent one's are taken back when their leases run out.</param>
/// <param name="Connections">Database connections that its pools may open.</param>
public sealed record ProcessView(
    string Id, string Host, int Pid, string Role, string Version, ProcessState State, DateTimeOffset StartedAt, DateTimeOffset LastSeenAt, DateTimeOffset? StoppedAt,
    IReadOnlyDictionary<Stage, int> Slots, IReadOnlyDictionary<Stage, int> Held, int Connections)
{
    public int HeldTasks => Held.Values.Sum();
}

/// <summary>The queue of one stage over all batches.</summary>
/// <param name="Due">Tasks that may start now.</param>
/// <param name="Later">Tasks that are ready but whose time has not come, or whose batch does not run.</param>
/// <param name="OldestDue">How long the one that has been due longest has waited; null where none is due.</param>
/// <param name="Workers">Living processes that serve it, and <paramref name="Slots"/> how many tasks they take at once.</param>
public sealed record StageQueue(Stage Stage, int Due, int Later, int Running, TimeSpan? OldestDue, int Workers, int Slots)
{
    /// <summary>Work lies there and nobody will take it.</summary>
    public bool IsDeserted => Workers == 0 && Due + Later > 0;
}

/// <summary>Something done once for all processes, and how it last went.</summary>
/// <param name="LastFinished">Before <paramref name="LastStarted"/> while a turn is under way, or where its process died in it.</param>
public sealed record DutyView(string Name, string Purpose, TimeSpan Interval, DateTimeOffset NextDue, DateTimeOffset? LastStarted, DateTimeOffset? LastFinished, string? LastError, string? Worker)
{
    public bool IsUnderWay => LastStarted is not null && (LastFinished is null || LastFinished < LastStarted);
}

/// <summary>An item at work: where it is found and since when.</summary>
public sealed record HeldItem(long ItemId, string BatchPublicId, string Name, Stage Stage, DateTimeOffset Since);

/// <summary>Who works on this database, what waits, and what is done beside.</summary>
public sealed record WorkersView(DateTimeOffset At, IReadOnlyList<ProcessView> Processes, IReadOnlyList<StageQueue> Stages, IReadOnlyList<DutyView> Duties)
{
    public IEnumerable<ProcessView> Alive => Processes.Where(p => p.State == ProcessState.Alive);
}

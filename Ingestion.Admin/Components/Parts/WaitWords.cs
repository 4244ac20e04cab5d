using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Parts;

/// <summary>Why something waits, in a sentence. Every page takes its words from here.</summary>
public static class WaitWords
{
    /// <summary>Why nobody works on an open item; null where somebody does, or where it has ended.</summary>
    public static string? Of(ItemView item, BatchView batch, Room room, DateTimeOffset now) => item switch
    {
        { State: not ItemState.Open } or { TaskState: TaskState.Running } => null,
        { TaskState: TaskState.Blocked } => "Waits for a person to review it.",
        _ when Of(batch) is { } sentence => sentence,
        { WaitReason: { } reason, ScheduledAt: { } due } when due > now => Of(reason, due, now),
        _ => Due(room, item.Stage),
    };

    /// <summary>Why a whole batch stands still; null where it does not.</summary>
    public static string? Of(BatchView batch) => batch switch
    {
        { Cancelling: true } => "The batch is being cancelled.",
        { Draft: true } => "The batch is still being put together.",
        { State: BatchState.Pending } => "The batch has not been started.",
        { State: BatchState.Paused } => "The batch is paused.",
        { State: BatchState.Queued } => "The batch waits for its turn among the active ones.",
        _ => null,
    };

    /// <summary>Why an open item is where it is.</summary>
    public static string Of(Waiting waiting, DateTimeOffset now) => waiting.Reason switch
    {
        HoldReasons.Running => "A worker is at it.",
        HoldReasons.NotStarted => "The batch has not been started.",
        HoldReasons.BatchPaused => "The batch is paused.",
        HoldReasons.Cancelling => "The batch is being cancelled.",
        HoldReasons.BatchQueued => $"The batch waits for its turn: {waiting.Subject} are active at a time.",
        HoldReasons.Review => "Waits for a person to review it.",
        HoldReasons.BatchWorkers => $"The batch has {waiting.Subject} documents at work at once, as its options say; waits for a free place.",
        HoldReasons.NoWorker => waiting.Subject is { } stage ? NoWorker(stage) : "No worker is running.",
        HoldReasons.StageBusy => "Waits for a free worker.",
        _ => Of(waiting.Reason, waiting.Until ?? now, now),
    };

    /// <summary>Why a group of tasks waits.</summary>
    public static string Of(WaitGroup group, Room room, DateTimeOffset now) => group.Reason is { } reason ? Of(reason, group.Until, now) : Due(room, group.Stage);

    /// <param name="reason">One of <see cref="WaitReasons"/>.</param>
    /// <param name="due">When it is looked at again.</param>
    /// <param name="now">The time of reading.</param>
    public static string Of(string reason, DateTimeOffset due, DateTimeOffset now)
    {
        var again = In(due - now);
        return reason switch
        {
            WaitReasons.Retry => $"An attempt failed; the next one starts {again}.",
            WaitReasons.HostPacing => $"Its host is asked slowly; its turn comes {again}.",
            WaitReasons.HostPaused => $"Its host asked us to stay away; it is asked again {again}.",
            WaitReasons.SameContent => "Another document is carrying the same content into the collection.",
            WaitReasons.WorkerLost => $"The worker that held it stopped; it starts again {again}.",
            WaitReasons.StorageFull => $"The storage is full; it is tried again {again}.",
            WaitReasons.EmbeddingUnavailable => $"The embedding service does not answer; it is asked again {again}.",
            WaitReasons.EmbeddingThrottled => $"The embedding service asked us to slow down; it is asked again {again}.",
            WaitReasons.Paused => "The batch was paused while it ran.",
            WaitReasons.Unavailable => $"The database or a store did not answer; it is tried again {again}.",
            _ => $"Waits ({reason}); it is looked at again {again}.",
        };
    }

    /// <summary>Nobody does this stage, until somebody starts a process that does.</summary>
    public static string NoWorker(string stage) => $"No running worker serves the stage {stage}; it goes on as soon as one is started.";

    private static string Due(Room room, Stage stage) => room switch
    {
        { Served.Count: 0 } => "No worker is running.",
        _ when !room.Served.Contains(stage) => NoWorker(stage.Word()),
        _ when room.Taken >= room.Places => $"The batch has {Format.Count(room.Places, "document")} at work at once, as its options say; waits for a free place.",
        _ => "Waits for a free worker.",
    };

    private static string In(TimeSpan left) => left.TotalSeconds < 1 ? "now" : $"in {Format.Duration(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)))}";
}

/// <summary>What a task that is due waits for.</summary>
/// <param name="Served">Stages that some running process serves.</param>
/// <param name="Taken">Documents of the batch that are at work.</param>
/// <param name="Places">Documents of the batch that may be.</param>
public sealed record Room(IReadOnlySet<Stage> Served, int Taken, int Places)
{
    public static Room Of(BatchView batch, BatchLive live) => new(live.Served, batch.Counts.Running, Pages.Batches.OptionWords.Stored(batch).Workers);
}

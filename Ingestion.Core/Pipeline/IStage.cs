using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>One step of the way. The work runs with no transaction open; what it wants written it returns as a save.</summary>
public interface IStage
{
    Stage Stage { get; }

    /// <summary>
    /// Does the work of one task. Expected endings are outcomes or an <see cref="IngestionException"/>; any other exception is a
    /// surprise and fails this attempt of this task only. May run twice for the same task: a save must leave the same rows.
    /// </summary>
    Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct);
}

/// <summary>A task that this process holds. <see cref="Attempt"/> is the fence that every later write names.</summary>
/// <param name="WaitReason">Why it had been postponed before this claim; null where it had not.</param>
/// <param name="Small">Its batch is small and may use the slots kept for such.</param>
/// <param name="Alone">No other tenant waited: a claim that took less than it might have left nothing behind.</param>
public sealed record ClaimedTask(
    long Id, int Attempt, string TenantId, long BatchId, long JobId, long? ItemId, long? InputId,
    Stage Stage, int Failures, int Crashes, string? WaitReason, bool Small = false, bool Alone = false);

/// <summary>Writes a stage's output inside the settling transaction.</summary>
public delegate Task SaveOutput(NpgsqlConnection connection, CancellationToken ct);

/// <summary>How a stage ended. An exception means a surprise; everything expected is one of these.</summary>
public abstract record StageOutcome
{
    /// <summary>Succeeded: the save and the next task are one transaction.</summary>
    /// <param name="Data">A JSON object for the event.</param>
    /// <param name="After">Follows the commit; may be lost in a crash, so a sweep must be able to do it again.</param>
    public sealed record Done(SaveOutput? Save = null, string? Data = null, Func<CancellationToken, Task>? After = null) : StageOutcome
    {
        /// <summary>True where the save is a short statement or two, or none: such a task may share its transaction with others of its batch.</summary>
        public bool IsLight { get; init; } = Save is null;

        /// <summary>The stage that follows where it is not the usual one; at review a person decides, and the task is opened blocked.</summary>
        public Stage? Next { get; init; }
    }

    /// <summary>The collection already has it; the item ends here, well.</summary>
    public sealed record Skipped(string Reason, SaveOutput? Save = null) : StageOutcome;

    /// <summary>A rule said no; the item ends here as if a reviewer had.</summary>
    public sealed record Rejected(string Reason, SaveOutput? Save = null) : StageOutcome;

    /// <summary>Not now, and not the document's fault: no attempt is charged.</summary>
    /// <param name="Reason">One of <see cref="WaitReasons"/>.</param>
    public sealed record RetryLater(TimeSpan After, string Reason) : StageOutcome;

    /// <summary>Waits for a person.</summary>
    public sealed record Blocked(SaveOutput Save) : StageOutcome;
}

/// <summary>Why a ready task is not yet due.</summary>
public static class WaitReasons
{
    /// <summary>An attempt failed; the next one follows after a pause.</summary>
    public const string Retry = "retry";
    /// <summary>The host's turn for it has not come.</summary>
    public const string HostPacing = "host_pacing";
    /// <summary>The host or provider asked us to stay away for a while.</summary>
    public const string HostPaused = "host_paused";
    /// <summary>Another item is carrying the same content into the collection.</summary>
    public const string SameContent = "same_content_in_progress";
    /// <summary>The worker that held it died; it runs again shortly.</summary>
    public const string WorkerLost = "worker_lost";
    /// <summary>The artifact store has no space left.</summary>
    public const string StorageFull = "storage_full";
    /// <summary>The embedding service does not answer; it is asked again.</summary>
    public const string EmbeddingUnavailable = "embedding_unavailable";
    /// <summary>The embedding service asked us to slow down.</summary>
    public const string EmbeddingThrottled = "embedding_throttled";
    /// <summary>The crawling service is at work, does not answer or asked us to slow down; it is asked again.</summary>
    public const string Crawler = "crawler";
    /// <summary>Its batch was paused while it ran.</summary>
    public const string Paused = "paused";
    /// <summary>A database or store was out of reach.</summary>
    public const string Unavailable = "service_unavailable";

    public static IReadOnlyList<string> All { get; } =
        [Retry, HostPacing, HostPaused, SameContent, WorkerLost, StorageFull, EmbeddingUnavailable, EmbeddingThrottled, Crawler, Paused, Unavailable];

    /// <summary>Pauses that we chose ourselves: a person who knows that the cause is gone may cut them short.</summary>
    public static IReadOnlyList<string> OurPauses { get; } = [Retry, WorkerLost, StorageFull, EmbeddingUnavailable, Crawler, Unavailable];
}

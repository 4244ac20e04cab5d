namespace Ingestion.Core.Events;

/// <summary>Every kind of fact the log can hold. Acts of people tell <c>by</c> and <c>reason</c>; the audit log holds them too.</summary>
public static class EventKinds
{
    public const string BatchSubmitted = "batch_submitted";
    public const string BatchStarted = "batch_started";
    public const string BatchPaused = "batch_paused";
    public const string BatchResumed = "batch_resumed";
    /// <summary>Somebody wants the batch, or so many <c>items</c> of it, cancelled; the ends follow.</summary>
    public const string CancelRequested = "cancel_requested";
    public const string BatchCancelled = "batch_cancelled";
    public const string BatchRetried = "batch_retried";
    public const string BatchCompleted = "batch_completed";
    public const string BatchDeleted = "batch_deleted";

    /// <summary>Somebody cut pauses short; <c>items</c> says how many tasks were waiting for one.</summary>
    public const string WaitsEnded = "waits_ended";

    /// <summary>Items became known; <c>count</c> says how many, <c>first_item</c> and <c>last_item</c> which.</summary>
    public const string ItemsDiscovered = "items_discovered";
    public const string InputDone = "input_done";
    public const string InputFailed = "input_failed";

    /// <summary>A task succeeded and its item went on.</summary>
    public const string StageDone = "stage_done";
    public const string ItemDone = "item_done";
    public const string ItemSkipped = "item_skipped";
    public const string ItemFailed = "item_failed";
    public const string ItemCancelled = "item_cancelled";
    public const string ItemRetried = "item_retried";
    /// <summary>A reviewer, or a threshold, said no; <c>reason</c> says why.</summary>
    public const string ItemRejected = "item_rejected";

    /// <summary>A document waits for a person; the batch goes on, and ends, without it.</summary>
    public const string ReviewRequested = "review_requested";
    /// <summary>A person decided: <c>action</c>, and <c>field</c> and <c>entity</c> where a link was chosen. What was taken back says <c>undo</c>.</summary>
    public const string ReviewDecided = "review_decided";

    /// <summary>Documents of this batch showed that a rule is wrong too often; <c>rule</c> and <c>reason</c> say which and why.</summary>
    public const string RuleStopped = "rule_stopped";

    /// <summary>An attempt failed and another follows by itself.</summary>
    public const string AttemptFailed = "attempt_failed";

    /// <summary>A worker died or froze while it held the task; another takes over.</summary>
    public const string LeaseLost = "lease_lost";
}

using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>What can be asked of a batch on its page.</summary>
public enum BatchAct { Start, Pause, Resume, Retry, Cancel }

/// <summary>Which acts a batch allows in the state it is in. What is not possible is not shown.</summary>
public static class BatchActs
{
    /// <summary>In the order of the buttons; the main one last.</summary>
    public static IReadOnlyList<BatchAct> Of(BatchView batch)
    {
        if (batch.Draft || batch.Cancelling) return [];
        var acts = new List<BatchAct>();
        if (!batch.State.IsFinal()) acts.Add(BatchAct.Cancel);
        if (batch.State != BatchState.Pending && Retryable(batch.Counts) > 0) acts.Add(BatchAct.Retry);
        if (batch.State is BatchState.Queued or BatchState.Running or BatchState.Retrying) acts.Add(BatchAct.Pause);
        if (batch.State == BatchState.Paused) acts.Add(BatchAct.Resume);
        if (batch.State == BatchState.Pending) acts.Add(BatchAct.Start);
        return acts;
    }

    /// <summary>Documents and sources that a retry would run again.</summary>
    public static int Retryable(BatchCounts counts) => counts.Failed + counts.Cancelled + counts.FailedInputs;

    /// <summary><c>Retry failed (8)</c>; where some were cancelled, the word says so.</summary>
    public static string RetryLabel(BatchCounts counts)
    {
        var failed = counts.Failed + counts.FailedInputs;
        var word = counts.Cancelled == 0 ? "failed" : failed == 0 ? "cancelled" : "failed and cancelled";
        return $"Retry {word} ({Format.Count(Retryable(counts))})";
    }

    /// <summary>What stands there from the click until the answer.</summary>
    public static string Doing(BatchAct act) => act switch
    {
        BatchAct.Start => "Starting …",
        BatchAct.Pause => "Pausing …",
        BatchAct.Resume => "Resuming …",
        BatchAct.Retry => "Opening them again …",
        _ => "Cancelling …",
    };

    /// <summary>Names what a cancel hits and how many.</summary>
    public static ActQuestion CancelQuestion(BatchView batch)
    {
        var c = batch.Counts;
        var hit = c.Open == 0 ? "No document is open." : $"{Format.Count(c.Open, "document")} of {Format.Count(c.Total)} will be dropped ({Format.Count(c.Running)} at work now).";
        var stops = c.Discovering > 0 ? " Nothing more is discovered." : "";
        var stays = c.Done > 0 ? $" {Format.Count(c.Done, "document")} already published {(c.Done == 1 ? "stays" : "stay")} searchable." : "";
        return new("Cancel this batch?", hit + stops + stays, "Cancel batch", "Keep running");
    }
}

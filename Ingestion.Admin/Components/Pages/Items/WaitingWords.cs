using System.Globalization;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Items;

/// <summary>Why something waits, in a sentence.</summary>
internal static class WaitingWords
{
    public static string Sentence(Waiting waiting) => Of(waiting.Reason, waiting.Subject);

    private static string Of(string reason, string? subject) => reason switch
    {
        HoldReasons.Running => "A worker is at it.",
        HoldReasons.NotStarted => "Its batch has not been started.",
        HoldReasons.BatchPaused => "Its batch is paused.",
        HoldReasons.Cancelling => "Its batch is being cancelled.",
        HoldReasons.BatchQueued => $"Its batch waits for a place: {Number(subject)} run at a time.",
        HoldReasons.Review => "A person decides.",
        HoldReasons.BatchWorkers => $"Its batch is at its limit of {Number(subject)} at a time.",
        HoldReasons.NoWorker => "No worker is running.",
        HoldReasons.StageBusy => "It is next: it waits for a free worker.",
        _ => Word(reason, subject),
    };

    /// <summary>The stored reason of one task.</summary>
    public static string Word(string reason, string? subject = null) => reason switch
    {
        WaitReasons.Retry => "The last attempt failed; another follows.",
        WaitReasons.HostPacing => $"{subject ?? "The host"} is asked at a measured pace.",
        WaitReasons.HostPaused => $"{subject ?? "The host"} asked us to stay away for a while.",
        WaitReasons.SameContent => "Another item is carrying the same content.",
        WaitReasons.WorkerLost => "Its worker was lost; another takes over.",
        WaitReasons.StorageFull => "The data directory is full.",
        WaitReasons.EmbeddingUnavailable => "The embedding service does not answer.",
        WaitReasons.EmbeddingThrottled => "The embedding service asked us to slow down.",
        WaitReasons.Paused => "Its batch was paused.",
        WaitReasons.Unavailable => "The database or the store was out of reach.",
        _ => reason,
    };

    private static string Number(string? subject) => int.TryParse(subject, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? Parts.Format.Count(n) : "a few";
}

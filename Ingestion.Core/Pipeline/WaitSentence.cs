using System.Globalization;

namespace Ingestion.Core.Pipeline;

/// <summary>A reason of the closed set as a sentence. Pages, APIs and the command line take their words from here.</summary>
public static class WaitSentence
{
    public static string Of(Waiting waiting, DateTimeOffset now) => Of(waiting.Reason, waiting.Subject, waiting.Until, now);

    public static string Of(WaitingGroup group, DateTimeOffset now) => Of(group.Reason, group.Subject, group.First, now);

    private static string Of(string reason, string? subject, DateTimeOffset? until, DateTimeOffset now)
    {
        var again = Spans.In((until ?? now) - now);
        return reason switch
        {
            HoldReasons.Running => "A worker is at it.",
            HoldReasons.NotStarted => "The batch has not been started.",
            HoldReasons.BatchPaused => "The batch is paused.",
            HoldReasons.Cancelling => "The batch is being cancelled.",
            HoldReasons.BatchQueued => $"The batch waits for its turn: {subject} are active at a time.",
            HoldReasons.Review => "Waits for a person to review it.",
            HoldReasons.BatchWorkers => $"The batch has {Documents(subject)} at work at once, as its options say; waits for a free place.",
            HoldReasons.NoWorker => subject is { } stage ? $"No running worker serves the stage {stage}; it goes on as soon as one is started." : "No worker is running.",
            HoldReasons.StageBusy => $"Waits for a free worker to {Verb(subject)} it.",
            WaitReasons.Retry => $"An attempt failed; the next one starts {again}.",
            WaitReasons.HostPacing => $"{Host(subject)} is asked slowly; its turn comes {again}.",
            WaitReasons.HostPaused => $"{Host(subject)} asked us to stay away; it is asked again {again}.",
            WaitReasons.SameContent => "Another document is carrying the same content into the collection.",
            WaitReasons.WorkerLost => $"The worker that held it stopped; it starts again {again}.",
            WaitReasons.StorageFull => $"The storage is full; it is tried again {again}.",
            WaitReasons.EmbeddingUnavailable => $"The embedding service does not answer; it is asked again {again}.",
            WaitReasons.EmbeddingThrottled => $"The embedding service asked us to slow down; it is asked again {again}.",
            WaitReasons.Crawler => $"The crawling service is at work; it is asked again {again}.",
            WaitReasons.Paused => "The batch was paused while it ran.",
            WaitReasons.Unavailable => $"The database or a store did not answer; it is tried again {again}.",
            _ => $"Waits ({reason}); it is looked at again {again}.",
        };
    }

    private static string Verb(string? stage) => stage switch
    {
        "discover" => "list",
        "acquire" => "fetch",
        "index" => "publish",
        null => "take",
        _ => stage,
    };

    private static string Host(string? subject) => subject is null ? "Its host" : $"The host {subject}";

    private static string Documents(string? count) =>
        int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n == 1 ? "1 document" : string.Create(CultureInfo.InvariantCulture, $"{n:#,0} documents") : "as many documents as it may";
}

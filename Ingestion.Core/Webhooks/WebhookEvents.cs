namespace Ingestion.Core.Webhooks;

/// <summary>Where a delivery stands.</summary>
public enum DeliveryState
{
    /// <summary>To be sent, now or at a known time.</summary>
    Pending,
    /// <summary>The receiver took it.</summary>
    Delivered,
    /// <summary>Given up: every attempt failed, the address is refused, or the endpoint is gone. A person may send it again.</summary>
    Dead,
}

/// <summary>What receivers can be told of.</summary>
public static class WebhookEvents
{
    /// <summary>Every document of a batch is fetched, or known not to be had.</summary>
    public const string DownloadComplete = "download.complete";

    /// <summary>Every document of a batch has ended, but for those that wait for review.</summary>
    public const string IngestionComplete = "ingestion.complete";

    /// <summary>The batch has ended: completed, failed or cancelled.</summary>
    public const string JobDone = "job.done";

    /// <summary>Somebody tries the endpoint out.</summary>
    public const string Test = "webhook.test";

    /// <summary>What can be asked for, in the order in which it happens.</summary>
    public static IReadOnlyList<string> All { get; } = [DownloadComplete, IngestionComplete, JobDone];
}

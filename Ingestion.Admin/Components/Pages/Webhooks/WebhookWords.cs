using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;

namespace Ingestion.Admin.Components.Pages.Webhooks;

/// <summary>What people read of events and deliveries.</summary>
internal static class WebhookWords
{
    public static string Help(string name) => name switch
    {
        WebhookEvents.DownloadComplete => "every document is fetched, or known not to be had",
        WebhookEvents.IngestionComplete => "every document has ended, but for those that wait for review",
        WebhookEvents.JobDone => "the batch is completed, failed or cancelled",
        _ => "a try",
    };

    /// <summary>The state's word as <see cref="Parts.StateLook"/> knows it.</summary>
    public static string Look(DeliveryState state) => state == DeliveryState.Pending ? "ready" : state.Word();
}

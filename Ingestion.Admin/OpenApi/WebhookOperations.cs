namespace Ingestion.Admin.OpenApi;

/// <summary>Who is told of batches, and what the installation measures.</summary>
internal static partial class ApiOperations
{
    private const string WebhookTag = "Webhooks";

    private static IEnumerable<ApiOperation> Webhooks =>
    [
        new("GET", "/api/v1/webhooks", WebhookTag, "Addresses that are told of batches; never their secrets.") { Answer = "webhooks" },
        new("POST", "/api/v1/webhooks", WebhookTag, "Tell an address of every batch. Its secret is shown this once.", 201) { Request = "webhook-request", Required = ["url"], Answer = "webhook-made" },
        new("GET", "/api/v1/webhooks/{id}", WebhookTag, "One webhook and how much of what it was sent arrived.") { Answer = "webhook" },
        new("DELETE", "/api/v1/webhooks/{id}", WebhookTag, "Take a webhook away with the record of what it was sent.", 204),
        new("POST", "/api/v1/webhooks/{id}/disable", WebhookTag, "Send nothing to it for now; what waits stays.", 204),
        new("POST", "/api/v1/webhooks/{id}/enable", WebhookTag, "Send to it again, what waited first.", 204),
        new("POST", "/api/v1/webhooks/{id}/rotate", WebhookTag, "Make a new secret; for a day both sign. It is shown this once.") { Answer = "webhook-secret" },
        new("POST", "/api/v1/webhooks/{id}/test", WebhookTag, "Send a test event.", 202) { Answer = "webhook-test" },
        new("GET", "/api/v1/webhooks/{id}/deliveries", WebhookTag, "What it was sent, newest first.") { Answer = "webhook-deliveries" },
        new("GET", "/api/v1/webhooks/{id}/deliveries/{delivery}", WebhookTag, "The attempts at one delivery.") { Answer = "webhook-attempts" },
        new("POST", "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", WebhookTag, "Send a delivery that has ended once more, under the same id.", 204),
    ];
}

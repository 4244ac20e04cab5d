namespace Ingestion.Core.Pipeline.Verify;

/// <summary>I7: every event that somebody wants to hear of is delivered, on its way with a time for its next try, or given up; ids are unique.</summary>
internal static class WebhookChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        // Of the last day, which retention never removes. An endpoint that came within the last minute before the end may have come too late;
        // one that was switched off meanwhile missed what happened then.
        new("I7", "ending_reached_its_webhooks", """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s ended, and nothing tells webhook %s of its %s.', b.public_id, w.public_id, e.what) AS sentence
            FROM ingestion.import_batch b
            JOIN ingestion.webhook_endpoint w
              ON w.tenant_id = b.tenant_id AND (w.batch_id IS NULL OR w.batch_id = b.id) AND w.disabled_at IS NULL AND w.created_at < b.completed_at - interval '1 minute'
            CROSS JOIN LATERAL unnest(w.events) e (what)
            WHERE b.state IN ('completed', 'failed', 'cancelled') AND b.completed_at > ingestion.clock() - interval '1 day' AND (e.what = 'job.done' OR b.state <> 'cancelled')
              AND NOT EXISTS (SELECT FROM ingestion.audit_entry a WHERE a.tenant_id = w.tenant_id AND a.action = 'disable_webhook' AND a.target = 'webhook ' || w.public_id)
              AND NOT EXISTS (SELECT FROM ingestion.webhook_delivery d WHERE d.endpoint_id = w.id AND d.batch_id = b.id AND d.event = e.what AND d.run = b.endings)
            """),
        new("I7", "delivery_goes_on_or_has_ended", """
            SELECT 'delivery ' || d.public_id AS subject, format('Delivery %s is %s, has its next try at %s and ended at %s.', d.public_id, d.state, coalesce(d.next_at::text, 'no time'), coalesce(d.ended_at::text, 'no time')) AS sentence
            FROM ingestion.webhook_delivery d
            WHERE d.state NOT IN ('pending', 'delivered', 'dead') OR (d.state = 'pending') <> (d.next_at IS NOT NULL) OR (d.state = 'pending') <> (d.ended_at IS NULL)
            """),
        new("I7", "delivered_was_answered", """
            SELECT 'delivery ' || d.public_id AS subject, format('Delivery %s counts as delivered, but no attempt was answered with success.', d.public_id) AS sentence
            FROM ingestion.webhook_delivery d
            WHERE d.state = 'delivered' AND NOT EXISTS (SELECT FROM ingestion.webhook_attempt a WHERE a.delivery_id = d.id AND a.status BETWEEN 200 AND 299)
            """),
        new("I7", "delivery_ids_are_unique", """
            SELECT 'delivery ' || min(d.public_id) AS subject, format('%s deliveries are called %s.', count(*), d.public_id) AS sentence
            FROM ingestion.webhook_delivery d GROUP BY d.public_id HAVING count(*) > 1
            """),
    ];
}

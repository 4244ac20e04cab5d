using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Npgsql;

namespace Ingestion.Core.Webhooks;

/// <summary>
/// Announces batches whose documents are all fetched. Ends of batches announce themselves in their own transaction; this is a state that
/// no single row tells of, and it is looked for beside the pipeline. Removes secrets that were replaced long enough ago, too.
/// </summary>
public sealed class AnnounceDownloads(NpgsqlDataSource worker, PipelineOptions options) : IDuty
{
    public string Name => "webhooks";

    public string Purpose => "Tells webhooks of batches whose downloads are complete.";

    public TimeSpan Interval => options.Poll;

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        const string announce = """
            SELECT ingestion.announce(b, 'download.complete', b.endings + 1, ingestion.announced(b, b.endings + 1))
            FROM ingestion.import_batch b
            WHERE b.state IN ('running', 'retrying', 'paused') AND NOT b.draft
              AND EXISTS (
                  SELECT FROM ingestion.webhook_endpoint w
                  WHERE w.tenant_id = b.tenant_id AND w.disabled_at IS NULL AND 'download.complete' = ANY (w.events) AND (w.batch_id IS NULL OR w.batch_id = b.id)
                    AND NOT EXISTS (SELECT FROM ingestion.webhook_delivery d WHERE d.endpoint_id = w.id AND d.batch_id = b.id AND d.event = 'download.complete' AND d.run = b.endings + 1)
              )
              AND NOT EXISTS (SELECT FROM ingestion.import_input i WHERE i.batch_id = b.id AND i.state = 'open')
              AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.batch_id = b.id AND t.state IN ('ready', 'running') AND t.stage IN ('discover', 'acquire'))
              AND EXISTS (SELECT FROM ingestion.import_item i WHERE i.batch_id = b.id)
            """;
        const string forget = $"""
            WITH over AS (
                UPDATE ingestion.webhook_endpoint SET previous_secret_until = NULL WHERE previous_secret_until < ingestion.clock() RETURNING tenant_id, public_id
            )
            DELETE FROM ingestion.secret s USING over o WHERE s.tenant_id = o.tenant_id AND s.name = '{WebhookSecrets.Prefix}' || o.public_id || '{WebhookSecrets.Previous}'
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using (var command = new NpgsqlCommand(announce, connection)) await command.ExecuteNonQueryAsync(ct);
        await using (var command = new NpgsqlCommand(forget, connection)) await command.ExecuteNonQueryAsync(ct);
    }
}

using System.Text.Json;
using Ingestion.Core.Events;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Takes a batch with its history out of every list. What it published stays searchable, unless the person wants the documents gone that
/// only this batch published: their publications are revoked. Nothing is erased here; what nobody refers to is collected later.
/// </summary>
public sealed class BatchDelete(NpgsqlDataSource worker, BatchControl control, Hints hints)
{
    // Documents that readers find because of this batch alone: no other batch published a version that still counts, and none that is
    // still there skipped the same content because it was here already.
    private const string Alone = """
        SELECT DISTINCT p.document_id
        FROM ingestion.publication p
        WHERE p.batch_id = @batch AND p.revoked_at IS NULL
          AND NOT EXISTS (SELECT FROM ingestion.publication o WHERE o.document_id = p.document_id AND o.batch_id <> @batch AND o.revoked_at IS NULL)
          AND NOT EXISTS (
              SELECT FROM ingestion.document_version d
              JOIN ingestion.source_version v ON v.id = d.source_version_id
              JOIN ingestion.source_version w ON w.tenant_id = v.tenant_id AND w.sha256 = v.sha256
              JOIN ingestion.import_item i ON i.source_version_id = w.id AND i.state = 'skipped' AND i.batch_id <> @batch
              JOIN ingestion.import_batch b ON b.id = i.batch_id AND b.deleted_at IS NULL
              JOIN ingestion.import_batch mine ON mine.id = @batch AND mine.collection_id = b.collection_id
              WHERE d.id = p.document_version_id)
        """;

    /// <summary>How many documents would be gone with the batch, if they are asked for.</summary>
    public async Task<int> CountAloneAsync(string tenantId, long batchId, CancellationToken ct)
    {
        await using var command = worker.CreateCommand($"SELECT count(*)::int FROM ({Alone}) x WHERE EXISTS (SELECT FROM ingestion.import_batch WHERE id = @batch AND tenant_id = @tenant)");
        command.Parameters.Add(new("batch", batchId));
        command.Parameters.Add(new("tenant", tenantId));
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Cancels what runs, waits until that is carried out, then deletes in one transaction.</summary>
    public async Task<ControlResult> DeleteAsync(Actor actor, long batchId, bool removeDocuments, CancellationToken ct)
    {
        // Refused where it has ended; where somebody else's cancel is under way it is carried to its end.
        await control.CancelAsync(actor, batchId, ct);
        await control.FinishCancelAsync(batchId, ct);
        var result = await Conflicts.RepeatAsync(token => RemoveAsync(actor, batchId, removeDocuments, token), ct);
        if (result.Done) hints.Changed(batchId);
        return result;
    }

    private async Task<ControlResult> RemoveAsync(Actor actor, long batchId, bool removeDocuments, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { } batch) return new(false, "There is no such batch.");
        if (batch.Draft) return new(false, "A draft is discarded, not deleted.");
        if (!batch.State.IsFinal()) return new(false, "Somebody ran the batch again meanwhile. Look at it, then delete it once more.");
        await CancelReviewsAsync(connection, batchId, ct);
        await BatchCompletion.TryCompleteAsync(connection, batchId, ct);
        var removed = removeDocuments ? await RevokeAsync(connection, batchId, ct) : 0;
        await using (var delete = new NpgsqlCommand("UPDATE ingestion.import_batch SET deleted_at = ingestion.clock() WHERE id = @batch", connection) { Parameters = { new("batch", batchId) } })
            await delete.ExecuteNonQueryAsync(ct);
        await AuditLog.WriteAsync(connection, actor, "delete", $"batch {batch.PublicId}", ct, JsonSerializer.Serialize(new { remove_documents = removeDocuments, documents = removed }));
        await ImportEvents.AppendAsync(connection, batchId, [new(EventKinds.BatchDeleted, Data: ActData.Json(actor, ("documents_removed", removed)))], ct);
        await transaction.CommitAsync(ct);
        return new(true, removed switch
        {
            0 => removeDocuments ? "Deleted. No document was published by this batch alone." : "Deleted. What it published stays searchable.",
            1 => "Deleted, with 1 document that only this batch published.",
            _ => $"Deleted, with {removed:N0} documents that only this batch published.",
        });
    }

    // A batch that has ended may still wait for reviews; nobody is asked about what was deleted.
    private static async Task CancelReviewsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        var items = new List<long>();
        await using (var open = new NpgsqlCommand("SELECT id FROM ingestion.import_item WHERE batch_id = @batch AND state = 'open' ORDER BY id", connection) { Parameters = { new("batch", batchId) } })
        await using (var r = await open.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) items.Add(r.GetInt64(0));
        foreach (var slice in CancelTasks.Slices(items))
            await ImportEvents.AppendAsync(connection, batchId, await CancelTasks.OfItemsAsync(connection, batchId, slice, "Its batch was deleted.", ct), ct);
    }

    // A document may have been published twice by this batch, with other options the second time.
    private static async Task<int> RevokeAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = $"""
            WITH revoked AS (
                UPDATE ingestion.publication SET revoked_at = ingestion.clock()
                WHERE batch_id = @batch AND revoked_at IS NULL AND document_id IN ({Alone})
                RETURNING document_id
            )
            SELECT count(DISTINCT document_id)::int FROM revoked
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }
}

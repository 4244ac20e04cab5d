using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>A batch's control state, read under lock.</summary>
internal sealed record BatchRow(long Id, string TenantId, string PublicId, BatchState State, DesiredState DesiredState, bool Draft, bool AutoStart, Priority Priority, string Options, long CollectionId)
{
    /// <summary>
    /// Locks the batch's event numbers, then the batch: the order in which the end of a batch locks them. Null where it does not exist,
    /// is deleted, or is another tenant's. The key stays free: a listing that inserts items refers to it, and takes a number afterwards.
    /// </summary>
    public static async Task<BatchRow?> LockAsync(NpgsqlConnection connection, long batchId, string? tenantId, CancellationToken ct)
    {
        const string sql = """
            SELECT 1 FROM ingestion.import_batch_seq WHERE batch_id = @batch FOR UPDATE;
            SELECT id, tenant_id, public_id, state, desired_state, draft, auto_start, priority, options::text, collection_id
            FROM ingestion.import_batch
            WHERE id = @batch AND (@tenant IS NULL OR tenant_id = @tenant) AND deleted_at IS NULL
            FOR NO KEY UPDATE
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("batch", batchId), new("tenant", NpgsqlDbType.Text) { Value = (object?)tenantId ?? DBNull.Value } },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.NextResultAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        return new(r.GetInt64(0), r.GetString(1), r.GetString(2), StateWords.Parse<BatchState>(r.GetString(3)), StateWords.Parse<DesiredState>(r.GetString(4)),
            r.GetBoolean(5), r.GetBoolean(6), StateWords.Parse<Priority>(r.GetString(7)), r.GetString(8), r.GetInt64(9));
    }
}

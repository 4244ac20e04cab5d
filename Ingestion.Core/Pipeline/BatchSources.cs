using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>The items of a batch that came with one of its inputs, counted.</summary>
/// <param name="InputId">Null for what was uploaded.</param>
/// <param name="ConnectionId">The readable key of the connection; null where there is none.</param>
public sealed record SourceCounts(
    long? InputId, string SourceType, string? ConnectionId, int Total, int Done, int Skipped, int Failed, int Rejected, int Cancelled)
{
    /// <summary>Why the input as a whole failed; null where it did not. What it had found before is counted all the same.</summary>
    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }

    /// <summary>Items that ended, well or not.</summary>
    public int Terminal => Done + Skipped + Failed + Rejected + Cancelled;
}

/// <summary>A batch source by source, in the order of the submission.</summary>
public sealed class BatchSources(Database database)
{
    public async Task<IReadOnlyList<SourceCounts>> ReadAsync(Scope scope, long batchId, CancellationToken ct)
    {
        const string sql = """
            SELECT i.input_id, coalesce(n.source_type, i.source_type), coalesce(n.connection_id, i.connection_id),
                   coalesce(i.total, 0), coalesce(i.done, 0), coalesce(i.skipped, 0), coalesce(i.failed, 0), coalesce(i.rejected, 0), coalesce(i.cancelled, 0), n.id,
                   n.error_code, n.error_message
            FROM (
                SELECT input_id, min(source_type) AS source_type, min(connection_id) AS connection_id,
                       count(*)::int AS total,
                       count(*) FILTER (WHERE state = 'done')::int AS done,
                       count(*) FILTER (WHERE state = 'skipped')::int AS skipped,
                       count(*) FILTER (WHERE state = 'failed')::int AS failed,
                       count(*) FILTER (WHERE state = 'rejected')::int AS rejected,
                       count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled
                FROM ingestion.import_item WHERE batch_id = @batch GROUP BY input_id
            ) i
            FULL JOIN (
                SELECT id, ordinal, source_type, connection_id, error_code, error_message FROM ingestion.import_input WHERE batch_id = @batch
            ) n ON n.id = i.input_id
            ORDER BY n.ordinal NULLS FIRST
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var sources = new List<SourceCounts>();
        while (await r.ReadAsync(ct))
            sources.Add(new(r.IsDBNull(9) ? null : r.GetInt64(9), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2),
                r.GetInt32(3), r.GetInt32(4), r.GetInt32(5), r.GetInt32(6), r.GetInt32(7), r.GetInt32(8))
            {
                ErrorCode = r.IsDBNull(10) ? null : r.GetString(10), ErrorMessage = r.IsDBNull(11) ? null : r.GetString(11),
            });
        return sources;
    }
}

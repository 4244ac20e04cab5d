using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>What one run over sources came to.</summary>
/// <param name="DescriptorsListed">Documents that the sources named.</param>
/// <param name="ItemsFetched">Those of which this run brought a new version.</param>
/// <param name="ItemsSkippedIncremental">Those that were left alone, because the version held already is the source's newest.</param>
/// <param name="ItemsIngested">Those that it published.</param>
/// <param name="ItemsFailed">Those that failed or were rejected.</param>
public sealed record RunSummary(int DescriptorsListed, int ItemsFetched, int ItemsSkippedIncremental, int ItemsIngested, int ItemsFailed)
{
    private const string Sql = """
        SELECT i.listed + r.listed, i.fetched, i.unchanged + r.unchanged, i.done, i.failed
        FROM (
            SELECT count(*) FILTER (WHERE r.id IS NULL)::int AS listed,
                   count(*) FILTER (WHERE v.fetched_at >= b.created_at)::int AS fetched,
                   count(*) FILTER (WHERE i.state = 'skipped' AND (v.id IS NULL OR v.fetched_at < b.created_at))::int AS unchanged,
                   count(*) FILTER (WHERE i.state = 'done')::int AS done,
                   count(*) FILTER (WHERE i.state IN ('failed', 'rejected'))::int AS failed
            FROM ingestion.import_item i
            JOIN ingestion.import_batch b ON b.id = i.batch_id
            LEFT JOIN ingestion.source_version v ON v.id = i.source_version_id
            LEFT JOIN ingestion.sync_run r ON r.input_id = i.input_id
            WHERE i.batch_id = @batch
        ) i, (
            -- A listing counts what it names; what has not changed since becomes no item.
            SELECT coalesce(sum(listed), 0)::int AS listed, coalesce(sum(unchanged), 0)::int AS unchanged FROM ingestion.sync_run WHERE batch_id = @batch
        ) r
        """;

    public static async Task<RunSummary> ReadAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new("batch", batchId) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4));
    }

    public static async Task<RunSummary> ReadAsync(Database database, Scope scope, long batchId, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        return await ReadAsync(connection, batchId, ct);
    }
}

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
        SELECT count(*)::int,
               count(*) FILTER (WHERE v.fetched_at >= b.created_at)::int,
               count(*) FILTER (WHERE i.state = 'skipped' AND (v.id IS NULL OR v.fetched_at < b.created_at))::int,
               count(*) FILTER (WHERE i.state = 'done')::int,
               count(*) FILTER (WHERE i.state IN ('failed', 'rejected'))::int
        FROM ingestion.import_item i
        JOIN ingestion.import_batch b ON b.id = i.batch_id
        LEFT JOIN ingestion.source_version v ON v.id = i.source_version_id
        WHERE i.batch_id = @batch
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

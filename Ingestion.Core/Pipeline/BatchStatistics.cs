using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>What became of somebody's batches and documents so far. Drafts and deleted batches are left out.</summary>
/// <param name="Batches">Batches by state and priority.</param>
/// <param name="Ended">Documents that ended, by source type and the state they ended in.</param>
/// <param name="MeanMilliseconds">From the first work on a document to its end, in the mean over those that were published; 0 without any.</param>
public sealed record StatisticsView(
    IReadOnlyList<(BatchState State, Priority Priority, int Count)> Batches, IReadOnlyList<(string SourceType, ItemState State, long Count)> Ended, double MeanMilliseconds);

/// <summary>How long batches took: the ground of an estimate.</summary>
/// <param name="MillisecondsPerItem">Null where no batch has been completed yet.</param>
public sealed record PastPace(double? MillisecondsPerItem);

/// <summary>Counts over many batches. Shared in this process for a moment, as a batch's counts are.</summary>
public sealed class BatchStatistics(Database database, Shared<StatisticsView> shared, Shared<PastPace> paces)
{
    // Enough to be no chance, few enough to follow a change of the machine.
    private const int Remembered = 50;

    /// <param name="createdBy">Whose batches; null for all in reach.</param>
    public Task<StatisticsView> ReadAsync(Scope scope, string? createdBy, CancellationToken ct) => shared.GetAsync(scope with { Member = $"{scope.Member}/{createdBy}" }, 0, async () =>
    {
        const string sql = """
            SELECT state, priority, count(*)::int
            FROM ingestion.import_batch
            WHERE NOT draft AND deleted_at IS NULL AND (@who IS NULL OR created_by = @who)
            GROUP BY state, priority;
            SELECT i.source_type, i.state, count(*), coalesce(sum(extract(epoch FROM i.completed_at - i.started_at)) FILTER (WHERE i.state = 'done'), 0)::float8 * 1000
            FROM ingestion.import_batch b
            JOIN ingestion.import_item i ON i.batch_id = b.id
            WHERE NOT b.draft AND b.deleted_at IS NULL AND (@who IS NULL OR b.created_by = @who) AND i.state <> 'open'
            GROUP BY i.source_type, i.state
            ORDER BY i.source_type, i.state
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("who", NpgsqlDbType.Text) { Value = (object?)createdBy ?? DBNull.Value } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var batches = new List<(BatchState, Priority, int)>();
        while (await r.ReadAsync(ct)) batches.Add((StateWords.Parse<BatchState>(r.GetString(0)), StateWords.Parse<Priority>(r.GetString(1)), r.GetInt32(2)));
        await r.NextResultAsync(ct);
        var (ended, milliseconds, done) = (new List<(string, ItemState, long)>(), 0.0, 0L);
        while (await r.ReadAsync(ct))
        {
            var (state, count) = (StateWords.Parse<ItemState>(r.GetString(1)), r.GetInt64(2));
            ended.Add((r.GetString(0), state, count));
            (milliseconds, done) = (milliseconds + r.GetDouble(3), done + (state == ItemState.Done ? count : 0));
        }
        return new StatisticsView(batches, ended, done == 0 ? 0 : milliseconds / done);
    });

    /// <summary>How long a document of the tenant's latest completed batches took of its batch's time.</summary>
    public Task<PastPace> PaceAsync(Scope scope, CancellationToken ct) => paces.GetAsync(scope.Shared, 0, async () =>
    {
        const string sql = """
            SELECT (sum(extract(epoch FROM completed_at - started_at)) * 1000 / nullif(sum((final_counts ->> 'Total')::int), 0))::float8
            FROM (
                SELECT started_at, completed_at, final_counts
                FROM ingestion.import_batch
                WHERE state = 'completed' AND deleted_at IS NULL AND started_at IS NOT NULL AND final_counts IS NOT NULL AND tenant_id = @tenant
                ORDER BY created_at DESC
                LIMIT @latest) b
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tenant", scope.TenantId), new("latest", Remembered) } };
        return new PastPace(await command.ExecuteScalarAsync(ct) as double?);
    });
}

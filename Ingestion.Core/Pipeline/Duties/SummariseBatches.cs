using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Writes one line of counters for each batch that ended.</summary>
public sealed class SummariseBatches(NpgsqlDataSource worker, ILogger<SummariseBatches> log) : IDuty
{
    /// <summary>
    /// How long after its end a batch is summed up. Its time is that of the beginning of the transaction that ended it, so one that has just
    /// ended may not be seen yet.
    /// </summary>
    public static readonly TimeSpan Lag = TimeSpan.FromSeconds(10);

    public string Name => "summaries";

    public string Purpose => "Writes one line of counters for each batch that ended.";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        // What ended between the last turn's look and this one's: each end belongs to one turn, whichever process has it.
        var (from, to) = ((turn.Before ?? turn.At - Interval) - Lag, turn.At - Lag);
        await using var connection = await worker.OpenConnectionAsync(ct);
        foreach (var (id, publicId, tenant, state) in await EndedAsync(connection, from, to, ct))
        {
            var s = await RunSummary.ReadAsync(connection, id, ct);
            log.BatchSummary(publicId, tenant, state, s.DescriptorsListed, s.ItemsFetched, s.ItemsSkippedIncremental, s.ItemsIngested, s.ItemsFailed);
        }
    }

    private static async Task<List<(long Id, string PublicId, string Tenant, string State)>> EndedAsync(NpgsqlConnection connection, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        const string sql = "SELECT id, public_id, tenant_id, state FROM ingestion.import_batch WHERE completed_at > @from AND completed_at <= @to ORDER BY completed_at, id";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("from", from.ToUniversalTime()), new("to", to.ToUniversalTime()) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var ended = new List<(long, string, string, string)>();
        while (await r.ReadAsync(ct)) ended.Add((r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3)));
        return ended;
    }
}

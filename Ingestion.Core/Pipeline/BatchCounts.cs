using System.Text.Json;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>A batch's items, counted. Every figure and percentage that anybody sees comes from one of these.</summary>
/// <param name="Acquired">Items that are past acquisition, in whatever way; what was uploaded is here from the start.</param>
/// <param name="Parsed">Items that went on from parsing.</param>
/// <param name="Embedded">Items that went on from embedding.</param>
/// <param name="Discovering">Inputs that may still find items.</param>
/// <param name="AwaitingReview">Open items that wait for a person.</param>
public sealed record BatchCounts(
    int Total, int Open, int Done, int Skipped, int Failed, int Rejected, int Cancelled,
    int Acquired, int Parsed, int Embedded, int Running, int AwaitingReview, int Discovering, int FailedInputs, long Bytes, long Chunks)
{
    public static readonly BatchCounts None = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Items that ended, well or not.</summary>
    public int Terminal => Total - Open;

    /// <summary>Ended items and all items, 0 to 100; 0 for an empty batch.</summary>
    public double PercentTerminal => Percent(Terminal, Total);

    public double DownloadPercent => Percent(Acquired, Total);

    /// <summary>Mean of acquired and ended, 0 to 100: a document that is fetched is half done.</summary>
    public double OverallPercent => Percent((long)Acquired + Terminal, 2L * Total);

    // Only what is complete is 100, and only nothing is 0.
    private static double Percent(long part, long whole) => whole == 0 || part <= 0 ? 0 : part >= whole ? 100 : Math.Clamp(Math.Round(100.0 * part / whole, 1), 0.1, 99.9);

    private const string Sql = """
        SELECT i.total, i.open, i.done, i.skipped, i.failed, i.rejected, i.cancelled, i.acquired, i.parsed, i.embedded,
               t.running, t.blocked, n.discovering, n.failed_inputs, i.bytes, i.chunks
        FROM (
            SELECT count(*)::int AS total,
                   count(*) FILTER (WHERE state = 'open')::int AS open,
                   count(*) FILTER (WHERE state = 'done')::int AS done,
                   count(*) FILTER (WHERE state = 'skipped')::int AS skipped,
                   count(*) FILTER (WHERE state = 'failed')::int AS failed,
                   count(*) FILTER (WHERE state = 'rejected')::int AS rejected,
                   count(*) FILTER (WHERE state = 'cancelled')::int AS cancelled,
                   count(*) FILTER (WHERE state <> 'open' OR stage <> 'acquire' OR source_type = 'upload')::int AS acquired,
                   count(*) FILTER (WHERE stage IN ('resolve', 'review', 'embed', 'index'))::int AS parsed,
                   count(*) FILTER (WHERE stage = 'index')::int AS embedded,
                   coalesce(sum(size), 0)::bigint AS bytes,
                   coalesce(sum(chunk_count), 0)::bigint AS chunks
            FROM ingestion.import_item WHERE batch_id = @batch
        ) i, (
            SELECT count(*) FILTER (WHERE state = 'running')::int AS running, count(*) FILTER (WHERE state = 'blocked')::int AS blocked
            FROM ingestion.import_task_run WHERE batch_id = @batch AND state IN ('running', 'blocked')
        ) t, (
            SELECT count(*) FILTER (WHERE state = 'open')::int AS discovering, count(*) FILTER (WHERE state = 'failed')::int AS failed_inputs
            FROM ingestion.import_input WHERE batch_id = @batch
        ) n
        """;

    public static async Task<BatchCounts> ReadAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new("batch", batchId) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.GetInt32(0), r.GetInt32(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4), r.GetInt32(5), r.GetInt32(6), r.GetInt32(7),
            r.GetInt32(8), r.GetInt32(9), r.GetInt32(10), r.GetInt32(11), r.GetInt32(12), r.GetInt32(13), r.GetInt64(14), r.GetInt64(15));
    }

    public string ToJson() => JsonSerializer.Serialize(this);

    public static BatchCounts FromJson(string json) => JsonSerializer.Deserialize<BatchCounts>(json)!;
}

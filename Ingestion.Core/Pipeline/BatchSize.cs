using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Which batches are small: somebody waits for them. They do not count against the limit on active batches, and each stage keeps a slot
/// that only they may have. A batch whose inputs are still being listed is not small yet.
/// </summary>
public static class BatchSize
{
    /// <summary>Items of a small batch at most.</summary>
    public const int Small = 20;

    /// <summary>SQL that is true for a batch <c>b</c> that is not small; wants the parameter <c>@small</c>.</summary>
    internal const string IsLarge = """
        (EXISTS (SELECT FROM ingestion.import_input n WHERE n.batch_id = b.id AND n.state = 'open')
         OR (SELECT count(*) FROM (SELECT 1 FROM ingestion.import_item i WHERE i.batch_id = b.id LIMIT @small + 1) x) > @small)
        """;

    /// <summary>Tells the claim; call when a batch starts, and when a listing has ended.</summary>
    internal static async Task NoteAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = $"UPDATE ingestion.import_job j SET small = NOT {IsLarge} FROM ingestion.import_batch b WHERE b.id = @batch AND j.batch_id = b.id AND j.small = {IsLarge}";
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), new("small", Small) } };
        await command.ExecuteNonQueryAsync(ct);
    }
}

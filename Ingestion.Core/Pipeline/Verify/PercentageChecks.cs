using System.Globalization;
using Npgsql;

namespace Ingestion.Core.Pipeline.Verify;

/// <summary>I8: every percentage lies within 0 and 100 and follows from the items by its formula.</summary>
internal static class PercentageChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new("I8", "progress_stays_in_bounds", """
            SELECT 'item ' || id AS subject, format('Item %s shows %s of %s.', id, progress_current, progress_total) AS sentence
            FROM ingestion.import_item WHERE progress_current < 0 OR progress_current > progress_total
            """),
    ];

    /// <summary>Counts again with a query of its own and compares with what the product shows: live counts, or those frozen at the end.</summary>
    public static async Task<List<Violation>> FormulaAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            SELECT b.id, b.public_id, CASE WHEN b.state IN ('completed', 'failed', 'cancelled') THEN b.final_counts::text END,
                   coalesce(i.total, 0), coalesce(i.ended, 0), coalesce(i.acquired, 0)
            FROM ingestion.import_batch b
            LEFT JOIN (
                SELECT batch_id, sum(n) AS total, sum(n) FILTER (WHERE state <> 'open') AS ended, sum(n) FILTER (WHERE state <> 'open' OR here OR stage NOT IN ('discover', 'acquire')) AS acquired
                FROM (SELECT batch_id, state, stage, source_type = 'upload' AS here, count(*) AS n FROM ingestion.import_item GROUP BY 1, 2, 3, 4) x
                GROUP BY batch_id
            ) i ON i.batch_id = b.id
            WHERE NOT b.draft
            """;
        var batches = new List<(long Id, string PublicId, string? Frozen, double Total, double Ended, double Acquired)>();
        await using (var command = new NpgsqlCommand(sql, connection))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct))
                batches.Add((r.GetInt64(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), (double)r.GetDecimal(3), (double)r.GetDecimal(4), (double)r.GetDecimal(5)));

        var violations = new List<Violation>();
        foreach (var (id, publicId, frozen, total, ended, acquired) in batches)
        {
            var shown = frozen is null ? await BatchCounts.ReadAsync(connection, id, ct) : BatchCounts.FromJson(frozen);
            // Counts frozen with work waiting for review show that moment, not this one.
            if (frozen is not null && shown.AwaitingReview > 0) continue;
            Compare("ended", shown.PercentTerminal, total == 0 ? 0 : 100 * ended / total);
            Compare("downloaded", shown.DownloadPercent, total == 0 ? 0 : 100 * acquired / total);
            Compare("overall", shown.OverallPercent, total == 0 ? 0 : 50 * (acquired + ended) / total);

            void Compare(string what, double percent, double exact)
            {
                // Shown to a tenth; what is begun is not 0 and what is not complete is not 100.
                if (percent is >= 0 and <= 100 && Math.Abs(percent - exact) <= 0.1) return;
                violations.Add(new($"batch {publicId}", string.Create(CultureInfo.InvariantCulture, $"Batch {publicId} shows {percent} % {what}; by its items it is {exact:0.#} %.")));
            }
        }
        return violations;
    }
}

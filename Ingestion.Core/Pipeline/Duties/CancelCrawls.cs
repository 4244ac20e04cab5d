using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Ends crawls at Firecrawl whose batch was cancelled: between two looks at a crawl nobody is at work on it who could.</summary>
public sealed class CancelCrawls(NpgsqlDataSource worker, FirecrawlApi api) : IDuty
{
    private const int AtOnce = 20;

    public string Name => "crawls";

    public string Purpose => "Ends crawls of the crawling service whose batch was cancelled.";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        foreach (var (input, cursor) in await CancelledAsync(ct))
        {
            if (FirecrawlJob.Parse(cursor) is not { } job) continue;
            await api.CancelAsync(job, ct);
            // Forgotten only then: what a crash leaves is cancelled once more, which changes nothing.
            await using var command = worker.CreateCommand("""
                WITH ended AS (UPDATE ingestion.import_input SET cursor = NULL WHERE id = $1 AND cursor = $2 RETURNING id)
                DELETE FROM ingestion.crawl_page p USING ended WHERE p.input_id = ended.id
                """);
            command.Parameters.Add(new() { Value = input });
            command.Parameters.Add(new() { Value = cursor });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private async Task<IReadOnlyList<(long Input, string Cursor)>> CancelledAsync(CancellationToken ct)
    {
        const string sql = """
            SELECT n.id, n.cursor
            FROM ingestion.import_batch b JOIN ingestion.import_input n ON n.batch_id = b.id
            WHERE b.state = 'cancelled' AND n.source_type = 'site' AND n.state <> 'done' AND n.cursor LIKE $1
            ORDER BY n.id
            LIMIT $2
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = FirecrawlJob.Mark + "%" });
        command.Parameters.Add(new() { Value = AtOnce });
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<(long, string)>();
        while (await r.ReadAsync(ct)) found.Add((r.GetInt64(0), r.GetString(1)));
        return found;
    }
}

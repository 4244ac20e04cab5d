using Ingestion.Core.Pipeline;
using Npgsql;
using Shouldly;

namespace Ingestion.Tests.Support;

/// <summary>
/// No open item or input is without a reason, and each reason is of the closed set. Looks at one snapshot, so it may be asked at any
/// moment, also while the pipeline works.
/// </summary>
internal static class Reasons
{
    public static IReadOnlySet<string> Closed { get; } = WaitReasons.All.Concat(HoldReasons.All).ToHashSet();

    public static async Task AssertAllAsync(NpgsqlDataSource worker, PipelineOptions? options = null)
    {
        options ??= new();
        const string sql = $"""
            WITH w AS ({WhyWaiting.Reasons})
            SELECT 'item ' || i.id || ' of batch ' || i.batch_id, w.reason FROM ingestion.import_item i LEFT JOIN w ON w.item_id = i.id WHERE i.state = 'open'
            UNION ALL
            SELECT 'input ' || n.id || ' of batch ' || n.batch_id, w.reason
            FROM ingestion.import_input n
            JOIN ingestion.import_batch b ON b.id = n.batch_id AND NOT b.draft
            LEFT JOIN w ON w.input_id = n.id
            -- A cancel ends the tasks first and the inputs with the batch.
            WHERE n.state = 'open' AND (w.reason IS NOT NULL OR b.desired_state <> 'cancel')
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[] { new("active", options.MaxConcurrentJobs), new("silence", options.Heartbeat * 3) });
        await using var r = await command.ExecuteReaderAsync();
        var without = new List<string>();
        while (await r.ReadAsync())
            if (r.IsDBNull(1) || !Closed.Contains(r.GetString(1))) without.Add($"{r.GetString(0)}: {(r.IsDBNull(1) ? "no reason" : r.GetString(1))}");
        without.ShouldBeEmpty();
    }
}

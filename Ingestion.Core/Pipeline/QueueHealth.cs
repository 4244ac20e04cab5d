using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>How the queue as a whole is getting on.</summary>
/// <param name="OldestDue">How long the task has waited that has been due longest; null where none is due.</param>
/// <param name="SinceLastClaim">How long ago any batch was served last; null where no batch works.</param>
/// <param name="Running">Tasks at work.</param>
/// <param name="ExpiredLeases">Tasks whose lease ran out so long ago that somebody should have taken them back.</param>
/// <param name="Workers">Processes that run the pipeline and said lately that they live.</param>
public sealed record QueueState(TimeSpan? OldestDue, TimeSpan? SinceLastClaim, int Running, int ExpiredLeases, int Workers);

/// <summary>Looks at the queue from outside, for health checks. Cheap: it stays on the partial indexes.</summary>
public sealed class QueueHealth(NpgsqlDataSource worker, PipelineOptions options)
{
    public async Task<QueueState> ReadAsync(CancellationToken ct)
    {
        const string sql = """
            SELECT (SELECT ingestion.clock() - min(f.scheduled_at)
                    FROM ingestion.import_job j
                    CROSS JOIN LATERAL (
                        SELECT t.scheduled_at FROM ingestion.import_task_run t
                        WHERE t.job_id = j.id AND t.state = 'ready' AND t.scheduled_at <= ingestion.clock()
                        ORDER BY t.scheduled_at
                        LIMIT 1) f
                    WHERE j.active),
                   (SELECT ingestion.clock() - max(served_at) FROM ingestion.import_job WHERE active),
                   (SELECT count(*)::int FROM ingestion.import_task_run WHERE state = 'running'),
                   (SELECT count(*)::int FROM ingestion.import_task_run WHERE state = 'running' AND lease_until < ingestion.clock() - @sweep),
                   (SELECT count(*)::int FROM ingestion.worker_process WHERE role <> 'web' AND stopped_at IS NULL AND last_seen_at > ingestion.clock() - @alive)
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("sweep", options.Heartbeat + 2 * options.Sweep));
        command.Parameters.Add(new("alive", options.Silence));
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.IsDBNull(0) ? null : r.GetFieldValue<TimeSpan>(0), r.IsDBNull(1) ? null : r.GetFieldValue<TimeSpan>(1), r.GetInt32(2), r.GetInt32(3), r.GetInt32(4));
    }
}

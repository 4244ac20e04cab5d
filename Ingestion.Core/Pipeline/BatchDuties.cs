using Ingestion.Core.Events;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// What the pipeline does by itself every few seconds: lets waiting batches in, takes tasks back from dead workers, carries wanted
/// cancels to their end, and ends batches that nobody settled last. Each is safe from several processes at once.
/// </summary>
public sealed class BatchDuties(NpgsqlDataSource worker, BatchControl control, Hints hints, StageWaker waker, PipelineOptions options, ILogger<BatchDuties> log)
{
    // Serialises the decision who may become active; the number is this decision's name among advisory locks.
    private const long ActivationLock = 0x416374697665;

    /// <summary>Makes queued batches active while there is room: those of tenants with the fewest at work first, then the most urgent and longest waiting.</summary>
    public async Task ActivateAsync(CancellationToken ct)
    {
        while (await ActivateNextAsync(ct) is { } batch)
        {
            log.BatchState(batch, "running");
            hints.Changed(batch);
            waker.WakeAll();
        }
    }

    private async Task<long?> ActivateNextAsync(CancellationToken ct)
    {
        const string pick = $"""
            WITH open AS MATERIALIZED (
                SELECT b.id, b.tenant_id, b.state, b.desired_state, b.deleted_at, b.created_at, b.priority, {BatchSize.IsLarge} AS large
                FROM ingestion.import_batch b
                WHERE b.state IN ('queued', 'running', 'retrying') AND NOT b.draft
            )
            SELECT b.id
            FROM open b
            WHERE b.state = 'queued' AND b.desired_state = 'run' AND b.deleted_at IS NULL
              AND (NOT b.large OR (SELECT count(*) FROM open r WHERE r.state <> 'queued' AND r.large) < @limit)
            ORDER BY (SELECT count(*) FROM open r WHERE r.state <> 'queued' AND r.large AND r.tenant_id = b.tenant_id),
                     b.created_at + CASE b.priority WHEN 'urgent' THEN interval '-1 hour' WHEN 'high' THEN interval '-10 minutes' WHEN 'low' THEN interval '1 hour' ELSE interval '0' END, b.id
            LIMIT 1
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var gate = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({ActivationLock})", connection)) await gate.ExecuteNonQueryAsync(ct);
        await using var command = new NpgsqlCommand(pick, connection) { Parameters = { new("small", BatchSize.Small), new("limit", options.MaxConcurrentJobs) } };
        if (await command.ExecuteScalarAsync(ct) is not long id) return null;
        if (await BatchRow.LockAsync(connection, id, null, ct) is not { State: BatchState.Queued, DesiredState: DesiredState.Run }) return null;
        await using (var update = new NpgsqlCommand("""
            UPDATE ingestion.import_batch SET state = 'running', started_at = coalesce(started_at, ingestion.clock()) WHERE id = @batch;
            UPDATE ingestion.import_job SET active = true, served_at = ingestion.clock() WHERE batch_id = @batch
            """, connection) { Parameters = { new("batch", id) } })
            await update.ExecuteNonQueryAsync(ct);
        await BatchSize.NoteAsync(connection, id, ct);
        await ImportEvents.AppendAsync(connection, id, [new(EventKinds.BatchStarted)], ct);
        // A batch whose items all ended before it was paused and resumed has nothing that would settle last.
        await BatchCompletion.TryCompleteAsync(connection, id, ct);
        await transaction.CommitAsync(ct);
        return id;
    }

    /// <summary>
    /// Takes back what expired. With <paramref name="everything"/> (at the start of the only process) also what has not. A server that
    /// has just come back is given one heartbeat: leases ran out while it was away, and workers that live renew them at once.
    /// </summary>
    public async Task RescueAsync(bool everything, CancellationToken ct)
    {
        foreach (var batch in await BatchesAsync("""
            SELECT DISTINCT batch_id FROM ingestion.import_task_run
            WHERE state = 'running' AND ($1 OR (lease_until < ingestion.clock() AND pg_postmaster_start_time() < now() - $2))
            """, everything, options.Heartbeat, ct))
        {
            await using var connection = await worker.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var rescued = await ImportQueue.RescueAsync(connection, batch, everything, ct);
            if (rescued.Count == 0) continue;
            List<NewEvent> events = [.. rescued.Select(t => new NewEvent(EventKinds.LeaseLost, t.ItemId, t.Id, t.Stage.Word(), $$"""{"attempt":{{t.Attempt}},"crashes":{{t.Crashes}}}"""))];
            foreach (var t in rescued.Where(t => t.Quarantined))
                events.Add(await ItemFailures.WriteAsync(connection, t.Id, t.ItemId, t.InputId, t.Stage, ErrorCodes.CrashedWorker.Code, ImportQueue.CrashedMessage, null, t.Attempt, ct));
            await ImportEvents.AppendAsync(connection, batch, events, ct);
            await BatchCompletion.TryCompleteAsync(connection, batch, ct);
            await transaction.CommitAsync(ct);
            log.Rescued(rescued.Count);
            hints.Changed(batch);
        }
    }

    /// <summary>Finishes what a crash between two commits left half done.</summary>
    public async Task FinishAsync(CancellationToken ct)
    {
        foreach (var batch in await BatchesAsync("SELECT id FROM ingestion.import_batch WHERE desired_state = 'cancel' AND state NOT IN ('completed', 'failed', 'cancelled')", ct))
            await control.FinishCancelAsync(batch, ct);
        foreach (var batch in await BatchesAsync("""
            SELECT b.id FROM ingestion.import_batch b
            WHERE b.state IN ('running', 'retrying', 'paused') AND b.desired_state <> 'cancel'
              AND NOT EXISTS (SELECT 1 FROM ingestion.import_task_run t WHERE t.batch_id = b.id AND t.state IN ('ready', 'running'))
            """, ct))
        {
            await using var connection = await worker.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            if (await BatchRow.LockAsync(connection, batch, null, ct) is null) continue;
            await BatchCompletion.TryCompleteAsync(connection, batch, ct);
            await transaction.CommitAsync(ct);
            hints.Changed(batch);
        }
    }

    private Task<List<long>> BatchesAsync(string sql, CancellationToken ct) => BatchesAsync(worker.CreateCommand(sql), ct);

    private Task<List<long>> BatchesAsync(string sql, bool flag, TimeSpan span, CancellationToken ct)
    {
        var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = flag });
        command.Parameters.Add(new() { Value = span });
        return BatchesAsync(command, ct);
    }

    private static async Task<List<long>> BatchesAsync(NpgsqlCommand query, CancellationToken ct)
    {
        await using var command = query;
        await using var r = await command.ExecuteReaderAsync(ct);
        var ids = new List<long>();
        while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        return ids;
    }
}

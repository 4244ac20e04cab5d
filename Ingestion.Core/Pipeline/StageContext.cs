using Ingestion.Core.Events;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>What a running stage may use of the pipeline: its task, progress, and checkpoints.</summary>
public sealed class StageContext(ClaimedTask task, Work work, NpgsqlDataSource worker, Hints hints, TimeProvider time)
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(400);
    private long _lastTick = time.GetTimestamp();

    public ClaimedTask Task { get; } = task;

    public ProcessingOptions Options => work.Options;

    /// <summary>The document; only discover has none.</summary>
    public WorkItem Item => work.Item ?? throw new InvalidOperationException($"{Task.Stage.Word()} works on an input");

    /// <summary>The input being listed; only discover has one.</summary>
    public WorkInput Input => work.Input ?? throw new InvalidOperationException($"{Task.Stage.Word()} works on an item");

    /// <summary>
    /// Tells people how far it is. Cheap: written at most every 400 ms, under the fence, and not at all by tasks that end sooner.
    /// </summary>
    public async Task ReportAsync(ItemStep step, long current, long? total, string? message, CancellationToken ct)
    {
        if (Task.ItemId is null || time.GetElapsedTime(_lastTick) < TickInterval) return;
        _lastTick = time.GetTimestamp();
        const string sql = """
            UPDATE ingestion.import_item i
            SET step = $4, progress_current = least($5, coalesce($6, $5)), progress_total = $6, progress_message = left($7, 255), started_at = coalesce(i.started_at, ingestion.clock())
            FROM ingestion.import_task_run t
            WHERE t.id = $1 AND t.attempt = $2 AND t.state = 'running' AND i.id = $3 AND i.state = 'open' AND i.stage = t.stage
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Task.Id });
        command.Parameters.Add(new() { Value = Task.Attempt });
        command.Parameters.Add(new() { Value = Task.ItemId });
        command.Parameters.Add(new() { Value = step.Word() });
        command.Parameters.Add(new() { Value = Clamp(current) });
        command.Parameters.Add(new() { Value = total is { } t ? Clamp(Math.Max(t, current)) : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
        command.Parameters.Add(new() { Value = (object?)message ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
        hints.Progressed(Task.BatchId);
    }

    /// <summary>
    /// Writes part of a long stage's output under the fence, in a transaction of its own. Throws <see cref="LeaseLostException"/>
    /// where the task is no longer ours or the batch is to be cancelled; returns false where the batch is paused and the stage should
    /// stop at this point.
    /// </summary>
    public async Task<bool> CheckpointAsync(SaveOutput save, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var wanted = await ImportQueue.HoldAsync(connection, Task, ct) ?? throw new LeaseLostException(Task);
        await save(connection, ct);
        if (events.Count > 0) await ImportEvents.AppendAsync(connection, Task.BatchId, events, ct);
        await transaction.CommitAsync(ct);
        // What a listing keeps are items with tasks of their own.
        if (Task.Stage == Stage.Discover) hints.Changed(Task.BatchId);
        else hints.Progressed(Task.BatchId);
        return wanted == DesiredState.Run;
    }

    // Progress is stored in 32 bits; bytes of large files are shown in units that fit.
    private static int Clamp(long value) => (int)Math.Min(value, int.MaxValue);
}

/// <summary>The task is held by somebody else, or cancelled: nothing of this attempt may be written any more.</summary>
public sealed class LeaseLostException(ClaimedTask task) : Exception($"task {task.Id} attempt {task.Attempt} is no longer ours");

using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>An item's task that ended well, with what it wants written.</summary>
internal sealed record DoneTask(ClaimedTask Task, StageOutcome.Done Outcome)
{
    public long ItemId { get; } = Task.ItemId ?? throw new ArgumentException("works on an input", nameof(Task));

    public Stage? Next { get; } = Outcome.Next ?? StageOrder.After(Task.Stage);
}

/// <summary>
/// Settles one or several of a batch's tasks that ended well in one transaction: tasks under their fences, outputs, items, next tasks,
/// events and, where they were the last, the batch.
/// </summary>
internal static class DoneTasks
{
    /// <summary>Settles and commits. Returns the tasks that were still ours; of the others nothing is written.</summary>
    public static async Task<HashSet<(long Task, int Attempt)>> SettleAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<DoneTask> group, CancellationToken ct)
    {
        // One claim that was worked on twice and ended twice at once ends once.
        group = [.. group.DistinctBy(d => (d.Task.Id, d.Task.Attempt))];
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var saves = group.Any(d => d.Outcome.Save is not null);
        if (saves)
        {
            // Outputs are written only for what is ours, and between this and the settling nobody can take it away.
            var held = await ImportQueue.HoldAsync(connection, batchId, group, ct);
            group = [.. group.Where(d => held.Contains((d.Task.Id, d.Task.Attempt)))];
            if (group.Count == 0) return held;
            foreach (var done in group)
                if (done.Outcome.Save is { } save) await save(connection, ct);
        }
        // What goes to review may leave the batch with nothing else to do.
        var ends = group.Any(d => d.Next is null or Stage.Review);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { ImportQueue.SettleDone(batchId, group, saves) } };
        // Every settling of the batch waits for the event numbers that this one takes: where nothing has to be looked at after them the
        // commit travels along, and where they may have been the last ones' the look does.
        batch.BatchCommands.Add(ends ? BatchCompletion.WorkLeft(batchId) : new("COMMIT"));
        HashSet<(long, int)> ours;
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            ours = await ImportQueue.ReadHeldAsync(reader, ct);
            await reader.NextResultAsync(ct);
            if (!ends) return ours;
            await reader.ReadAsync(ct);
            ends = !reader.GetBoolean(0);
        }
        if (ours.Count == 0) return ours;
        if (ends) await BatchCompletion.CompleteAsync(connection, batchId, ct);
        await transaction.CommitAsync(ct);
        return ours;
    }
}

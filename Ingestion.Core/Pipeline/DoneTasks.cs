using Ingestion.Core.Events;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>An item's task that ended well, with what it wants written.</summary>
internal sealed record DoneTask(ClaimedTask Task, StageOutcome.Done Outcome)
{
    public long ItemId { get; } = Task.ItemId ?? throw new ArgumentException("works on an input", nameof(Task));

    public Stage? Next { get; } = StageOrder.After(Task.Stage);
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
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var held = await ImportQueue.SucceedAsync(connection, batchId, [.. group.Select(d => d.Task)], ct);
        // One claim that was worked on twice and ended twice at once ends once.
        var ours = group.Where(d => held.Contains((d.Task.Id, d.Task.Attempt))).DistinctBy(d => d.Task.Id).ToList();
        if (ours.Count == 0) return held;
        foreach (var done in ours)
            if (done.Outcome.Save is { } save) await save(connection, ct);
        if (ours.Any(d => d.Next is null))
        {
            await MoveOnAsync(connection, batchId, ours, andCommit: false, ct);
            await BatchCompletion.TryCompleteAsync(connection, batchId, ct);
            await transaction.CommitAsync(ct);
        }
        else
        {
            await MoveOnAsync(connection, batchId, ours, andCommit: true, ct);
        }
        return held;
    }

    // One round trip. The event numbers are taken last and are what every settling of the batch waits for, so where nothing has to be
    // looked at after them the commit travels along.
    private static async Task MoveOnAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<DoneTask> ours, bool andCommit, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var part in ours.GroupBy(d => d.Next))
        {
            long[] items = [.. part.Select(d => d.ItemId).Order()];
            if (part.Key is { } next)
            {
                batch.BatchCommands.Add(ItemMoves.Advance(items, next));
                batch.BatchCommands.Add(ImportQueue.Open(items, next));
            }
            else
            {
                batch.BatchCommands.Add(ItemMoves.Finish(items));
            }
        }
        batch.BatchCommands.Add(ImportEvents.Append(batchId, [.. ours.SelectMany(Events)]));
        if (andCommit) batch.BatchCommands.Add(new("COMMIT"));
        await batch.ExecuteNonQueryAsync(ct);
    }

    private static IEnumerable<NewEvent> Events(DoneTask done)
    {
        yield return new(EventKinds.StageDone, done.ItemId, done.Task.Id, done.Task.Stage.Word(), done.Outcome.Data);
        if (done.Next is null) yield return new(EventKinds.ItemDone, done.ItemId);
    }
}

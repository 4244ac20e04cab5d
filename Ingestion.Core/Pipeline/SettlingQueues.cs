using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Lets light tasks of one batch that end at about the same time share a transaction: while one group is being settled the next
/// gathers. Nobody waits for company: a task that ends alone is settled at once, alone.
/// </summary>
internal sealed class SettlingQueues(NpgsqlDataSource worker, ILogger log)
{
    /// <summary>Tasks in one transaction at most; the event numbers of their batch are held while it commits.</summary>
    private const int MostTogether = 200;

    private readonly Dictionary<long, Queue<Waiting>> _queues = [];

    /// <summary>
    /// Settles the task with whatever else is waiting. False where the claim is gone and nothing was written. Null where it is not known:
    /// somebody's part failed and took the group with it, or the reply was lost; then the caller settles it alone.
    /// </summary>
    public Task<bool?> TryAsync(DoneTask done)
    {
        var waiting = new Waiting(done);
        lock (_queues)
        {
            if (_queues.TryGetValue(done.Task.BatchId, out var queue))
            {
                queue.Enqueue(waiting);
            }
            else
            {
                _queues[done.Task.BatchId] = queue = new([waiting]);
                _ = DrainAsync(done.Task.BatchId, queue);
            }
        }
        return waiting.Settled.Task;
    }

    private async Task DrainAsync(long batchId, Queue<Waiting> queue)
    {
        // Not under the caller's lock.
        await Task.Yield();
        while (Next(batchId, queue) is { Count: > 0 } group)
        {
            var held = await SettleAsync(batchId, group);
            foreach (var waiting in group) waiting.Settled.SetResult(held?.Contains((waiting.Done.Task.Id, waiting.Done.Task.Attempt)));
        }
    }

    private List<Waiting> Next(long batchId, Queue<Waiting> queue)
    {
        lock (_queues)
        {
            var group = new List<Waiting>();
            while (group.Count < MostTogether && queue.TryDequeue(out var waiting)) group.Add(waiting);
            if (group.Count == 0) _queues.Remove(batchId);
            return group;
        }
    }

    private async Task<HashSet<(long Task, int Attempt)>?> SettleAsync(long batchId, List<Waiting> group)
    {
        try
        {
            await using var connection = await worker.OpenConnectionAsync(CancellationToken.None);
            return await DoneTasks.SettleAsync(connection, batchId, [.. group.Select(w => w.Done)], CancellationToken.None);
        }
        catch (Exception e)
        {
            // Whose part it was does not show here. Each is settled again alone, and the one at fault fails there by itself, with its error.
            log.SettledApart(group.Count, batchId, e.Message);
            return null;
        }
    }

    private sealed record Waiting(DoneTask Done)
    {
        // The waiters' own work must not run inside the drain.
        public TaskCompletionSource<bool?> Settled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

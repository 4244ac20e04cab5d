using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;

namespace Ingestion.Tests.Admin.Families;

/// <summary>
/// Batches that stay as they are while the whole program runs: one that has not ended has an item that another worker holds for an hour.
/// It comes to its state last, so that nobody finds it at work and with nothing to do.
/// </summary>
internal static class HeldBatch
{
    public static async Task<(long Id, string PublicId)> MakeAsync(NpgsqlDataSource worker, string person, BatchState state = BatchState.Running, Priority priority = Priority.Normal)
    {
        var make = new Make(worker);
        var id = await make.Batch(state.IsFinal() ? state : BatchState.Pending, priority: priority);
        if (!state.IsFinal()) await make.Task(id, TaskState.Running, lease: TimeSpan.FromHours(1), item: await make.Item(id));
        await worker.QueryAsync<object>("""
            WITH jobs AS (UPDATE ingestion.import_job SET active = $2 IN ('running', 'retrying') WHERE batch_id = $1)
            UPDATE ingestion.import_batch SET state = $2, desired_state = CASE WHEN $2 = 'paused' THEN 'pause' ELSE 'run' END, created_by = $3 WHERE id = $1
            """, id, state.Word(), person);
        return (id, (await worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", id)).Single());
    }
}

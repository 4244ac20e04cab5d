namespace Ingestion.Benchmarks;

/// <summary>A past: documents that were done long ago, with their tasks. Not by the product's own way, which would take minutes.</summary>
internal static class FinishedTasks
{
    public const int Count = 1_000_000;

    // Foreign keys and triggers are off; nobody counts the rows either, so the planner knows only of what was there before.
    private const string Sql = """
        SET session_replication_role = replica;
        ALTER TABLE ingestion.import_task_run SET (autovacuum_enabled = false);
        ALTER TABLE ingestion.import_item SET (autovacuum_enabled = false);
        INSERT INTO ingestion.import_batch (tenant_id, public_id, collection_id, name, priority, state, desired_state, draft, auto_start, options, created_by, completed_at)
        SELECT 'default', 'job_finished' || n, c.id, 'finished', 'normal', 'completed', 'run', false, true, '{}', 'benchmark', now()
        FROM ingestion.collection c, generate_series(1, 10) n WHERE c.tenant_id = 'default';
        INSERT INTO ingestion.import_job (tenant_id, batch_id, stage, active, turn_shift, max_workers)
        SELECT tenant_id, id, s, false, '0', 4 FROM ingestion.import_batch, unnest(ARRAY['acquire', 'parse', 'embed', 'index']) s WHERE name = 'finished';
        INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current, completed_at)
        SELECT 'default', b.id, 'url', 'http://127.0.0.1/' || n, 0, 'finished', '{}', 'done', 'index', 'finished', 0, now()
        FROM ingestion.import_batch b, generate_series(1, @items / 10) n WHERE b.name = 'finished';
        INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, worker, claimed_at, finished_at)
        SELECT 'default', i.batch_id, j.id, i.id, j.stage, 'succeeded', 1, 0, 0, 'finished', now(), now()
        FROM ingestion.import_item i JOIN ingestion.import_job j ON j.batch_id = i.batch_id WHERE i.name = 'finished';
        """;

    public static Task LoadAsync(Rig rig) => rig.AdministerAsync(Sql.Replace("@items", $"{Count / 4}", StringComparison.Ordinal));
}

namespace Ingestion.Core.Data.Migrations;

/// <summary>Row-level security of what retention leaves behind, and the functions by which alone it removes anything.</summary>
internal static class DutiesGuards
{
    public const string Access = """
        ALTER TABLE ingestion.pruned_batch ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_tenant ON ingestion.pruned_batch TO ingestion_web USING (tenant_id = nullif(current_setting('ingestion.tenant', true), ''));
        -- What was removed is told by the functions that remove it.
        REVOKE INSERT, UPDATE, DELETE ON ingestion.pruned_batch FROM ingestion_worker;
        """;

    /// <summary>
    /// Each call removes one slice and is a short transaction of its caller. The first call for a batch notes, under the locks that every
    /// change of a batch takes (its numbers, then itself), up to where the batch goes; whoever counts afterwards knows by that note what
    /// may be missing. So a crash between two slices leaves nothing that cannot be told from a loss.
    /// </summary>
    public const string Prune = """
        -- True for a batch that ended long enough ago and wholly: nothing of it is open, not even for a reviewer. Locks it.
        CREATE FUNCTION ingestion.hold_prunable(batch bigint, keep interval) RETURNS boolean
        LANGUAGE plpgsql SET search_path = ingestion, pg_temp AS $$
        BEGIN
            IF keep < interval '1 day' THEN
                RAISE EXCEPTION 'details are kept for at least a day, not %', keep USING ERRCODE = 'invalid_parameter_value';
            END IF;
            PERFORM FROM import_batch_seq s WHERE s.batch_id = batch FOR UPDATE;
            PERFORM FROM import_batch b WHERE b.id = batch FOR UPDATE;
            RETURN EXISTS (SELECT FROM import_batch b WHERE b.id = batch AND b.state IN ('completed', 'failed', 'cancelled') AND b.completed_at < clock() - keep)
               AND NOT EXISTS (SELECT FROM import_item i WHERE i.batch_id = batch AND i.state = 'open')
               AND NOT EXISTS (SELECT FROM import_task_run t WHERE t.batch_id = batch AND t.state IN ('ready', 'running', 'blocked'));
        END $$;

        CREATE FUNCTION ingestion.add_counts(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
            SELECT coalesce(jsonb_object_agg(k, n), '{}')
            FROM (SELECT key AS k, sum(value::bigint) AS n FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) x GROUP BY key) y
        $$;

        CREATE FUNCTION ingestion.prune_events(batch bigint, keep interval, slice integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingestion, pg_temp AS $$
        DECLARE removed integer; counts jsonb;
        BEGIN
            IF NOT hold_prunable(batch, keep) THEN
                RETURN 0;
            END IF;
            INSERT INTO pruned_batch (batch_id, tenant_id, last_seq, events_pruned_at)
            SELECT s.batch_id, s.tenant_id, s.seq, clock() FROM import_batch_seq s WHERE s.batch_id = batch
            ON CONFLICT (batch_id) DO UPDATE SET last_seq = excluded.last_seq, events_pruned_at = excluded.events_pruned_at;
            PERFORM set_config('ingestion.prune', 'on', true);
            WITH old AS (
                SELECT e.seq FROM import_event e WHERE e.batch_id = batch ORDER BY e.seq LIMIT slice
            ), gone AS (
                DELETE FROM import_event e USING old WHERE e.batch_id = batch AND e.seq = old.seq RETURNING e.kind
            ), kinds AS (
                SELECT kind, count(*) AS n FROM gone GROUP BY kind
            )
            SELECT coalesce(sum(n), 0)::integer, coalesce(jsonb_object_agg(kind, n), '{}') INTO removed, counts FROM kinds;
            UPDATE pruned_batch p SET events = add_counts(p.events, counts) WHERE p.batch_id = batch;
            PERFORM set_config('ingestion.prune', 'off', true);
            RETURN removed;
        END $$;

        CREATE FUNCTION ingestion.prune_task_runs(batch bigint, keep interval, slice integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingestion, pg_temp AS $$
        DECLARE removed integer; counts jsonb;
        BEGIN
            IF NOT hold_prunable(batch, keep) THEN
                RETURN 0;
            END IF;
            INSERT INTO pruned_batch (batch_id, tenant_id, last_task_run, task_runs_pruned_at)
            SELECT b.id, b.tenant_id, coalesce((SELECT max(t.id) FROM import_task_run t WHERE t.batch_id = b.id), 0), clock() FROM import_batch b WHERE b.id = batch
            ON CONFLICT (batch_id) DO UPDATE
                SET last_task_run = greatest(pruned_batch.last_task_run, excluded.last_task_run), task_runs_pruned_at = excluded.task_runs_pruned_at;
            PERFORM set_config('ingestion.prune', 'on', true);
            WITH old AS (
                SELECT t.id FROM import_task_run t WHERE t.batch_id = batch ORDER BY t.id LIMIT slice
            ), gone AS (
                DELETE FROM import_task_run t USING old WHERE t.id = old.id RETURNING t.stage || '.' || t.state AS ended
            ), endings AS (
                SELECT ended, count(*) AS n FROM gone GROUP BY ended
            )
            SELECT coalesce(sum(n), 0)::integer, coalesce(jsonb_object_agg(ended, n), '{}') INTO removed, counts FROM endings;
            UPDATE pruned_batch p SET task_runs = add_counts(p.task_runs, counts) WHERE p.batch_id = batch;
            PERFORM set_config('ingestion.prune', 'off', true);
            RETURN removed;
        END $$;

        -- A retry with other options explains the failures of the runs before it, and stays as long as they do.
        CREATE FUNCTION ingestion.prune_audit(keep interval, slice integer) RETURNS integer
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = ingestion, pg_temp AS $$
        DECLARE removed integer;
        BEGIN
            IF keep < interval '1 day' THEN
                RAISE EXCEPTION 'details are kept for at least a day, not %', keep USING ERRCODE = 'invalid_parameter_value';
            END IF;
            PERFORM set_config('ingestion.prune', 'on', true);
            WITH old AS (
                SELECT a.id FROM audit_entry a
                WHERE a.at < clock() - keep
                  AND NOT (a.action = 'retry' AND EXISTS (
                      SELECT FROM import_batch b JOIN import_task_run t ON t.batch_id = b.id WHERE a.target = 'batch ' || b.public_id AND b.tenant_id = a.tenant_id))
                ORDER BY a.id
                LIMIT slice
            )
            DELETE FROM audit_entry a USING old WHERE a.id = old.id;
            GET DIAGNOSTICS removed = ROW_COUNT;
            PERFORM set_config('ingestion.prune', 'off', true);
            RETURN removed;
        END $$;

        REVOKE ALL ON FUNCTION ingestion.hold_prunable, ingestion.add_counts, ingestion.prune_events, ingestion.prune_task_runs, ingestion.prune_audit FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION ingestion.prune_events, ingestion.prune_task_runs, ingestion.prune_audit TO ingestion_worker;
        """;

    public const string Remove = """
        DROP FUNCTION ingestion.prune_events, ingestion.prune_task_runs, ingestion.prune_audit, ingestion.hold_prunable, ingestion.add_counts;
        """;

    public static IEnumerable<string> All => [Access, Prune];
}

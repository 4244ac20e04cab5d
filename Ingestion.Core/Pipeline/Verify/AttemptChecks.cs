namespace Ingestion.Core.Pipeline.Verify;

/// <summary>I4: budgets are kept. I5: nobody holds a task longer than leases allow.</summary>
internal static class AttemptChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new("I4", "failures_stay_in_budget", """
            SELECT 'task ' || t.id AS subject, format('Task %s failed %s times; its batch allows %s.', t.id, t.failures, b.allowed) AS sentence
            FROM ingestion.import_task_run t
            JOIN (
                SELECT b.id,
                       -- Options that a retry changed do not judge the runs before it: then only what options may ask for at all is the limit.
                       CASE WHEN EXISTS (SELECT FROM ingestion.audit_entry a WHERE a.tenant_id = b.tenant_id AND a.target = 'batch ' || b.public_id AND a.action = 'retry' AND a.data @> '{"options_changed":true}') THEN 21
                            WHEN (b.options ->> 'retry_failed_files')::boolean IS FALSE THEN 1
                            ELSE coalesce((b.options ->> 'max_retries')::int, 3) + 1 END AS allowed
                FROM ingestion.import_batch b
            ) b ON b.id = t.batch_id
            WHERE t.failures > b.allowed
            """),
        new("I4", "crashes_are_quarantined", """
            SELECT 'task ' || id AS subject, format('Task %s crashed its worker %s times in a row and is %s.', id, crashes, state) AS sentence
            FROM ingestion.import_task_run WHERE crashes > 3 OR (crashes = 3 AND state IN ('ready', 'running'))
            """),
        new("I4", "attempts_cover_failures", """
            SELECT 'task ' || id AS subject, format('Task %s counts %s attempts, but %s failures and %s crashes.', id, attempt, failures, crashes) AS sentence
            FROM ingestion.import_task_run
            WHERE attempt < failures + crashes OR (state IN ('running', 'succeeded') AND attempt = 0)
            """),
        new("I4", "stage_succeeds_once_a_run", """
            SELECT 'item ' || x.item_id AS subject, format('The stage %s succeeded %s times for item %s, which was run %s times.', x.stage, x.n, x.item_id, 1 + x.retries) AS sentence
            FROM (
                SELECT t.item_id, t.stage, count(*) AS n,
                       (SELECT count(*) FROM ingestion.import_event e WHERE e.item_id = t.item_id AND e.kind = 'item_retried') AS retries
                FROM ingestion.import_task_run t
                WHERE t.state = 'succeeded' AND t.item_id IS NOT NULL
                  -- Where events were removed, so were those of the retries before.
                  AND NOT EXISTS (SELECT FROM ingestion.pruned_batch p WHERE p.batch_id = t.batch_id AND t.finished_at <= p.events_pruned_at)
                GROUP BY t.item_id, t.stage
                HAVING count(*) > 1
            ) x
            WHERE x.n > 1 + x.retries
            """),
        // A lease that ran out is taken back by whoever lives; where nobody does, the next start does it.
        new("I5", ExpiredLease, """
            SELECT 'task ' || t.id AS subject, format('The lease of task %s, held by %s, ran out %s ago and nobody took it back.', t.id, t.worker, date_trunc('second', ingestion.clock() - t.lease_until)) AS sentence
            FROM ingestion.import_task_run t
            WHERE t.state = 'running' AND t.lease_until < ingestion.clock() - @sweep AND pg_postmaster_start_time() < now() - @sweep
              AND EXISTS (SELECT FROM ingestion.worker_process w WHERE w.role <> 'web' AND w.stopped_at IS NULL AND w.last_seen_at > ingestion.clock() - @sweep)
            """),
        new("I5", "running_task_has_a_worker", """
            SELECT 'task ' || id AS subject, format('Task %s is running without a lease or a worker.', id) AS sentence
            FROM ingestion.import_task_run WHERE state = 'running' AND (lease_until IS NULL OR worker IS NULL)
            """),
    ];

    public const string ExpiredLease = "expired_lease_is_taken_back";
}

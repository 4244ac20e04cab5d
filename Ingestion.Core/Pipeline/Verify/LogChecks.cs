namespace Ingestion.Core.Pipeline.Verify;

/// <summary>
/// I3: the log has no gaps, tells of a legal way for every task, and folds to the states and figures that are stored. Where retention
/// removed a batch's events, the log begins after them, and what ended before is not judged by it.
/// </summary>
internal static class LogChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new("I3", "numbers_have_no_gaps", """
            SELECT 'batch ' || b.public_id AS subject,
                   format('Batch %s has %s events numbered %s to %s; its last number is %s.', b.public_id, coalesce(e.n, 0), e.first, e.last, coalesce(s.seq::text, '(none)')) AS sentence
            FROM ingestion.import_batch b
            LEFT JOIN ingestion.import_batch_seq s ON s.batch_id = b.id
            LEFT JOIN ingestion.pruned_batch p ON p.batch_id = b.id
            LEFT JOIN (
                SELECT k.batch_id, count(*) AS n, count(DISTINCT k.seq) AS d, min(k.seq) AS first, max(k.seq) AS last
                FROM ingestion.import_event k LEFT JOIN ingestion.pruned_batch g ON g.batch_id = k.batch_id
                WHERE k.seq > coalesce(g.last_seq, 0)
                GROUP BY k.batch_id
            ) e ON e.batch_id = b.id
            WHERE s.seq IS NULL OR coalesce(e.n, 0) <> s.seq - coalesce(p.last_seq, 0) OR e.d <> e.n OR (e.n > 0 AND (e.first <> coalesce(p.last_seq, 0) + 1 OR e.last <> s.seq))
            """),
        new("I3", "pruned_events_add_up", """
            SELECT 'batch ' || b.public_id AS subject, format('Of the first %s events of batch %s retention removed %s, and %s are left.', p.last_seq, b.public_id, r.removed, l.kept) AS sentence
            FROM ingestion.pruned_batch p
            JOIN ingestion.import_batch b ON b.id = p.batch_id
            CROSS JOIN LATERAL (SELECT coalesce(sum(value::bigint), 0) AS removed FROM jsonb_each_text(p.events)) r
            CROSS JOIN LATERAL (SELECT count(*) AS kept FROM ingestion.import_event e WHERE e.batch_id = p.batch_id AND e.seq <= p.last_seq) l
            WHERE r.removed + l.kept <> p.last_seq
            """),
        new("I3", "events_belong_to_a_batch", """
            SELECT 'batch ' || e.batch_id AS subject, format('%s events tell of batch %s, which does not exist or is another tenant''s.', count(*), e.batch_id) AS sentence
            FROM ingestion.import_event e
            WHERE NOT EXISTS (SELECT FROM ingestion.import_batch b WHERE b.id = e.batch_id AND b.tenant_id = e.tenant_id)
            GROUP BY e.batch_id
            """),
        new("I3", "log_folds_to_items", """
            SELECT 'item ' || i.id AS subject, format('By the log item %s of batch %s is %s; stored is %s.', i.id, i.batch_id, coalesce(l.state, 'open'), i.state) AS sentence
            FROM ingestion.import_item i
            LEFT JOIN (
                SELECT DISTINCT ON (item_id) item_id,
                       CASE kind WHEN 'item_done' THEN 'done' WHEN 'item_skipped' THEN 'skipped' WHEN 'item_failed' THEN 'failed' WHEN 'item_cancelled' THEN 'cancelled' WHEN 'item_rejected' THEN 'rejected' ELSE 'open' END AS state
                FROM ingestion.import_event
                WHERE item_id IS NOT NULL AND kind IN ('item_done', 'item_skipped', 'item_failed', 'item_cancelled', 'item_rejected', 'item_retried')
                ORDER BY item_id, seq DESC
            ) l ON l.item_id = i.id
            LEFT JOIN ingestion.pruned_batch p ON p.batch_id = i.batch_id
            WHERE i.state <> coalesce(l.state, 'open') AND (l.state IS NOT NULL OR p.events_pruned_at IS NULL OR i.completed_at > p.events_pruned_at)
            """),
        new("I3", "log_folds_to_tasks", $"""
            SELECT 'task ' || t.id AS subject,
                   format('Task %s (%s) is %s; the log tells %s times that it succeeded, %s that it failed, %s that it was cancelled.', t.id, t.stage, t.state, coalesce(l.succeeded, 0), coalesce(l.failed, 0), coalesce(l.cancelled, 0)) AS sentence
            FROM ingestion.import_task_run t
            LEFT JOIN ({ByTask}) l ON l.task_id = t.id
            WHERE {Logged} AND (coalesce(l.succeeded, 0), coalesce(l.failed, 0), coalesce(l.cancelled, 0)) <> ((t.state = 'succeeded')::int, (t.state = 'failed')::int, (t.state = 'cancelled')::int)
            """),
        new("I3", "log_folds_to_failures", $"""
            SELECT 'task ' || t.id AS subject,
                   format('Task %s counts %s failures and %s crashes in a row; the log tells of %s charged failures and %s lost leases.', t.id, t.failures, t.crashes, coalesce(l.charged, 0), coalesce(l.lost, 0)) AS sentence
            FROM ingestion.import_task_run t
            LEFT JOIN ({ByTask}) l ON l.task_id = t.id
            WHERE {Logged} AND (t.failures <> coalesce(l.charged, 0) OR t.crashes > coalesce(l.lost, 0))
            """),
        new("I3", "nothing_follows_an_end", $"""
            SELECT 'task ' || l.task_id AS subject, format('The log tells of task %s after its end.', l.task_id) AS sentence
            FROM ({ByTask}) l
            WHERE l.ended < l.last
            """),
        new("I3", "attempts_never_go_back", """
            SELECT 'task ' || e.task_id AS subject, format('In the log attempt %s of task %s follows attempt %s; its stored attempt is %s.', e.attempt, e.task_id, e.before, coalesce(t.attempt::text, '(none)')) AS sentence
            FROM (
                SELECT batch_id, task_id, (data ->> 'attempt')::int AS attempt, lag((data ->> 'attempt')::int) OVER (PARTITION BY task_id ORDER BY seq) AS before
                FROM ingestion.import_event
                WHERE task_id IS NOT NULL AND data ? 'attempt'
            ) e
            LEFT JOIN ingestion.import_task_run t ON t.id = e.task_id
            LEFT JOIN ingestion.pruned_batch p ON p.batch_id = e.batch_id
            WHERE e.attempt < e.before OR e.attempt > t.attempt OR (t.id IS NULL AND e.task_id > coalesce(p.last_task_run, 0))
            """),
        new("I3", "log_folds_to_batches", """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s is %s; the last of the log is %s %s.', b.public_id, b.state, coalesce(l.kind, '(nothing)'), l.data ->> 'state') AS sentence
            FROM ingestion.import_batch b
            LEFT JOIN (
                SELECT DISTINCT ON (batch_id) batch_id, kind, data
                FROM ingestion.import_event
                WHERE kind IN ('batch_submitted', 'batch_started', 'batch_paused', 'batch_resumed', 'batch_retried', 'batch_completed', 'batch_cancelled')
                ORDER BY batch_id, seq DESC
            ) l ON l.batch_id = b.id
            LEFT JOIN ingestion.pruned_batch p ON p.batch_id = b.id
            WHERE CASE
                WHEN l.kind IS NULL AND b.completed_at <= p.events_pruned_at THEN false
                WHEN b.draft THEN l.kind IS NOT NULL
                WHEN b.state IN ('completed', 'failed') THEN l.kind IS DISTINCT FROM 'batch_completed' OR l.data ->> 'state' IS DISTINCT FROM b.state
                WHEN b.state = 'cancelled' THEN l.kind IS DISTINCT FROM 'batch_cancelled'
                WHEN b.state = 'pending' THEN l.kind IS DISTINCT FROM 'batch_submitted'
                WHEN b.state = 'paused' THEN l.kind IS NULL OR l.kind NOT IN ('batch_paused', 'batch_retried')
                WHEN b.state = 'running' THEN l.kind IS NULL OR l.kind NOT IN ('batch_started', 'batch_retried')
                WHEN b.state = 'retrying' THEN l.kind IS DISTINCT FROM 'batch_retried'
                ELSE l.kind IS NULL OR l.kind IN ('batch_completed', 'batch_cancelled', 'batch_paused') END
            """),
    ];

    // Its events are here, or must be.
    private const string Logged = "NOT EXISTS (SELECT FROM ingestion.pruned_batch p WHERE p.batch_id = t.batch_id AND t.finished_at <= p.events_pruned_at)";

    // A quarantined task failed without a charge: its crashes were the fault.
    private const string ByTask = """
        SELECT task_id,
               count(*) FILTER (WHERE kind = 'stage_done') AS succeeded,
               count(*) FILTER (WHERE kind IN ('item_failed', 'input_failed')) AS failed,
               count(*) FILTER (WHERE kind = 'item_cancelled') AS cancelled,
               count(*) FILTER (WHERE kind = 'attempt_failed' OR (kind IN ('item_failed', 'input_failed') AND data ->> 'code' <> 'crashed_worker')) AS charged,
               count(*) FILTER (WHERE kind = 'lease_lost') AS lost,
               max(seq) FILTER (WHERE kind IN ('stage_done', 'item_failed', 'input_failed', 'item_cancelled')) AS ended,
               max(seq) AS last
        FROM ingestion.import_event
        WHERE task_id IS NOT NULL
        GROUP BY task_id
        """;
}

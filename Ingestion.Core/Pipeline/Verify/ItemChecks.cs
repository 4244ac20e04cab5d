namespace Ingestion.Core.Pipeline.Verify;

/// <summary>I1: whatever was accepted is exactly one item, and every item, task and batch is where the others say it is.</summary>
internal static class ItemChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new("I1", "upload_has_one_item", """
            SELECT 'upload ' || u.public_id AS subject, format('The upload %s of batch %s has %s items instead of one.', u.public_id, b.public_id, count(i.id)) AS sentence
            FROM ingestion.upload u
            JOIN ingestion.import_batch b ON b.id = u.batch_id AND NOT b.draft
            LEFT JOIN ingestion.import_item i ON i.upload_id = u.id
            WHERE u.purpose = 'file' AND u.completed_at IS NOT NULL
            GROUP BY u.public_id, b.public_id
            HAVING count(i.id) <> 1
            """),
        new("I1", "address_has_one_item", """
            SELECT 'input ' || n.id AS subject, format('Of %s pasted addresses of batch %s, %s became items.', n.urls, b.public_id, coalesce(f.items, 0)) AS sentence
            FROM (
                SELECT id, batch_id, (SELECT count(DISTINCT normalize(u ->> 'url', NFC)) FROM jsonb_array_elements(spec -> 'urls') u) AS urls
                FROM ingestion.import_input WHERE source_type = 'url'
            ) n
            JOIN ingestion.import_batch b ON b.id = n.batch_id AND NOT b.draft
            LEFT JOIN (SELECT input_id, count(*) AS items FROM ingestion.import_item WHERE source_type = 'url' GROUP BY input_id) f ON f.input_id = n.id
            WHERE n.urls <> coalesce(f.items, 0)
            """),
        new("I1", "listed_row_has_one_item", """
            SELECT 'input ' || n.id AS subject, format('The listing of batch %s found %s items; %s are here.', b.public_id, n.discovered, coalesce(f.items, 0)) AS sentence
            FROM ingestion.import_input n
            JOIN ingestion.import_batch b ON b.id = n.batch_id AND NOT b.draft
            LEFT JOIN (SELECT input_id, count(*) AS items FROM ingestion.import_item GROUP BY input_id) f ON f.input_id = n.id
            WHERE n.source_type <> 'url' AND n.discovered <> coalesce(f.items, 0)
            """),
        new("I1", "open_item_has_open_task", """
            SELECT 'item ' || i.id AS subject, format('Item %s of batch %s is open but has no ready, running or blocked task.', i.id, i.batch_id) AS sentence
            FROM ingestion.import_item i
            WHERE i.state = 'open'
              AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.item_id = i.id AND t.state IN ('ready', 'running', 'blocked'))
            """),
        new("I1", "open_input_has_open_task", """
            SELECT 'input ' || n.id AS subject, format('Input %s of batch %s is still to be listed but has no open task.', n.id, n.batch_id) AS sentence
            FROM ingestion.import_input n
            JOIN ingestion.import_batch b ON b.id = n.batch_id AND NOT b.draft
            WHERE n.state = 'open'
              AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.input_id = n.id AND t.state IN ('ready', 'running', 'blocked'))
              AND NOT (b.desired_state = 'cancel' AND b.completed_at IS NULL)
            """),
        new("I1", "open_task_has_open_item", """
            SELECT 'task ' || t.id AS subject,
                   format('Task %s is %s at %s, but its %s.', t.id, t.state, t.stage,
                          CASE WHEN t.item_id IS NULL THEN 'input ' || t.input_id || ' is ' || n.state ELSE 'item ' || t.item_id || ' is ' || i.state || ' at ' || i.stage END) AS sentence
            FROM ingestion.import_task_run t
            LEFT JOIN ingestion.import_item i ON i.id = t.item_id
            LEFT JOIN ingestion.import_input n ON n.id = t.input_id
            WHERE t.state IN ('ready', 'running', 'blocked')
              AND (coalesce(i.state, n.state) <> 'open' OR i.stage <> t.stage)
            """),
        new("I1", "task_belongs_to_its_job", """
            SELECT 'task ' || t.id AS subject, format('Task %s of batch %s at %s hangs on the job %s of batch %s at %s.', t.id, t.batch_id, t.stage, j.id, j.batch_id, j.stage) AS sentence
            FROM ingestion.import_task_run t
            JOIN ingestion.import_job j ON j.id = t.job_id
            LEFT JOIN ingestion.import_item i ON i.id = t.item_id
            LEFT JOIN ingestion.import_input n ON n.id = t.input_id
            WHERE t.batch_id <> j.batch_id OR t.stage <> j.stage OR t.batch_id <> coalesce(i.batch_id, n.batch_id)
            """),
        new("I1", "ended_batch_is_idle", """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s is %s, but %s of its tasks are ready or running and %s of its open items do not wait for review.', b.public_id, b.state, w.tasks, w.items) AS sentence
            FROM ingestion.import_batch b
            CROSS JOIN LATERAL (
                -- What a reviewer decides after the end goes on in the ended batch.
                SELECT (SELECT count(*) FROM ingestion.import_task_run t WHERE t.batch_id = b.id AND t.state IN ('ready', 'running')
                          AND NOT EXISTS (SELECT FROM ingestion.review_item r WHERE r.item_id = t.item_id AND r.state <> 'open')) AS tasks,
                       (SELECT count(*) FROM ingestion.import_item i WHERE i.batch_id = b.id AND i.state = 'open'
                          AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.item_id = i.id AND t.state = 'blocked')
                          AND NOT EXISTS (SELECT FROM ingestion.review_item r WHERE r.item_id = i.id AND r.state <> 'open')) AS items
            ) w
            WHERE b.state IN ('completed', 'failed', 'cancelled') AND (w.tasks > 0 OR w.items > 0)
            """),
        new("I1", StuckBatch, """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s is %s, but nothing of it is ready or running: nobody will end it.', b.public_id, b.state) AS sentence
            FROM ingestion.import_batch b
            WHERE b.state IN ('running', 'retrying', 'paused') AND b.desired_state <> 'cancel'
              AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.batch_id = b.id AND t.state IN ('ready', 'running'))
            """),
        new("I1", HalfCancelled, """
            SELECT 'batch ' || b.public_id AS subject, format('The cancel of batch %s was begun %s ago and is not finished.', b.public_id, date_trunc('second', ingestion.clock() - e.at)) AS sentence
            FROM ingestion.import_batch b
            CROSS JOIN LATERAL (SELECT max(at) AS at FROM ingestion.import_event e WHERE e.batch_id = b.id) e
            WHERE b.desired_state = 'cancel' AND b.state NOT IN ('completed', 'failed', 'cancelled') AND e.at < ingestion.clock() - interval '1 minute'
            """),
        new("I1", JobFlags, """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s is %s and has %s jobs, %s of them active.', b.public_id, b.state, count(j.id), count(*) FILTER (WHERE j.active)) AS sentence
            FROM ingestion.import_batch b
            LEFT JOIN ingestion.import_job j ON j.batch_id = b.id
            WHERE NOT b.draft
            GROUP BY b.id
            HAVING count(j.id) = 0
                OR (b.state NOT IN ('running', 'retrying') AND count(*) FILTER (WHERE j.active) > 0
                    AND NOT (b.completed_at IS NOT NULL AND EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.batch_id = b.id AND t.state IN ('ready', 'running'))))
                OR (b.completed_at IS NOT NULL AND count(*) FILTER (WHERE NOT j.active) > 0
                    AND EXISTS (SELECT FROM ingestion.import_task_run t JOIN ingestion.review_item r ON r.item_id = t.item_id AND r.state <> 'open'
                                WHERE t.batch_id = b.id AND t.state IN ('ready', 'running')))
                OR (b.state IN ('running', 'retrying') AND b.desired_state = 'run' AND count(*) FILTER (WHERE NOT j.active) > 0)
            """),
        new("I1", "frozen_counts_add_up", """
            SELECT 'batch ' || b.public_id AS subject, format('Batch %s ended with the counts %s, but its items are %s.', b.public_id, b.final_counts, to_jsonb(n)) AS sentence
            FROM ingestion.import_batch b
            CROSS JOIN LATERAL (
                SELECT count(*) AS "Total", count(*) FILTER (WHERE i.state = 'open') AS "Open", count(*) FILTER (WHERE i.state = 'done') AS "Done",
                       count(*) FILTER (WHERE i.state = 'skipped') AS "Skipped", count(*) FILTER (WHERE i.state = 'failed') AS "Failed",
                       count(*) FILTER (WHERE i.state = 'rejected') AS "Rejected", count(*) FILTER (WHERE i.state = 'cancelled') AS "Cancelled",
                       coalesce(sum(i.chunk_count), 0) AS "Chunks", coalesce(sum(i.size), 0) AS "Bytes"
                FROM ingestion.import_item i WHERE i.batch_id = b.id
            ) n
            WHERE b.state IN ('completed', 'failed', 'cancelled')
              -- None are frozen while what a reviewer decided after the end is on its way.
              AND b.final_counts IS NOT NULL AND NOT b.final_counts @> to_jsonb(n)
            """),
        new("I1", "review_has_blocked_task", """
            SELECT 'item ' || i.id AS subject, format('Item %s of batch %s is %s at %s with %s open reviews and %s blocked tasks at review.', i.id, i.batch_id, i.state, i.stage, w.reviews, w.tasks) AS sentence
            FROM ingestion.import_item i
            JOIN (
                SELECT coalesce(r.item_id, t.item_id) AS item_id, count(r.id) AS reviews, count(t.id) AS tasks
                FROM (SELECT id, item_id FROM ingestion.review_item WHERE state = 'open') r
                FULL JOIN (SELECT id, item_id FROM ingestion.import_task_run WHERE stage = 'review' AND state IN ('ready', 'running', 'blocked')) t ON t.item_id = r.item_id
                GROUP BY 1
            ) w ON w.item_id = i.id
            WHERE w.reviews <> 1 OR w.tasks <> 1
            """),
    ];

    public const string StuckBatch = "unended_batch_has_work";
    public const string HalfCancelled = "cancel_is_carried_out";
    public const string JobFlags = "batch_has_its_jobs";
}

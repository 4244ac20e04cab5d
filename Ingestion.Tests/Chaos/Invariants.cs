using Ingestion.Tests.Support;
using Npgsql;

namespace Ingestion.Tests.Chaos;

/// <summary>
/// What must hold after every fault, in statements of the suite's own: the product's <c>verify</c> is judged by somebody else as well.
/// For a database whose batches have all ended.
/// </summary>
internal static class Invariants
{
    private static readonly (string What, string Sql)[] Statements =
    [
        ("item is open", "SELECT count(*) FROM ingestion.import_item WHERE state = 'open'"),
        ("input is open", "SELECT count(*) FROM ingestion.import_input WHERE state = 'open'"),
        ("task is not final", "SELECT count(*) FROM ingestion.import_task_run WHERE state IN ('ready', 'running', 'blocked')"),
        ("batch has not ended", "SELECT count(*) FROM ingestion.import_batch WHERE NOT draft AND state NOT IN ('completed', 'failed', 'cancelled')"),
        ("item is there twice", "SELECT count(*) FROM (SELECT 1 FROM ingestion.import_item GROUP BY batch_id, source_key, row, input_id HAVING count(*) > 1) x"),
        ("gap or repeat in the event numbers", "SELECT count(*) FROM (SELECT seq, row_number() OVER (PARTITION BY batch_id ORDER BY seq) AS n FROM ingestion.import_event) e WHERE e.seq <> e.n"),
        // It starts once, and once more with each retry of an ended batch; each time it ends once.
        ("batch ended twice or never", """
            SELECT count(*) FROM (
                SELECT count(*) FILTER (WHERE kind IN ('batch_completed', 'batch_cancelled')) AS ends,
                       count(*) FILTER (WHERE kind = 'batch_retried' AND before IN ('batch_completed', 'batch_cancelled')) AS again
                FROM (SELECT batch_id, kind, lag(kind) OVER (PARTITION BY batch_id ORDER BY seq) AS before FROM ingestion.import_event
                      WHERE kind IN ('batch_completed', 'batch_cancelled', 'batch_retried')) e
                GROUP BY batch_id) x
            WHERE ends <> 1 + again
            """),
        ("stage succeeded more often than it was run", """
            SELECT count(*) FROM (
                SELECT t.item_id FROM ingestion.import_task_run t WHERE t.state = 'succeeded' AND t.item_id IS NOT NULL GROUP BY t.item_id, t.stage
                HAVING count(*) > 1 + (SELECT count(*) FROM ingestion.import_event e WHERE e.item_id = t.item_id AND e.kind = 'item_retried')) x
            """),
        ("task told of twice that it succeeded", "SELECT count(*) FROM (SELECT 1 FROM ingestion.import_event WHERE kind = 'stage_done' GROUP BY task_id HAVING count(*) > 1) x"),
        ("chunk is there twice", "SELECT count(*) FROM (SELECT 1 FROM ingestion.chunk GROUP BY document_version_id, ordinal HAVING count(*) > 1) x"),
        ("content is published twice from one source", """
            SELECT count(*) FROM (
                SELECT 1 FROM ingestion.publication p JOIN ingestion.document_version v ON v.id = p.document_version_id
                WHERE p.revoked_at IS NULL GROUP BY p.document_id, p.document_version_id HAVING count(*) > 1) x
            """),
        ("published chunk has no words or no vector", """
            SELECT count(*)
            FROM ingestion.publication p
            JOIN ingestion.chunk c ON c.document_version_id = p.document_version_id
            LEFT JOIN ingestion.chunk_fts f ON f.chunk_id = c.id
            LEFT JOIN ingestion.chunk_vector v ON v.tenant_id = c.tenant_id AND v.generation_id = f.generation_id AND v.text_hash = c.text_hash
            WHERE f.chunk_id IS NULL OR v.text_hash IS NULL
            """),
        ("done item is not published", """
            SELECT count(*) FROM ingestion.import_item i
            WHERE i.state = 'done' AND NOT EXISTS (SELECT FROM ingestion.publication p WHERE p.document_version_id = i.document_version_id)
            """),
        ("content claim is left over", "SELECT count(*) FROM ingestion.content_claim"),
        ("budget is overrun", "SELECT count(*) FROM ingestion.import_task_run WHERE crashes > 3 OR failures + crashes > attempt"),
        ("item shows progress beyond its total", "SELECT count(*) FROM ingestion.import_item WHERE progress_current < 0 OR progress_current > progress_total"),
    ];

    /// <summary>What does not add up, a sentence each.</summary>
    public static async Task<IReadOnlyList<string>> ProblemsAsync(NpgsqlDataSource source)
    {
        var problems = new List<string>();
        foreach (var (what, sql) in Statements)
            if ((await source.QueryAsync<long>(sql)).Single() is var n and > 0) problems.Add($"{n} × {what}");
        return problems;
    }
}

using System.Diagnostics;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingestion.Benchmarks;

/// <summary>
/// The review queue with ten thousand open reviews: what its page asks of the server, by median and 95th percentile; and the approval of all of
/// them as one bulk decision. Rows are put there by SQL, as resolving leaves them.
/// </summary>
internal static class ReviewPath
{
    private const int Reviews = 10_000, Looks = 40;

    private static readonly (string Name, ReviewFilter Filter, ReviewOrder Order, int Skip)[] Pages =
    [
        ("opened", new(), ReviewOrder.Oldest, 0), ("least sure", new(), ReviewOrder.LeastSure, 0), ("last page", new(), ReviewOrder.Oldest, Reviews - 50), ("reason", new(Reason: ReviewReasons.Unmatched), ReviewOrder.Oldest, 0),
        ("confidence", new(MinConfidence: 0.4, MaxConfidence: 0.6), ReviewOrder.MostSure, 0), ("entity", new(Entity: "e17"), ReviewOrder.Oldest, 0), ("text", new(Text: "spelling 99"), ReviewOrder.Oldest, 0),
        ("batch", new(Batch: "job_review3"), ReviewOrder.Newest, 0), ("collection", new(Collection: "default"), ReviewOrder.WorstQuality, 0),
    ];

    private const string Sql = """
        SET session_replication_role = replica;
        INSERT INTO ingestion.record_type (tenant_id, collection_id, spec, created_by)
        SELECT 'default', id, '{"name":"song","fields":[{"name":"raga","kind":"entity","entity_type":"raga","rules":[{"from":"column","name":"Raga"}]}]}', 'benchmark' FROM ingestion.collection WHERE tenant_id = 'default';
        INSERT INTO ingestion.import_batch (tenant_id, public_id, collection_id, name, priority, state, desired_state, draft, auto_start, options, created_by, started_at)
        SELECT 'default', 'job_review' || n, c.id, 'review', 'normal', 'running', 'run', false, true, '{}', 'benchmark', now() FROM ingestion.collection c, generate_series(1, 10) n WHERE c.tenant_id = 'default';
        INSERT INTO ingestion.import_batch_seq (batch_id, tenant_id, seq) SELECT id, tenant_id, 1 FROM ingestion.import_batch WHERE name = 'review';
        INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind) SELECT id, 1, tenant_id, 'batch_submitted' FROM ingestion.import_batch WHERE name = 'review';
        INSERT INTO ingestion.import_job (tenant_id, batch_id, stage, active, served_at, turn_shift, max_workers)
        SELECT tenant_id, id, s, true, now(), '0', 4 FROM ingestion.import_batch, unnest(ARRAY['acquire', 'parse', 'resolve', 'review', 'embed', 'index']) s WHERE name = 'review';
        INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
        SELECT 'default', b.id, 'manifest', 'http://127.0.0.1/' || b.id || '/' || n, n, 'Song ' || n, '{}', 'open', 'review', 'reviewing', 0 FROM ingestion.import_batch b, generate_series(1, @reviews / 10) n WHERE b.name = 'review';
        INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes)
        SELECT i.tenant_id, i.batch_id, j.id, i.id, 'review', 'blocked', 0, 0, 0 FROM ingestion.import_item i JOIN ingestion.import_job j ON j.batch_id = i.batch_id AND j.stage = 'review';
        INSERT INTO ingestion.item_record (item_id, tenant_id, batch_id, record_type_id, document_version_id, fields, confidence)
        SELECT i.id, i.tenant_id, i.batch_id, (SELECT max(id) FROM ingestion.record_type), 0,
               jsonb_build_array(jsonb_build_object('name', 'title', 'kind', 'text', 'state', 'given', 'found', jsonb_build_object('value', i.name, 'source', 'name')),
                   jsonb_build_object('name', 'raga', 'kind', 'entity', 'state', 'uncertain', 'entity_type', 'raga', 'found', jsonb_build_object('value', 'spelling ' || i.id % 700, 'source', 'column Raga'),
                       'candidates', (SELECT jsonb_agg(jsonb_build_object('key', 'e' || (i.id + k * 37) % 972, 'name', 'Entity ' || (i.id + k * 37) % 972, 'confidence', 0.9 - k * 0.05, 'why', 'It sounds alike.')) FROM generate_series(0, 8) k))),
               (i.id % 100) / 100.0
        FROM ingestion.import_item i WHERE i.stage = 'review';
        INSERT INTO ingestion.review_item (tenant_id, collection_id, batch_id, item_id, state, reasons, confidence, quality, created_at)
        SELECT i.tenant_id, b.collection_id, i.batch_id, i.id, 'open', CASE i.id % 3 WHEN 0 THEN ARRAY['unmatched', 'manifest'] ELSE ARRAY['uncertain', 'manifest'] END, (i.id % 100) / 100.0, 0.7 + (i.id % 30) / 100.0, now()
        FROM ingestion.import_item i JOIN ingestion.import_batch b ON b.id = i.batch_id WHERE i.stage = 'review';
        ANALYZE;
        """;

    /// <summary>Every look of the page: the list with its total, and the counts by reason.</summary>
    public static async Task<Result> LookAsync()
    {
        await using var rig = await LoadedAsync();
        var queries = new ReviewQueries(rig.Database);
        var (all, notes) = (new List<double>(), new List<string>());
        foreach (var (name, filter, order, skip) in Pages)
        {
            var times = new List<double>();
            for (var i = -3; i < Looks; i++)
            {
                var begun = Stopwatch.GetTimestamp();
                await queries.ListAsync(Rig.Measured.Scope, filter, order, skip, 50, CancellationToken.None);
                await queries.ReasonsAsync(Rig.Measured.Scope, filter, CancellationToken.None);
                // The first ones are compiled and planned.
                if (i >= 0) times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            all.AddRange(times);
            notes.Add(FormattableString.Invariant($"{name,-12} p50 {At(times, 0.5),6:0.0} ms   p95 {At(times, 0.95),6:0.0} ms"));
        }
        notes.Add(FormattableString.Invariant($"all looks    p50 {At(all, 0.5),6:0.0} ms   p95 {At(all, 0.95),6:0.0} ms (under 300 ms is wanted)"));
        return new(all.Sum() / 1000, new() { ["looks"] = all.Count }, notes);
    }

    /// <summary>All of them approved by one bulk decision.</summary>
    public static async Task<Result> ApproveAsync()
    {
        await using var rig = await LoadedAsync();
        var hub = new BatchHub();
        var bulks = new BulkReviews(rig.Database, new(rig.Database.Worker, hub, NullLogger<Hints>.Instance), new(hub));
        var begun = Stopwatch.GetTimestamp();
        var bulk = await bulks.StartAsync(Rig.Measured, new(), ReviewActions.Approve, CancellationToken.None);
        await bulks.CarryOutAsync(CancellationToken.None);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        bulk = (await bulks.FindAsync(Rig.Measured.Scope, bulk.PublicId, CancellationToken.None))!;
        if (bulk is not { State: "done", Decided: Reviews }) throw new InvalidOperationException($"Not all of them were decided: {bulk}");
        return new(seconds, new() { ["reviews"] = Reviews }, []);
    }

    private static async Task<Rig> LoadedAsync()
    {
        var rig = await Rig.StartDatabaseAsync();
        await rig.AdministerAsync(Sql.Replace("@reviews", $"{Reviews}", StringComparison.Ordinal));
        return rig;
    }

    private static double At(List<double> times, double share) => times.Order().ElementAt((int)Math.Ceiling(times.Count * share) - 1);
}

using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;

namespace Ingestion.Tests.Review;

/// <summary>Documents that wait for a person, put there by the settling that the pipeline does, with a record of one field that means a raga.</summary>
internal sealed class ReviewSeed(Spine spine, Make make)
{
    public static readonly RecordType Song = new("song", [new("raga", FieldKind.Entity, [new(FieldSource.Column, "Raga")], "raga")]);

    public ReviewDesk Desk { get; } = new(spine.Database, spine.Hints, spine.Waker, new(spine.Database.Worker));

    public ReviewQueries Queries { get; } = new(spine.Database);

    public BulkReviews Bulks { get; } = new(spine.Database, spine.Hints, spine.Waker);

    /// <summary>A running batch with so many items at review; the ids of their reviews, in the order of the items.</summary>
    /// <param name="others">Items that are still to be acquired.</param>
    public async Task<(long Batch, IReadOnlyList<long> Reviews)> BatchAsync(int items = 1, int others = 0, string tenant = Make.Tenant, string reason = ReviewReasons.Uncertain)
    {
        var worker = spine.Database.Worker;
        var collection = (await worker.QueryAsync<long>("SELECT id FROM ingestion.collection WHERE tenant_id = $1 AND key = 'default'", tenant)).Single();
        var type = (await worker.QueryAsync<long>("INSERT INTO ingestion.record_type (tenant_id, collection_id, spec, created_by) VALUES ($1, $2, $3::jsonb, 'test') RETURNING id", tenant, collection, Song.ToJson())).Single();
        var batch = await make.Batch(tenant: tenant);
        await using (var connection = await worker.OpenConnectionAsync()) await ImportEvents.AppendAsync(connection, batch, [new(EventKinds.BatchStarted)], CancellationToken.None);
        for (var i = 0; i < others; i++) await make.Task(batch);
        var tasks = new List<ClaimedTask>();
        foreach (var some in Enumerable.Range(0, items).Chunk(16)) tasks.AddRange(await Task.WhenAll(some.Select(_ => make.Task(batch, TaskState.Running, Stage.Resolve))));
        await Task.WhenAll(tasks.OrderBy(t => t.ItemId).Select((task, i) =>
        {
            var confidence = 0.1 + 0.8 * i / Math.Max(1, items - 1);
            return spine.Settler.SettleAsync(task, new StageOutcome.Done((connection, ct) => SaveAsync(connection, task, collection, type, confidence, reason, ct)) { IsLight = true, Next = Stage.Review }, CancellationToken.None);
        }));
        return (batch, await worker.QueryAsync<long>("SELECT id FROM ingestion.review_item WHERE batch_id = $1 ORDER BY item_id", batch));
    }

    private static async Task SaveAsync(Npgsql.NpgsqlConnection connection, ClaimedTask task, long collection, long type, double confidence, string reason, CancellationToken ct)
    {
        var field = new ResolvedField("raga", FieldKind.Entity, FieldState.Uncertain, new($"raga {task.ItemId}", "column Raga"), EntityType: "raga", ListVersion: 1, Confidence: confidence,
            Candidates: [new("kalyani", "Kalyāni", confidence, "It is close.")]);
        await connection.QueryAsync<object>("""
            INSERT INTO ingestion.item_record (item_id, tenant_id, batch_id, record_type_id, document_version_id, fields, confidence) VALUES ($1, $2, $3, $4, 0, $5::jsonb, $6)
            """, task.ItemId!.Value, task.TenantId, task.BatchId, type, ResolvedField.ToJson([field]), confidence);
        var item = new WorkItem(task.ItemId.Value, task.BatchId, task.TenantId, collection, null, "manifest", null, "", 0, "", null, "{}", null, null, null);
        await ReviewRows.OpenAsync(connection, item, [reason], confidence, 0.9, ct);
    }
}

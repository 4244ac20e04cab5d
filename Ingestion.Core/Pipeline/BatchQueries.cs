using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Batches as people and programs see them, one tenant at a time. Counts are counted, not stored, and shared per batch in this process
/// for a moment that grows with what counting costs.
/// </summary>
public sealed class BatchQueries(Database database, Contexts contexts, Shared<BatchCounts> counts)
{
    public async Task<BatchView?> FindAsync(Scope scope, string publicId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var row = await Views(db).FirstOrDefaultAsync(b => b.PublicId == publicId, ct);
        return row is null ? null : row with { Counts = await CountsAsync(scope, row, ct) };
    }

    /// <summary>By its UUID or its public id.</summary>
    public async Task<BatchView?> FindByAnyIdAsync(Scope scope, string id, CancellationToken ct)
    {
        if (!Guid.TryParse(id, out var uuid)) return await FindAsync(scope, id, ct);
        await using var db = contexts.For(scope);
        return await db.Batches.Where(b => b.Uuid == uuid).Select(b => b.PublicId).FirstOrDefaultAsync(ct) is { } publicId ? await FindAsync(scope, publicId, ct) : null;
    }

    /// <summary>The batch after an act of the caller's own: counted now, not shared from before.</summary>
    public Task<BatchView?> FindAfterAsync(Scope scope, BatchView before, CancellationToken ct)
    {
        counts.Drop(scope.TenantId, before.Id);
        return FindAsync(scope, before.PublicId, ct);
    }

    /// <summary>Newest first. Drafts are left out unless asked for.</summary>
    public async Task<Page<BatchView>> ListAsync(Scope scope, BatchFilter filter, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var query = Matching(db, filter);
        var total = await query.CountAsync(ct);
        var rows = await query.OrderByDescending(b => b.Id).Skip(skip).Take(take).ToListAsync(ct);
        for (var i = 0; i < rows.Count; i++) rows[i] = rows[i] with { Counts = await CountsAsync(scope, rows[i], ct) };
        return new(rows, total);
    }

    /// <summary>A person's batches that have not ended, or not before a moment, newest first, without their counts.</summary>
    public async Task<IReadOnlyList<BatchView>> OpenOfAsync(Scope scope, string createdBy, DateTimeOffset since, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await Matching(db, new() { CreatedBy = createdBy }).Where(b => b.CompletedAt == null || b.CompletedAt > since).OrderByDescending(b => b.Id).Take(take).ToListAsync(ct);
    }

    /// <summary>How many batches match.</summary>
    public async Task<int> CountAsync(Scope scope, BatchFilter filter, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await Matching(db, filter).CountAsync(ct);
    }

    public async Task<Page<ItemView>> ItemsAsync(Scope scope, long batchId, ItemFilter filter, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var query = Matching(db, batchId, filter);
        var total = await query.CountAsync(ct);
        var rows = await ItemViews(db, query.OrderBy(i => i.Id).Skip(skip).Take(take)).ToListAsync(ct);
        return new(rows, total);
    }

    /// <summary>Ids of every item that matches, for an act on all of them.</summary>
    public async Task<IReadOnlyList<long>> ItemIdsAsync(Scope scope, long batchId, ItemFilter filter, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await Matching(db, batchId, filter).OrderBy(i => i.Id).Select(i => i.Id).ToListAsync(ct);
    }

    /// <summary>Names of items by id; unknown ids are left out.</summary>
    public async Task<IReadOnlyDictionary<long, string>> ItemNamesAsync(Scope scope, IReadOnlyCollection<long> items, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.Items.Where(i => items.Contains(i.Id)).ToDictionaryAsync(i => i.Id, i => i.Name, ct);
    }

    public async Task<ItemView?> ItemAsync(Scope scope, long itemId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await ItemViews(db, db.Items.Where(i => i.Id == itemId)).FirstOrDefaultAsync(ct);
    }

    /// <summary>Items that a worker holds, and those named, by id; at most <paramref name="take"/> of each.</summary>
    public async Task<IReadOnlyList<ItemView>> AtWorkAsync(Scope scope, long batchId, IReadOnlyCollection<long> besides, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var running = await db.TaskRuns.Where(t => t.BatchId == batchId && t.State == TaskState.Running && t.ItemId != null).OrderBy(t => t.Id).Select(t => t.ItemId!.Value).Take(take).ToListAsync(ct);
        var ids = running.Concat(besides.TakeLast(take)).Distinct().ToList();
        return ids.Count == 0 ? [] : await ItemViews(db, db.Items.Where(i => i.BatchId == batchId && ids.Contains(i.Id)).OrderBy(i => i.Id)).ToListAsync(ct);
    }

    /// <summary>Every task run of an item, oldest first: its stages, attempts and old errors.</summary>
    public async Task<IReadOnlyList<TaskRunView>> TaskRunsAsync(Scope scope, long itemId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.TaskRuns.Where(t => t.ItemId == itemId).OrderBy(t => t.Id)
            .Select(t => new TaskRunView(t.Id, t.Stage, t.State, t.Attempt, t.Failures, t.Crashes, t.ScheduledAt, t.WaitReason, t.CreatedAt, t.ClaimedAt, t.FinishedAt, t.ErrorCode, t.ErrorMessage))
            .ToListAsync(ct);
    }

    public async Task<IReadOnlyList<ImportInput>> InputsAsync(Scope scope, long batchId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.Inputs.AsNoTracking().Where(i => i.BatchId == batchId).OrderBy(i => i.Ordinal).ToListAsync(ct);
    }

    /// <summary>The addresses pasted into a batch, in order, as they were written.</summary>
    public async Task<IReadOnlyList<UrlEntry>> PastedAsync(Scope scope, long batchId, CancellationToken ct) =>
        [.. (await InputsAsync(scope, batchId, ct)).Where(i => i.SourceType == SourceTypes.Url)
            .SelectMany(i => JsonSerializer.Deserialize<PastedSpec>(i.Spec)?.Urls ?? [])];

    /// <summary>A batch's manifests with their mappings.</summary>
    public async Task<IReadOnlyList<ManifestEntry>> ManifestsAsync(Scope scope, long batchId, CancellationToken ct) =>
        [.. (await InputsAsync(scope, batchId, ct)).Where(i => i.SourceType == SourceTypes.Manifest).Select(i => JsonSerializer.Deserialize<ManifestEntry>(i.Spec)!)];

    /// <summary>What retention removed of a batch; null where it removed nothing.</summary>
    public async Task<PrunedBatch?> PrunedAsync(Scope scope, long batchId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.PrunedBatches.AsNoTracking().FirstOrDefaultAsync(p => p.BatchId == batchId, ct);
    }

    /// <summary>Newest first, before a number (or from the end), for one batch or one item of it, of some kinds or of all.</summary>
    public async Task<IReadOnlyList<Events.StoredEvent>> EventsAsync(
        Scope scope, long batchId, long? itemId, long? before, int take, CancellationToken ct, IReadOnlyList<string>? kinds = null)
    {
        await using var db = contexts.For(scope);
        var query = db.Events.Where(e => e.BatchId == batchId);
        if (itemId is { } item) query = query.Where(e => e.ItemId == item);
        if (kinds is not null) query = query.Where(e => kinds.Contains(e.Kind));
        if (before is { } seq) query = query.Where(e => e.Seq < seq);
        return await query.OrderByDescending(e => e.Seq).Take(take)
            .Select(e => new Events.StoredEvent(e.BatchId, e.Seq, e.At, e.Kind, e.ItemId, e.TaskId, e.Stage, e.Data)).ToListAsync(ct);
    }

    private async Task<BatchCounts> CountsAsync(Scope scope, BatchView batch, CancellationToken ct)
    {
        if (batch.FinalCounts is { } frozen && batch.State.IsFinal()) return BatchCounts.FromJson(frozen);
        return batch.Draft ? BatchCounts.None : await counts.GetAsync(scope.TenantId, batch.Id, async () =>
        {
            await using var connection = await database.OpenWebAsync(scope, ct);
            return await BatchCounts.ReadAsync(connection, batch.Id, ct);
        });
    }

    private const string LikeFailures = $"""
        SELECT * FROM ingestion.import_item
        WHERE batch_id = @batch AND (@host IS NULL OR {FailureGroups.Host} = @host) AND (@fingerprint IS NULL OR {FailureGroups.Fingerprint} = @fingerprint)
        """;

    private static NpgsqlParameter Text(string name, string? value) => new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    private static IQueryable<BatchView> Matching(IngestionDb db, BatchFilter filter)
    {
        var query = Views(db).Where(b => b.Draft == filter.Drafts);
        if (filter.CreatedBy is { } person) query = query.Where(b => b.CreatedBy == person);
        if (filter.Ids is { } ids) query = query.Where(b => ids.Contains(b.Id));
        if (filter.States is { Count: > 0 } states) query = query.Where(b => states.Contains(b.State));
        if (!string.IsNullOrWhiteSpace(filter.Text)) query = query.Where(b => EF.Functions.ILike(b.Name, $"%{Like(filter.Text)}%") || b.PublicId == filter.Text);
        if (filter.Collection is { } collection) query = query.Where(b => b.CollectionKey == collection);
        return query;
    }

    private static IQueryable<ImportItem> Matching(IngestionDb db, long batchId, ItemFilter filter)
    {
        var items = filter is { Host: null, Fingerprint: null }
            ? db.Items.Where(i => i.BatchId == batchId)
            : db.Items.FromSqlRaw(LikeFailures, new NpgsqlParameter("batch", batchId), Text("host", filter.Host), Text("fingerprint", filter.Fingerprint));
        if (filter.States is { Count: > 0 } states) items = items.Where(i => states.Contains(i.State));
        if (filter.Stage is { } stage) items = items.Where(i => i.Stage == stage && i.State == ItemState.Open);
        if (filter.ErrorCode is { } code) items = items.Where(i => i.ErrorCode == code);
        if (!string.IsNullOrWhiteSpace(filter.Text)) items = items.Where(i => EF.Functions.ILike(i.Name, $"%{Like(filter.Text)}%") || EF.Functions.ILike(i.SourceKey, $"%{Like(filter.Text)}%"));
        return items;
    }

    private static IQueryable<BatchView> Views(IngestionDb db) =>
        from b in db.Batches
        join c in db.Collections on b.CollectionId equals c.Id
        where b.DeletedAt == null
        select new BatchView
        {
            Id = b.Id, PublicId = b.PublicId, Uuid = b.Uuid, Name = b.Name, Description = b.Description, CollectionKey = c.Key, CollectionName = c.Name,
            State = b.State, DesiredState = b.DesiredState, Draft = b.Draft, Priority = b.Priority, Options = b.Options, CreatedBy = b.CreatedBy,
            CreatedAt = b.CreatedAt, StartedAt = b.StartedAt, CompletedAt = b.CompletedAt, Message = b.Message, FinalCounts = b.FinalCounts,
        };

    internal static IQueryable<ItemView> ItemViews(IngestionDb db, IQueryable<ImportItem> items) =>
        from i in items
        let task = db.TaskRuns.Where(t => t.ItemId == i.Id).OrderByDescending(t => t.Id).FirstOrDefault()
        let version = db.DocumentVersions.Where(v => v.Id == i.DocumentVersionId).FirstOrDefault()
        select new ItemView
        {
            Id = i.Id, BatchId = i.BatchId, InputId = i.InputId, ConnectionId = i.ConnectionId, SourceType = i.SourceType, SourceKey = i.SourceKey, Row = i.Row, Name = i.Name, Metadata = i.Metadata, Size = i.Size,
            State = i.State, Stage = i.Stage, Step = i.Step, ProgressCurrent = i.ProgressCurrent, ProgressTotal = i.ProgressTotal, ProgressMessage = i.ProgressMessage,
            ErrorCode = i.ErrorCode, ErrorMessage = i.ErrorMessage, ErrorDetails = i.ErrorDetails, DocumentVersionId = i.DocumentVersionId, SourceVersionId = i.SourceVersionId,
            ChunkCount = i.ChunkCount, CreatedAt = i.CreatedAt, StartedAt = i.StartedAt, CompletedAt = i.CompletedAt,
            TaskState = task == null ? null : task.State, WaitReason = task == null ? null : task.WaitReason, ScheduledAt = task == null ? null : task.ScheduledAt,
            Attempt = task == null ? 0 : task.Attempt, Failures = task == null ? 0 : task.Failures, Crashes = task == null ? 0 : task.Crashes, Title = version == null ? null : version.Title,
        };

    private sealed record PastedSpec([property: JsonPropertyName("urls")] IReadOnlyList<UrlEntry> Urls);

    private static string Like(string text) => text.Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_");
}

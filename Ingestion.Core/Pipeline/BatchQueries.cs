using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Batches as people and programs see them, one tenant at a time. Counts are counted, not stored, and shared per batch in this process
/// for a moment that grows with what counting costs.
/// </summary>
public sealed class BatchQueries(Database database, Contexts contexts, SharedCounts counts)
{
    public async Task<BatchView?> FindAsync(string tenantId, string publicId, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        var row = await Views(db).FirstOrDefaultAsync(b => b.PublicId == publicId, ct);
        return row is null ? null : row with { Counts = await CountsAsync(tenantId, row, ct) };
    }

    /// <summary>Newest first. Drafts are left out unless asked for.</summary>
    public async Task<Page<BatchView>> ListAsync(string tenantId, BatchFilter filter, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        var query = Views(db).Where(b => b.Draft == filter.Drafts);
        if (filter.States is { Count: > 0 } states) query = query.Where(b => states.Contains(b.State));
        if (!string.IsNullOrWhiteSpace(filter.Text)) query = query.Where(b => EF.Functions.ILike(b.Name, $"%{Like(filter.Text)}%") || b.PublicId == filter.Text);
        if (filter.Collection is { } collection) query = query.Where(b => b.CollectionKey == collection);
        var total = await query.CountAsync(ct);
        var rows = await query.OrderByDescending(b => b.Id).Skip(skip).Take(take).ToListAsync(ct);
        for (var i = 0; i < rows.Count; i++) rows[i] = rows[i] with { Counts = await CountsAsync(tenantId, rows[i], ct) };
        return new(rows, total);
    }

    public async Task<Page<ItemView>> ItemsAsync(string tenantId, long batchId, ItemFilter filter, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        var query = db.Items.Where(i => i.BatchId == batchId);
        if (filter.States is { Count: > 0 } states) query = query.Where(i => states.Contains(i.State));
        if (filter.Stage is { } stage) query = query.Where(i => i.Stage == stage && i.State == ItemState.Open);
        if (filter.ErrorCode is { } code) query = query.Where(i => i.ErrorCode == code);
        if (!string.IsNullOrWhiteSpace(filter.Text)) query = query.Where(i => EF.Functions.ILike(i.Name, $"%{Like(filter.Text)}%") || EF.Functions.ILike(i.SourceKey, $"%{Like(filter.Text)}%"));
        var total = await query.CountAsync(ct);
        var rows = await ItemViews(db, query.OrderBy(i => i.Id).Skip(skip).Take(take)).ToListAsync(ct);
        return new(rows, total);
    }

    public async Task<ItemView?> ItemAsync(string tenantId, long itemId, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        return await ItemViews(db, db.Items.Where(i => i.Id == itemId)).FirstOrDefaultAsync(ct);
    }

    /// <summary>Every task run of an item, oldest first: its stages, attempts and old errors.</summary>
    public async Task<IReadOnlyList<TaskRunView>> TaskRunsAsync(string tenantId, long itemId, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        return await db.TaskRuns.Where(t => t.ItemId == itemId).OrderBy(t => t.Id)
            .Select(t => new TaskRunView(t.Id, t.Stage, t.State, t.Attempt, t.Failures, t.Crashes, t.ScheduledAt, t.WaitReason, t.CreatedAt, t.ClaimedAt, t.FinishedAt, t.ErrorCode, t.ErrorMessage))
            .ToListAsync(ct);
    }

    public async Task<IReadOnlyList<ImportInput>> InputsAsync(string tenantId, long batchId, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        return await db.Inputs.AsNoTracking().Where(i => i.BatchId == batchId).OrderBy(i => i.Ordinal).ToListAsync(ct);
    }

    /// <summary>The addresses pasted into a batch, in order, as they were written.</summary>
    public async Task<IReadOnlyList<UrlEntry>> PastedAsync(string tenantId, long batchId, CancellationToken ct) =>
        [.. (await InputsAsync(tenantId, batchId, ct)).Where(i => i.SourceType == SourceTypes.Url)
            .SelectMany(i => JsonSerializer.Deserialize<PastedSpec>(i.Spec)?.Urls ?? [])];

    /// <summary>A batch's manifests with their mappings.</summary>
    public async Task<IReadOnlyList<ManifestEntry>> ManifestsAsync(string tenantId, long batchId, CancellationToken ct) =>
        [.. (await InputsAsync(tenantId, batchId, ct)).Where(i => i.SourceType == SourceTypes.Manifest).Select(i => JsonSerializer.Deserialize<ManifestEntry>(i.Spec)!)];

    /// <summary>A batch's failures grouped by code and host, largest group first.</summary>
    public async Task<IReadOnlyList<FailureGroup>> FailuresAsync(string tenantId, long batchId, CancellationToken ct)
    {
        const string sql = """
            SELECT error_code, coalesce(substring(source_key FROM '^https?://([^/?#]+)'), ''), count(*)::int, min(error_message), min(id)
            FROM ingestion.import_item
            WHERE batch_id = $1 AND state = 'failed'
            GROUP BY 1, 2
            ORDER BY 3 DESC, 1, 2
            LIMIT 200
            """;
        await using var connection = await database.OpenWebAsync(tenantId, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = batchId } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var groups = new List<FailureGroup>();
        while (await r.ReadAsync(ct)) groups.Add(new(r.GetString(0), r.GetString(1), r.GetInt32(2), r.IsDBNull(3) ? "" : r.GetString(3), r.GetInt64(4)));
        return groups;
    }

    /// <summary>Newest first, before a number (or from the end), for one batch or one item of it.</summary>
    public async Task<IReadOnlyList<Events.StoredEvent>> EventsAsync(string tenantId, long batchId, long? itemId, long? before, int take, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        var query = db.Events.Where(e => e.BatchId == batchId);
        if (itemId is { } item) query = query.Where(e => e.ItemId == item);
        if (before is { } seq) query = query.Where(e => e.Seq < seq);
        return await query.OrderByDescending(e => e.Seq).Take(take)
            .Select(e => new Events.StoredEvent(e.BatchId, e.Seq, e.At, e.Kind, e.ItemId, e.TaskId, e.Stage, e.Data)).ToListAsync(ct);
    }

    private async Task<BatchCounts> CountsAsync(string tenantId, BatchView batch, CancellationToken ct)
    {
        if (batch.FinalCounts is { } frozen && batch.State.IsFinal()) return BatchCounts.FromJson(frozen);
        return batch.Draft ? BatchCounts.None : await counts.GetAsync(batch.Id, async () =>
        {
            await using var connection = await database.OpenWebAsync(tenantId, ct);
            return await BatchCounts.ReadAsync(connection, batch.Id, ct);
        });
    }

    private static IQueryable<BatchView> Views(IngestionDb db) =>
        from b in db.Batches
        join c in db.Collections on b.CollectionId equals c.Id
        where b.DeletedAt == null
        select new BatchView
        {
            Id = b.Id, PublicId = b.PublicId, Name = b.Name, Description = b.Description, CollectionKey = c.Key, CollectionName = c.Name,
            State = b.State, DesiredState = b.DesiredState, Draft = b.Draft, Priority = b.Priority, Options = b.Options, CreatedBy = b.CreatedBy,
            CreatedAt = b.CreatedAt, StartedAt = b.StartedAt, CompletedAt = b.CompletedAt, Message = b.Message, FinalCounts = b.FinalCounts,
        };

    private static IQueryable<ItemView> ItemViews(IngestionDb db, IQueryable<ImportItem> items) =>
        from i in items
        let task = db.TaskRuns.Where(t => t.ItemId == i.Id).OrderByDescending(t => t.Id).FirstOrDefault()
        let version = db.DocumentVersions.Where(v => v.Id == i.DocumentVersionId).FirstOrDefault()
        select new ItemView
        {
            Id = i.Id, BatchId = i.BatchId, SourceType = i.SourceType, SourceKey = i.SourceKey, Row = i.Row, Name = i.Name, Metadata = i.Metadata, Size = i.Size,
            State = i.State, Stage = i.Stage, Step = i.Step, ProgressCurrent = i.ProgressCurrent, ProgressTotal = i.ProgressTotal, ProgressMessage = i.ProgressMessage,
            ErrorCode = i.ErrorCode, ErrorMessage = i.ErrorMessage, ErrorDetails = i.ErrorDetails, DocumentVersionId = i.DocumentVersionId, SourceVersionId = i.SourceVersionId,
            ChunkCount = i.ChunkCount, CreatedAt = i.CreatedAt, StartedAt = i.StartedAt, CompletedAt = i.CompletedAt,
            TaskState = task == null ? null : task.State, WaitReason = task == null ? null : task.WaitReason, ScheduledAt = task == null ? null : task.ScheduledAt,
            Failures = task == null ? 0 : task.Failures, Title = version == null ? null : version.Title,
        };

    private sealed record PastedSpec([property: JsonPropertyName("urls")] IReadOnlyList<UrlEntry> Urls);

    private static string Like(string text) => text.Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_");
}

/// <summary>Counts of running batches, shared by everybody who looks: read again after the larger of 500 ms and 20 times what reading took.</summary>
public sealed class SharedCounts(TimeProvider time)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<long, Entry> _entries = new();

    public async Task<BatchCounts> GetAsync(long batchId, Func<Task<BatchCounts>> read)
    {
        var entry = _entries.GetOrAdd(batchId, _ => new());
        await entry.Gate.WaitAsync();
        try
        {
            if (entry.Counts is { } fresh && time.GetElapsedTime(entry.ReadAt) < entry.Keep) return fresh;
            var started = Stopwatch.GetTimestamp();
            entry.Counts = await read();
            var cost = Stopwatch.GetElapsedTime(started);
            entry.Keep = cost * 20 > Shortest ? cost * 20 : Shortest;
            entry.ReadAt = time.GetTimestamp();
            if (_entries.Count > 1000) foreach (var old in _entries.Where(e => time.GetElapsedTime(e.Value.ReadAt) > TimeSpan.FromMinutes(5)).ToList()) _entries.TryRemove(old);
            return entry.Counts;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    private sealed class Entry
    {
        public readonly SemaphoreSlim Gate = new(1, 1);
        public BatchCounts? Counts;
        public long ReadAt;
        public TimeSpan Keep;
    }
}

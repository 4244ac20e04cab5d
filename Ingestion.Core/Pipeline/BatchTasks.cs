using System.Runtime.CompilerServices;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>An input that is, or was, listed: a manifest, a site, a folder.</summary>
/// <param name="TaskState">Of its newest listing.</param>
public sealed record ListingView(
    long InputId, string SourceType, string Spec, int Discovered, ItemState State, TaskState? TaskState, int Attempt, int Failures, int Crashes,
    string? ErrorCode, string? ErrorMessage, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt)
{
    /// <summary>Where the listing stands, in the words of documents.</summary>
    public ItemStanding Standing => ItemStandings.Of(new()
    {
        SourceType = SourceType, SourceKey = "", Name = "", Metadata = "", State = State, TaskState = TaskState, Failures = Failures, Crashes = Crashes, Stage = Stage.Acquire,
    });
}

/// <summary>Documents, or listings, whose newest task within some stages is in one state.</summary>
/// <param name="Part">Index into the parts that were asked for.</param>
/// <param name="Again">An attempt of it has failed before.</param>
public sealed record PartCount(int Part, TaskState State, bool Again, int Count, DateTimeOffset CreatedAt, DateTimeOffset? FirstClaimedAt, DateTimeOffset? LastFinishedAt);

/// <summary>A batch seen as work: its listings, its documents, and how far each group of stages is.</summary>
public sealed class BatchTasks(Database database, Contexts contexts)
{
    private const int Slice = 1000;

    /// <summary>Inputs that have something to list, in order.</summary>
    public async Task<IReadOnlyList<ListingView>> ListingsAsync(Scope scope, long batchId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var rows = await (
            from i in db.Inputs
            let task = db.TaskRuns.Where(t => t.InputId == i.Id).OrderByDescending(t => t.Id).FirstOrDefault()
            where i.BatchId == batchId && task != null
            orderby i.Ordinal
            select new { Input = i, Task = task }).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(r => new ListingView(r.Input.Id, r.Input.SourceType, r.Input.Spec, r.Input.Discovered, r.Input.State, r.Task.State, r.Task.Attempt, r.Task.Failures, r.Task.Crashes,
            r.Input.ErrorCode, r.Input.ErrorMessage, r.Task.CreatedAt, r.Task.ClaimedAt, r.Input.CompletedAt))];
    }

    /// <summary>Documents in the order in which they became known.</summary>
    /// <param name="standings">Only these; null for all.</param>
    /// <param name="stages">Only those in, or ended in, these stages; null for all.</param>
    public async Task<Page<ItemView>> ItemsAsync(
        Scope scope, long batchId, IReadOnlyCollection<ItemStanding>? standings, IReadOnlyCollection<Stage>? stages, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var items = db.Items.Where(i => i.BatchId == batchId);
        if (stages is not null) items = items.Where(i => stages.Contains(i.Stage));
        var views = BatchQueries.ItemViews(db, items);
        if (standings is not null) views = views.Where(ItemStandings.In(standings));
        var total = await views.CountAsync(ct);
        return new(take == 0 ? [] : await views.OrderBy(i => i.Id).Skip(skip).Take(take).ToListAsync(ct), total);
    }

    /// <summary>Every document, a slice of them in memory at a time.</summary>
    public async IAsyncEnumerable<ItemView> AllAsync(Scope scope, long batchId, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0L; ;)
        {
            List<ItemView> rows;
            await using (var db = contexts.For(scope))
                rows = await BatchQueries.ItemViews(db, db.Items.Where(i => i.BatchId == batchId && i.Id > after).OrderBy(i => i.Id).Take(Slice)).ToListAsync(ct);
            foreach (var row in rows.OrderBy(r => r.Id)) yield return row;
            if (rows.Count < Slice) yield break;
            after = rows.Max(r => r.Id);
        }
    }

    /// <summary>Names that the batch's documents have values for, in order; at most <paramref name="most"/>.</summary>
    public async Task<IReadOnlyList<string>> MetadataNamesAsync(Scope scope, long batchId, int most, CancellationToken ct)
    {
        const string sql = "SELECT DISTINCT m.key FROM ingestion.import_item i, jsonb_object_keys(i.metadata) AS m (key) WHERE i.batch_id = @batch ORDER BY m.key LIMIT @most";
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), new("most", most) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var names = new List<string>();
        while (await r.ReadAsync(ct)) names.Add(r.GetString(0));
        return names;
    }

    /// <summary>Names of the uploaded manifests of these batches.</summary>
    public async Task<ILookup<long, string>> ManifestsAsync(Scope scope, IReadOnlyCollection<long> batches, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return (await db.Uploads.Where(u => u.BatchId != null && batches.Contains(u.BatchId.Value) && u.Purpose == "manifest").OrderBy(u => u.Id).Select(u => new { u.BatchId, u.Path }).ToListAsync(ct))
            .ToLookup(u => u.BatchId!.Value, u => u.Path);
    }

    /// <summary>How far a batch is in each part of its way; parts that nothing has reached are left out.</summary>
    /// <param name="parts">Stages that count as one; a document counts once in each part, by its newest task there.</param>
    public async Task<IReadOnlyList<PartCount>> PartsAsync(Scope scope, long batchId, IReadOnlyList<IReadOnlyCollection<Stage>> parts, CancellationToken ct)
    {
        const string sql = """
            SELECT n.part, n.state, n.again, count(*)::int, min(n.created_at), min(n.claimed_at), max(n.finished_at)
            FROM (
                SELECT DISTINCT ON (p.part, coalesce(t.item_id, -t.input_id)) p.part, t.state, t.failures + t.crashes > 0 AS again, t.created_at, t.claimed_at, t.finished_at
                FROM ingestion.import_task_run t JOIN unnest(@stages, @parts) AS p (stage, part) ON p.stage = t.stage
                WHERE t.batch_id = @batch
                ORDER BY p.part, coalesce(t.item_id, -t.input_id), t.id DESC
            ) n
            GROUP BY n.part, n.state, n.again
            ORDER BY n.part, n.state, n.again
            """;
        var pairs = parts.SelectMany((stages, part) => stages.Select(s => (Stage: s.Word(), Part: part))).ToList();
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("stages", pairs.Select(p => p.Stage).ToArray()),
                new("parts", NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = pairs.Select(p => p.Part).ToArray() },
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var counts = new List<PartCount>();
        while (await r.ReadAsync(ct))
            counts.Add(new(r.GetInt32(0), StateWords.Parse<TaskState>(r.GetString(1)), r.GetBoolean(2), r.GetInt32(3), r.GetFieldValue<DateTimeOffset>(4), Time(r, 5), Time(r, 6)));
        return counts;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetFieldValue<DateTimeOffset>(i);
}

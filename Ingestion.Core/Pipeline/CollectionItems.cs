using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Pipeline;

/// <summary>What a list of a collection's items is ordered by.</summary>
public enum ItemOrder
{
    Created,
    /// <summary>When it last began or ended.</summary>
    Updated,
    /// <summary>In the order of an item's life: waiting, at work, well ended, failed, cancelled.</summary>
    Standing,
    Name,
    Size,
}

/// <summary>An item with where it came from and when it last changed.</summary>
public sealed record CollectionItem(ItemView Item, string BatchId, BatchState BatchState, string Options);

/// <summary>A collection's number and key.</summary>
public sealed record CollectionRef(long Id, string Key);

/// <summary>Items of a collection over all its batches; those of drafts and of deleted batches are left out.</summary>
public sealed class CollectionItems(Contexts contexts)
{
    /// <summary>By number, else by key; null where there is none in reach.</summary>
    public async Task<CollectionRef?> CollectionAsync(Scope scope, string idOrKey, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var collections = long.TryParse(idOrKey, out var id) ? db.Collections.Where(c => c.Id == id) : db.Collections.Where(c => c.Key == idOrKey);
        return await collections.Select(c => new CollectionRef(c.Id, c.Key)).FirstOrDefaultAsync(ct);
    }

    public async Task<Page<CollectionItem>> ListAsync(
        Scope scope, long collectionId, IReadOnlyCollection<ItemStanding>? standings, ItemOrder order, bool descending, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var views = BatchQueries.ItemViews(db, Items(db, collectionId));
        if (standings is not null) views = views.Where(ItemStandings.In(standings));
        var total = await views.CountAsync(ct);
        var rows = await Ordered(views, order, descending).Skip(skip).Take(take).ToListAsync(ct);
        return new(await WithBatchesAsync(db, rows, ct), total);
    }

    public async Task<CollectionItem?> FindAsync(Scope scope, long collectionId, long itemId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var row = await BatchQueries.ItemViews(db, Items(db, collectionId).Where(i => i.Id == itemId)).FirstOrDefaultAsync(ct);
        return row is null ? null : (await WithBatchesAsync(db, [row], ct))[0];
    }

    /// <summary>The items of one batch, in order.</summary>
    public async Task<IReadOnlyList<CollectionItem>> OfBatchAsync(Scope scope, long batchId, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var rows = await BatchQueries.ItemViews(db, db.Items.Where(i => i.BatchId == batchId).OrderBy(i => i.Id).Take(take)).ToListAsync(ct);
        return await WithBatchesAsync(db, [.. rows.OrderBy(r => r.Id)], ct);
    }

    /// <summary>How many items stand where.</summary>
    public async Task<IReadOnlyDictionary<ItemStanding, int>> CountAsync(Scope scope, long collectionId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var items = Items(db, collectionId);
        var counts = (await items.Where(i => i.State != ItemState.Open).GroupBy(i => i.State).Select(g => new { g.Key, Count = g.Count() }).ToListAsync(ct))
            .ToDictionary(g => ItemStandings.Of(new() { SourceType = "", SourceKey = "", Name = "", Metadata = "", State = g.Key }), g => g.Count);
        var open = await (
            from i in items.Where(i => i.State == ItemState.Open)
            join t in db.TaskRuns.Where(t => t.State == TaskState.Ready || t.State == TaskState.Running || t.State == TaskState.Blocked) on i.Id equals t.ItemId
            group i by new { i.Stage, t.State, Again = t.Failures + t.Crashes > 0 } into g
            select new { g.Key.Stage, g.Key.State, g.Key.Again, Count = g.Count() }).ToListAsync(ct);
        foreach (var group in open)
        {
            var standing = ItemStandings.Of(new() { SourceType = "", SourceKey = "", Name = "", Metadata = "", Stage = group.Stage, TaskState = group.State, Failures = group.Again ? 1 : 0 });
            counts[standing] = counts.GetValueOrDefault(standing) + group.Count;
        }
        return counts;
    }

    private static IQueryable<ImportItem> Items(IngestionDb db, long collectionId) =>
        db.Items.Where(i => db.Batches.Any(b => b.Id == i.BatchId && b.CollectionId == collectionId && !b.Draft && b.DeletedAt == null));

    private static IQueryable<ItemView> Ordered(IQueryable<ItemView> views, ItemOrder order, bool descending) => (order, descending) switch
    {
        // Numbers grow in the order of creation.
        (ItemOrder.Created, false) => views.OrderBy(i => i.Id),
        (ItemOrder.Created, true) => views.OrderByDescending(i => i.Id),
        (ItemOrder.Updated, false) => views.OrderBy(i => i.CompletedAt ?? i.StartedAt ?? i.CreatedAt).ThenBy(i => i.Id),
        (ItemOrder.Updated, true) => views.OrderByDescending(i => i.CompletedAt ?? i.StartedAt ?? i.CreatedAt).ThenByDescending(i => i.Id),
        (ItemOrder.Name, false) => views.OrderBy(i => i.Name).ThenBy(i => i.Id),
        (ItemOrder.Name, true) => views.OrderByDescending(i => i.Name).ThenByDescending(i => i.Id),
        (ItemOrder.Size, false) => views.OrderBy(i => i.Size ?? 0).ThenBy(i => i.Id),
        (ItemOrder.Size, true) => views.OrderByDescending(i => i.Size ?? 0).ThenByDescending(i => i.Id),
        (_, false) => views.OrderBy(Rank).ThenBy(i => i.Id),
        _ => views.OrderByDescending(Rank).ThenByDescending(i => i.Id),
    };

    private static readonly System.Linq.Expressions.Expression<Func<ItemView, int>> Rank = i =>
        i.State == ItemState.Open ? (i.TaskState == TaskState.Ready && i.Stage == Stage.Acquire && i.Failures + i.Crashes == 0 ? 0 : 1)
        : i.State == ItemState.Done || i.State == ItemState.Skipped ? 2
        : i.State == ItemState.Cancelled ? 4 : 3;

    private static async Task<IReadOnlyList<CollectionItem>> WithBatchesAsync(IngestionDb db, List<ItemView> rows, CancellationToken ct)
    {
        var ids = rows.Select(r => r.BatchId).Distinct().ToList();
        var batches = await db.Batches.Where(b => ids.Contains(b.Id)).Select(b => new { b.Id, b.PublicId, b.State, b.Options }).ToDictionaryAsync(b => b.Id, ct);
        return [.. rows.Select(r => new CollectionItem(r, batches[r.BatchId].PublicId, batches[r.BatchId].State, batches[r.BatchId].Options))];
    }
}

using Ingestion.Core.Access;
using System.Globalization;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline.Verify;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Admin.Components.Pages.Operations;

/// <summary>Where a row that a check found can be looked at: the page of its batch, item or document. Rows of other tenants have none.</summary>
internal sealed class SubjectLinks(Contexts contexts)
{
    /// <summary>Addresses by <see cref="Violation.Subject"/>; those without a page are left out.</summary>
    public async Task<IReadOnlyDictionary<string, string>> FindAsync(Scope scope, IEnumerable<Violation> violations, CancellationToken ct)
    {
        var named = violations.Select(v => v.Subject).Distinct().Select(s => (Subject: s, Parts: s.Split(' '))).Where(s => s.Parts.Length == 2).ToLookup(s => s.Parts[0], s => s.Parts[1]);
        var links = new Dictionary<string, string>();
        await using var db = contexts.For(scope);

        var batches = named["batch"].ToList();
        foreach (var id in await db.Batches.Where(b => batches.Contains(b.PublicId)).Select(b => b.PublicId).ToListAsync(ct)) links[$"batch {id}"] = $"/batches/{id}";
        var items = Ids(named["item"]);
        foreach (var i in await db.Items.Where(i => items.Contains(i.Id)).Join(db.Batches, i => i.BatchId, b => b.Id, (i, b) => new { i.Id, b.PublicId }).ToListAsync(ct))
            links[$"item {i.Id}"] = $"/batches/{i.PublicId}/items/{i.Id}";
        var tasks = Ids(named["task"]);
        foreach (var t in await db.TaskRuns.Where(t => tasks.Contains(t.Id)).Join(db.Batches, t => t.BatchId, b => b.Id, (t, b) => new { t.Id, t.ItemId, b.PublicId }).ToListAsync(ct))
            links[$"task {t.Id}"] = t.ItemId is { } item ? $"/batches/{t.PublicId}/items/{item}" : $"/batches/{t.PublicId}";
        var inputs = Ids(named["input"]);
        foreach (var n in await db.Inputs.Where(n => inputs.Contains(n.Id)).Join(db.Batches, n => n.BatchId, b => b.Id, (n, b) => new { n.Id, b.PublicId }).ToListAsync(ct))
            links[$"input {n.Id}"] = $"/batches/{n.PublicId}";
        var versions = Ids(named["version"]);
        foreach (var v in await db.DocumentVersions.Where(v => versions.Contains(v.Id)).Select(v => new { v.Id, v.DocumentId }).ToListAsync(ct))
            links[$"version {v.Id}"] = $"/documents/{v.DocumentId}";
        var chunks = Ids(named["chunk"]);
        foreach (var c in await db.Chunks.Where(c => chunks.Contains(c.Id)).Join(db.DocumentVersions, c => c.DocumentVersionId, v => v.Id, (c, v) => new { c.Id, v.DocumentId }).ToListAsync(ct))
            links[$"chunk {c.Id}"] = $"/documents/{c.DocumentId}";
        return links;
    }

    private static List<long> Ids(IEnumerable<string> numbers) =>
        [.. numbers.Select(n => long.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0).Where(id => id > 0)];
}

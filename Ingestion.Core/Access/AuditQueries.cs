using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>What of the audit log is asked for; null and empty mean everything.</summary>
/// <param name="Text">Part of what it was done to, or of the reason.</param>
public sealed record AuditFilter(string? Who = null, string? Action = null, string? Text = null, DateTimeOffset? From = null, DateTimeOffset? To = null);

/// <summary>An entry as people read it.</summary>
/// <param name="Person">The account's name, where the id is one.</param>
public sealed record AuditView(long Id, DateTimeOffset At, string Who, string? Person, string Action, string Target, string? Reason, string? Data, string? Address);

/// <summary>The audit log of a tenant, newest first.</summary>
public sealed class AuditQueries(Contexts contexts)
{
    public async Task<Page<AuditView>> ListAsync(string tenantId, AuditFilter filter, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var query = Matching(db, tenantId, filter);
        return new(await Views(db, query).Skip(skip).Take(take).ToListAsync(ct), await query.CountAsync(ct));
    }

    /// <summary>Every entry that matches, one after the other, for an export.</summary>
    public async IAsyncEnumerable<AuditView> AllAsync(string tenantId, AuditFilter filter, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await foreach (var entry in Views(db, Matching(db, tenantId, filter)).AsAsyncEnumerable().WithCancellation(ct)) yield return entry;
    }

    /// <summary>The verbs that occur in a tenant's log, by name.</summary>
    public async Task<IReadOnlyList<string>> ActionsAsync(string tenantId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Audit.Where(a => a.TenantId == tenantId).Select(a => a.Action).Distinct().OrderBy(a => a).ToListAsync(ct);
    }

    private static IQueryable<AuditEntry> Matching(IngestionDb db, string tenantId, AuditFilter filter)
    {
        var query = db.Audit.AsNoTracking().Where(a => a.TenantId == tenantId);
        if (!string.IsNullOrWhiteSpace(filter.Who))
        {
            var who = Like(filter.Who);
            query = query.Where(a => a.Who == filter.Who || db.Accounts.Any(p => p.Id == a.Who && (EF.Functions.ILike(p.Name, who) || EF.Functions.ILike(p.UserName, who))));
        }
        if (!string.IsNullOrEmpty(filter.Action)) query = query.Where(a => a.Action == filter.Action);
        if (!string.IsNullOrWhiteSpace(filter.Text))
        {
            var text = Like(filter.Text);
            query = query.Where(a => EF.Functions.ILike(a.Target, text) || EF.Functions.ILike(a.Reason!, text));
        }
        if (filter.From is { } from) query = query.Where(a => a.At >= from);
        if (filter.To is { } to) query = query.Where(a => a.At < to);
        return query;
    }

    private static IQueryable<AuditView> Views(IngestionDb db, IQueryable<AuditEntry> rows) =>
        from a in rows
        orderby a.At descending, a.Id descending
        select new AuditView(a.Id, a.At, a.Who, db.Accounts.Where(p => p.Id == a.Who).Select(p => p.Name).FirstOrDefault(), a.Action, a.Target, a.Reason, a.Data, a.Address);

    private static string Like(string text) => $"%{text.Trim().Replace("\\", @"\\").Replace("%", @"\%").Replace("_", @"\_")}%";
}

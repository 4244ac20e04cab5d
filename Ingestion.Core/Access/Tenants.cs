using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using System.Text.RegularExpressions;

namespace Ingestion.Core.Access;

/// <summary>A tenant as the installation's owner sees it.</summary>
public sealed record TenantView(string Id, string Name, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt, int Members, int Batches);

/// <summary>Tenants: made with a default collection, disabled and enabled. A disabled one keeps its rows and lets nobody in.</summary>
public sealed partial class Tenants(Contexts contexts, TimeProvider time)
{
    public const int MaxName = 100;

    public async Task<IReadOnlyList<TenantView>> ListAsync(CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Tenants.OrderBy(t => t.Id != Tenant.Default).ThenBy(t => t.Id)
            .Select(t => new TenantView(t.Id, t.Name, t.CreatedAt, t.DisabledAt, db.Memberships.Count(m => m.TenantId == t.Id), db.Batches.Count(b => b.TenantId == t.Id && !b.Draft && b.DeletedAt == null)))
            .ToListAsync(ct);
    }

    /// <summary>What is wrong with a new tenant's id or name; null where nothing is.</summary>
    public static string? Problem(string id, string name) =>
        !Word().IsMatch(id) ? "id must be lower-case letters, digits and “-”, begin with a letter or digit and have at most 63 characters."
        : name.Trim() is not { Length: > 0 and <= MaxName } given || given.Any(char.IsControl) ? $"name must be one line of 1 to {MaxName} characters."
        : null;

    /// <summary>False where the id is taken. Throws <c>invalid_option</c> for an id or name that does not fit.</summary>
    public async Task<bool> CreateAsync(Actor actor, string id, string name, CancellationToken ct)
    {
        if (Problem(id, name) is { } problem) throw new IngestionException(ErrorCodes.InvalidOption, problem);
        await using var db = contexts.Worker();
        if (await db.Tenants.AnyAsync(t => t.Id == id, ct)) return false;
        db.Tenants.Add(new() { Id = id, Name = name.Trim(), CreatedAt = time.GetUtcNow() });
        db.Collections.Add(new() { TenantId = id, Key = Collection.DefaultKey, Name = "Default", Description = "Where documents go unless a batch says otherwise." });
        db.Add(actor, "create_tenant", $"tenant {id}", new { Name = name.Trim() });
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>False where there is no such tenant. The default one is always enabled: the installation's owner comes in there.</summary>
    public async Task<bool> SetDisabledAsync(Actor actor, string id, bool disabled, CancellationToken ct)
    {
        if (id == Tenant.Default && disabled) throw new IngestionException(ErrorCodes.InvalidOption, "The default tenant cannot be disabled.");
        await using var db = contexts.Worker();
        if (await db.Tenants.FirstOrDefaultAsync(t => t.Id == id, ct) is not { } tenant) return false;
        tenant.DisabledAt = disabled ? tenant.DisabledAt ?? time.GetUtcNow() : null;
        db.Add(actor, disabled ? "disable_tenant" : "enable_tenant", $"tenant {id}");
        await db.SaveChangesAsync(ct);
        return true;
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex Word();
}

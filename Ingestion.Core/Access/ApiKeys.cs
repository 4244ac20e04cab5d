using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>A key as people see it: never the key itself.</summary>
public sealed record ApiKeyView(
    string Id, string Name, string Prefix, KeyScope Scope, string AccountId, string Person, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

/// <summary>Keys of programs. A key is shown once, when it is made; it can do no more than the person it belongs to.</summary>
public sealed class ApiKeys(Contexts contexts, TimeProvider time)
{
    /// <summary>How every key begins, so that people and scanners know one when they see it.</summary>
    public const string Prefix = "ing_";

    public const int MaxName = 100;

    private const int ShownCharacters = 12;

    /// <summary>Makes a key of the actor's own and returns it: this once. Throws <c>invalid_option</c> for a name or expiry that does not fit.</summary>
    public async Task<(ApiKeyView View, string Key)> CreateAsync(Actor actor, string name, KeyScope scope, DateTimeOffset? expires, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (name.Trim() is not { Length: > 0 and <= MaxName } given || given.Any(char.IsControl)) throw new IngestionException(ErrorCodes.InvalidOption, $"name must be one line of 1 to {MaxName} characters: what the key is for.");
        if (expires <= now) throw new IngestionException(ErrorCodes.InvalidOption, "expires_at must lie in the future.");
        var key = AccessToken.New(Prefix);
        var row = new ApiKey
        {
            Id = PublicId.New("key_"), TenantId = actor.TenantId, AccountId = actor.Name, Name = given, Prefix = key[..ShownCharacters], Hash = AccessToken.Hash(key),
            Scope = scope, CreatedAt = now, ExpiresAt = expires?.ToUniversalTime(),
        };
        await using var db = contexts.Worker();
        db.ApiKeys.Add(row);
        db.Add(actor, "create_key", $"key {row.Id}", new { row.Name, row.Prefix, Scope = scope.Word(), row.ExpiresAt });
        await db.SaveChangesAsync(ct);
        return (new(row.Id, row.Name, row.Prefix, scope, actor.Name, "", now, row.ExpiresAt, null), key);
    }

    /// <summary>Keys in force and expired ones, newest first: of one account, or of everybody in the tenant.</summary>
    public async Task<IReadOnlyList<ApiKeyView>> ListAsync(string tenantId, string? accountId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await (
            from k in db.ApiKeys
            join a in db.Accounts on k.AccountId equals a.Id
            where k.TenantId == tenantId && k.RevokedAt == null && (accountId == null || k.AccountId == accountId)
            orderby k.CreatedAt descending, k.Id
            select new ApiKeyView(k.Id, k.Name, k.Prefix, k.Scope, a.Id, a.Name, k.CreatedAt, k.ExpiresAt, k.LastUsedAt)).Take(500).ToListAsync(ct);
    }

    /// <summary>Revokes a key of the actor's own, or (<paramref name="anybodys"/>) of anybody in the tenant. False where there is none.</summary>
    public async Task<bool> RevokeAsync(Actor actor, string keyId, bool anybodys, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var revoked = await db.ApiKeys
            .Where(k => k.Id == keyId && k.TenantId == actor.TenantId && k.RevokedAt == null && (anybodys || k.AccountId == actor.Name))
            .ExecuteUpdateAsync(u => u.SetProperty(k => k.RevokedAt, now), ct);
        if (revoked == 0) return false;
        db.Add(actor, "revoke_key", $"key {keyId}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }
}

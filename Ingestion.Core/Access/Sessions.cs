using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>A signed-in browser as people see it.</summary>
public sealed record SessionView(
    string Id, string AccountId, string Person, string TenantId, string Method, string? Address, string? Browser, DateTimeOffset CreatedAt, DateTimeOffset LastSeenAt);

/// <summary>Browsers that are signed in: begun at sign-in, listed, ended by the person or an administrator. An ended one is gone at once.</summary>
public sealed class Sessions(Contexts contexts, TimeProvider time)
{
    private const int MaxBrowser = 300;

    /// <summary>Begins a session and returns the token that its cookie holds. The one place where it exists.</summary>
    /// <param name="tenantId">The tenant to look at first.</param>
    /// <param name="providerToken">Sealed; handed back to the provider at sign-out.</param>
    public async Task<string> BeginAsync(Actor actor, string method, string? browser, TimeSpan lifetime, CancellationToken ct, string? providerToken = null)
    {
        var token = AccessToken.New();
        var now = time.GetUtcNow();
        await using var db = contexts.Worker();
        // What has ended by itself is tidied here: there is always somebody who signs in.
        await db.Sessions.Where(s => s.EndsAt < now).ExecuteDeleteAsync(ct);
        db.Sessions.Add(new()
        {
            Id = PublicId.New("ses_"), TokenHash = AccessToken.Hash(token), AccountId = actor.Name, TenantId = actor.TenantId, Method = method, Address = actor.Address,
            Browser = browser is { Length: > MaxBrowser } ? browser[..MaxBrowser] : browser, ProviderToken = providerToken, CreatedAt = now, LastSeenAt = now, EndsAt = now + lifetime,
        });
        await db.Accounts.Where(a => a.Id == actor.Name).ExecuteUpdateAsync(u => u.SetProperty(a => a.LastSignInAt, now), ct);
        db.Add(actor, "sign_in", $"account {actor.Name}", new { method });
        await db.SaveChangesAsync(ct);
        return token;
    }

    /// <summary>Newest use first: those of one account, or of everybody in a tenant.</summary>
    public async Task<IReadOnlyList<SessionView>> ListAsync(string tenantId, string? accountId, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = contexts.Worker();
        return await (
            from s in db.Sessions
            join a in db.Accounts on s.AccountId equals a.Id
            where s.EndsAt > now && (accountId == null ? s.TenantId == tenantId : s.AccountId == accountId)
            orderby s.LastSeenAt descending, s.Id
            select new SessionView(s.Id, a.Id, a.Name, s.TenantId, s.Method, s.Address, s.Browser, s.CreatedAt, s.LastSeenAt)).Take(500).ToListAsync(ct);
    }

    /// <summary>Ends a session of the actor's own, or (<paramref name="anybodys"/>) of anybody in the tenant. False where there is none.</summary>
    public Task<bool> EndAsync(Actor actor, string sessionId, bool anybodys, CancellationToken ct) =>
        EndAsync(actor, s => s.Id == sessionId && (s.AccountId == actor.Name || (anybodys && s.TenantId == actor.TenantId)), $"session {sessionId}", ct);

    /// <summary>Ends every session of the actor but one.</summary>
    public Task<bool> EndOthersAsync(Actor actor, string keep, CancellationToken ct) =>
        EndAsync(actor, s => s.AccountId == actor.Name && s.Id != keep, $"other sessions of account {actor.Name}", ct);

    /// <summary>Looks at another tenant from now on. False where the account may not.</summary>
    public async Task<bool> SwitchAsync(Actor actor, string sessionId, string tenantId, Callers callers, CancellationToken ct)
    {
        if (await callers.OfAccountAsync(actor.Name, tenantId, ct) is null) return false;
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Sessions.Where(s => s.Id == sessionId && s.AccountId == actor.Name).ExecuteUpdateAsync(u => u.SetProperty(s => s.TenantId, tenantId), ct) == 0) return false;
        db.Add(actor with { TenantId = tenantId }, "switch_tenant", $"tenant {tenantId}", new { before = actor.TenantId });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>The sealed token that a provider gave at a session's sign-in; null where it gave none.</summary>
    public async Task<string?> ProviderTokenAsync(string sessionId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Sessions.Where(s => s.Id == sessionId).Select(s => s.ProviderToken).FirstOrDefaultAsync(ct);
    }

    private async Task<bool> EndAsync(Actor actor, System.Linq.Expressions.Expression<Func<UserSession, bool>> which, string target, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.Sessions.Where(which).ExecuteDeleteAsync(ct) == 0) return false;
        db.Add(actor, "end_session", target);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }
}

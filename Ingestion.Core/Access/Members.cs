using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>A member of a tenant as its administrators see them.</summary>
public sealed record MemberView(
    string Id, string UserName, string Name, Role Role, Narrowing Narrowing, bool Owner, bool ByProvider, bool HasPassword, int Passkeys,
    DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, DateTimeOffset? DisabledAt);

/// <summary>The people of a tenant: what each is there, and who is let in at all. Every change is an audit entry with old and new.</summary>
public sealed class Members(Contexts contexts, TimeProvider time)
{
    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<MemberView>> ListAsync(string tenantId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var rows = await (
            from m in db.Memberships
            join a in db.Accounts on m.AccountId equals a.Id
            where m.TenantId == tenantId
            orderby a.Name, a.Id
            select new { Member = m, Account = a, Passkeys = db.Passkeys.Count(p => p.AccountId == a.Id) }).Take(1000).ToListAsync(ct);
        return [.. rows.Select(r => new MemberView(r.Account.Id, r.Account.UserName, r.Account.Name, r.Account.Owner ? Role.Administrator : r.Member.Role, r.Member.Narrowing, r.Account.Owner,
            r.Member.ByProvider, r.Account.PasswordHash is not null, r.Passkeys, r.Account.CreatedAt, r.Account.LastSignInAt, r.Account.DisabledAt))];
    }

    public async Task<MemberView?> FindAsync(string tenantId, string accountId, CancellationToken ct) =>
        (await ListAsync(tenantId, ct)).FirstOrDefault(m => m.Id == accountId);

    /// <summary>True for somebody with a membership of the tenant.</summary>
    public async Task<bool> HasAsync(string tenantId, string accountId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Memberships.AnyAsync(m => m.TenantId == tenantId && m.AccountId == accountId, ct);
    }

    /// <summary>Names of accounts by id, for records that say who asked; unknown ids are left out.</summary>
    public async Task<IReadOnlyDictionary<string, string>> NamesAsync(IReadOnlyCollection<string> ids, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Accounts.Where(a => ids.Contains(a.Id)).ToDictionaryAsync(a => a.Id, a => a.Name, ct);
    }

    /// <summary>Changes role and reach. Not done for an owner, for oneself, and where the person is no member.</summary>
    public Task<ControlResult> SetRoleAsync(Actor actor, string accountId, Role role, Narrowing narrowing, CancellationToken ct) => ChangeAsync(actor, accountId, (db, member, account) =>
    {
        if (account.Owner) return "The owner is an administrator everywhere; take the ownership away first.";
        if (account.Id == actor.Name) return "Nobody changes their own role; ask another administrator.";
        db.Add(actor, "set_role", $"account {account.Id}", new { Before = Shown(member.Role, member.Narrowing), After = Shown(role, narrowing) });
        (member.Role, member.Collections, member.Connections, member.OwnBatches) = (role, narrowing.Collections?.ToList(), narrowing.Connections?.ToList(), narrowing.OwnBatches);
        return null;
    }, "The role is changed; open pages follow within seconds.", ct);

    /// <summary>Takes the person out of the tenant. What they did stays; their keys there are dead.</summary>
    public Task<ControlResult> RemoveAsync(Actor actor, string accountId, CancellationToken ct) => ChangeAsync(actor, accountId, (db, member, account) =>
    {
        if (account.Owner) return "The owner cannot be removed; take the ownership away first.";
        if (account.Id == actor.Name) return "Nobody removes themselves; ask another administrator.";
        db.Memberships.Remove(member);
        db.Sessions.RemoveRange(db.Sessions.Where(s => s.AccountId == account.Id && s.TenantId == actor.TenantId));
        db.Add(actor, "remove_member", $"account {account.Id}", new { account.UserName, Before = Shown(member.Role, member.Narrowing) });
        return null;
    }, "Removed. Their sessions have ended and their keys are dead.", ct);

    /// <summary>Shuts a person out of the whole installation, or lets them in again: the owner's act.</summary>
    public Task<ControlResult> SetDisabledAsync(Actor actor, string accountId, bool disabled, CancellationToken ct) => ChangeAsync(actor, accountId, (db, _, account) =>
    {
        if (account.Id == actor.Name) return "Nobody disables themselves.";
        if (account.Owner && disabled) return "The owner cannot be disabled; take the ownership away first.";
        account.DisabledAt = disabled ? account.DisabledAt ?? time.GetUtcNow() : null;
        if (disabled) db.Sessions.RemoveRange(db.Sessions.Where(s => s.AccountId == account.Id));
        else (account.FailedSignIns, account.LockedUntil) = (0, null);
        db.Add(actor, disabled ? "disable_account" : "enable_account", $"account {account.Id}", new { account.UserName });
        return null;
    }, disabled ? "Disabled. Their sessions have ended and their keys are dead." : "Enabled.", ct);

    /// <summary>Makes a member an owner of the installation or takes that away: another owner's act, so that one is always left.</summary>
    public Task<ControlResult> SetOwnerAsync(Actor actor, string accountId, bool owner, CancellationToken ct) => ChangeAsync(actor, accountId, (db, member, account) =>
    {
        if (account.Id == actor.Name) return "Nobody changes their own ownership; ask another owner.";
        if (account.DisabledAt is not null && owner) return "This account is disabled.";
        db.Add(actor, "set_owner", $"account {account.Id}", new { Before = account.Owner, After = owner });
        account.Owner = owner;
        return null;
    }, owner ? "Is an owner of the installation now." : "Is no owner any more.", ct);

    private async Task<ControlResult> ChangeAsync(Actor actor, string accountId, Func<IngestionDb, Membership, Account, string?> change, string done, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        if (await db.Memberships.FirstOrDefaultAsync(m => m.TenantId == actor.TenantId && m.AccountId == accountId, ct) is not { } member
            || await db.Accounts.FirstOrDefaultAsync(a => a.Id == accountId, ct) is not { } account)
            return new(false, "There is no such member.");
        if (change(db, member, account) is { } refusal) return new(false, refusal);
        await db.SaveChangesAsync(ct);
        return new(true, done);
    }

    private static object Shown(Role role, Narrowing narrowing) => new { Role = role.Word(), narrowing.Collections, narrowing.Connections, narrowing.OwnBatches };
}

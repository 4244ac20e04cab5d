using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>An invitation as people see it: never its link.</summary>
public sealed record InvitationView(string Id, string TenantId, string Tenant, string Name, Role Role, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt);

/// <summary>Links that let somebody make an account in a tenant, once, within a week.</summary>
public sealed class Invitations(Contexts contexts, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    /// <summary>Opens an invitation and returns its token: this once. Throws <c>invalid_option</c> for a name that does not fit.</summary>
    /// <param name="name">Whom it is for.</param>
    public async Task<(InvitationView View, string Token)> CreateAsync(Actor actor, string name, Role role, CancellationToken ct)
    {
        if (AccountName.NameProblem(name) is { } problem) throw new IngestionException(ErrorCodes.InvalidOption, $"name: {problem}");
        var token = AccessToken.New();
        var now = time.GetUtcNow();
        var row = new Invitation
        {
            Id = PublicId.New("inv_"), TenantId = actor.TenantId, TokenHash = AccessToken.Hash(token), Name = name.Trim(), Role = role, CreatedBy = actor.Name, CreatedAt = now, ExpiresAt = now + Lifetime,
        };
        await using var db = contexts.Worker();
        db.Invitations.Add(row);
        db.Add(actor, "invite", $"invitation {row.Id}", new { row.Name, Role = role.Word() });
        await db.SaveChangesAsync(ct);
        return (new(row.Id, row.TenantId, "", row.Name, role, row.CreatedBy, now, row.ExpiresAt), token);
    }

    /// <summary>Open ones, newest first.</summary>
    public async Task<IReadOnlyList<InvitationView>> ListAsync(string tenantId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await Views(db, Open(db).Where(i => i.TenantId == tenantId).OrderByDescending(i => i.CreatedAt).Take(500)).ToListAsync(ct);
    }

    /// <summary>The open invitation of a token; null where there is none.</summary>
    public async Task<InvitationView?> FindAsync(string token, CancellationToken ct)
    {
        var hash = AccessToken.Hash(token);
        await using var db = contexts.Worker();
        return await Views(db, Open(db).Where(i => i.TokenHash == hash)).FirstOrDefaultAsync(ct);
    }

    /// <summary>False where there is no such open invitation.</summary>
    public async Task<bool> WithdrawAsync(Actor actor, string id, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        if (await Open(db).FirstOrDefaultAsync(i => i.Id == id && i.TenantId == actor.TenantId, ct) is not { } row) return false;
        db.Invitations.Remove(row);
        db.Add(actor, "withdraw_invitation", $"invitation {id}", new { row.Name });
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>Marks an open invitation as used within the caller's transaction; of two who come at once one gets it.</summary>
    internal static async Task<Invitation?> TakeAsync(IngestionDb db, string token, DateTimeOffset now, CancellationToken ct)
    {
        var hash = AccessToken.Hash(token);
        var taken = await db.Invitations.Where(i => i.TokenHash == hash && i.AcceptedAt == null && i.ExpiresAt > now).ExecuteUpdateAsync(u => u.SetProperty(i => i.AcceptedAt, now), ct);
        return taken == 0 ? null : await db.Invitations.AsNoTracking().FirstAsync(i => i.TokenHash == hash, ct);
    }

    private IQueryable<Invitation> Open(IngestionDb db)
    {
        var now = time.GetUtcNow();
        return db.Invitations.Where(i => i.AcceptedAt == null && i.ExpiresAt > now);
    }

    private static IQueryable<InvitationView> Views(IngestionDb db, IQueryable<Invitation> rows) =>
        from i in rows
        join t in db.Tenants on i.TenantId equals t.Id
        where t.DisabledAt == null
        select new InvitationView(i.Id, i.TenantId, t.Name, i.Name, i.Role, i.CreatedBy, i.CreatedAt, i.ExpiresAt);
}

using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Ingestion.Core.Access;

/// <summary>Accounts themselves: the owner's, those made by invitation and those a provider vouches for, and failed sign-ins.</summary>
public sealed class Accounts(Contexts contexts, Database database, TimeProvider time)
{
    /// <summary>Wrong passwords in a row before an account is locked; each further one doubles the time, up to an hour.</summary>
    public const int FreeAttempts = 5;

    public async Task<Account?> FindAsync(string accountId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        return await db.Accounts.AsNoTracking().FirstOrDefaultAsync(a => a.Id == accountId, ct);
    }

    public async Task<Account?> FindByUserNameAsync(string userName, CancellationToken ct)
    {
        var name = AccountName.Normalize(userName);
        await using var db = contexts.Worker();
        return await db.Accounts.AsNoTracking().FirstOrDefaultAsync(a => a.NormalizedUserName == name, ct);
    }

    /// <summary>The account of who installed this: made at the first use of a sign-in link, the same one ever after.</summary>
    public async Task<Account> OwnerAsync(CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Of two links used at once one makes the account.
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended('ingestion.owner', 0))", ct);
        if (await db.Accounts.AsNoTracking().Where(a => a.Owner && a.DisabledAt == null).OrderBy(a => a.CreatedAt).FirstOrDefaultAsync(ct) is { } owner) return owner;
        var made = New("owner", "Owner", null, owner: true);
        // Somebody may be called so already without being the owner.
        if (await db.Accounts.AnyAsync(a => a.NormalizedUserName == made.NormalizedUserName, ct)) made.NormalizedUserName = AccountName.Normalize(made.UserName = $"owner-{made.Id[^6..]}");
        db.Accounts.Add(made);
        db.Memberships.Add(new() { TenantId = Tenant.Default, AccountId = made.Id, Role = Role.Administrator });
        db.Add(new Actor(Tenant.Default, made.Id), "create_owner", $"account {made.Id}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return made;
    }

    /// <summary>Sets what a person is called and signs in with. A sentence where the user name is taken; null where it is done.</summary>
    /// <param name="passwordHash">Null keeps the password.</param>
    public async Task<string?> SetProfileAsync(Actor actor, string userName, string name, string? passwordHash, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var account = await db.Accounts.FirstAsync(a => a.Id == actor.Name, ct);
        db.Add(actor, "change_account", $"account {account.Id}", new { Before = new { account.UserName, account.Name }, After = new { UserName = userName.Trim(), Name = name.Trim() }, Password = passwordHash is null ? null : "changed" });
        (account.UserName, account.NormalizedUserName, account.Name) = (userName.Trim(), AccountName.Normalize(userName), name.Trim());
        if (passwordHash is not null) (account.PasswordHash, account.SecurityStamp) = (passwordHash, Guid.NewGuid().ToString("n"));
        return await SaveAsync(db, ct);
    }

    /// <summary>Makes the account of an invitation and its membership, in one transaction. A sentence where that cannot be; null where it is done.</summary>
    public async Task<(Account? Account, string? Problem)> JoinAsync(string token, string userName, string name, string passwordHash, string? address, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await Invitations.TakeAsync(db, token, time.GetUtcNow(), ct) is not { } invitation) return (null, "This invitation was used already, withdrawn, or has expired.");
        var account = New(userName.Trim(), name.Trim(), passwordHash, owner: false);
        db.Accounts.Add(account);
        db.Memberships.Add(new() { TenantId = invitation.TenantId, AccountId = account.Id, Role = invitation.Role });
        db.Add(new Actor(invitation.TenantId, account.Id) { Address = address }, "accept_invitation", $"invitation {invitation.Id}", new { account.UserName, Role = invitation.Role.Word() });
        if (await SaveAsync(db, ct) is { } problem) return (null, problem);
        await transaction.CommitAsync(ct);
        return (account, null);
    }

    /// <summary>The account that a provider vouches for, made at its first sign-in, with the memberships that the provider gives it.</summary>
    /// <param name="memberships">Roles by tenant; those of an earlier sign-in that are missing here are taken away.</param>
    public async Task<Account> OfProviderAsync(string issuer, string subject, string name, IReadOnlyDictionary<string, Role> memberships, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({issuer + "|" + subject}, 0))", ct);
        var account = await db.Accounts.FirstOrDefaultAsync(a => a.Issuer == issuer && a.Subject == subject, ct);
        if (account is null)
        {
            var id = PublicId.New("usr_");
            account = New(id, name, null, owner: false, id);
            (account.Issuer, account.Subject) = (issuer, subject);
            db.Accounts.Add(account);
        }
        account.Name = name;
        var present = await db.Memberships.Where(m => m.AccountId == account.Id).ToListAsync(ct);
        foreach (var gone in present.Where(m => m.ByProvider && !memberships.ContainsKey(m.TenantId)))
        {
            db.Memberships.Remove(gone);
            db.Add(new Actor(gone.TenantId, account.Id), "remove_member", $"account {account.Id}", new { By = "provider" });
        }
        foreach (var (tenant, role) in memberships)
        {
            if (present.FirstOrDefault(m => m.TenantId == tenant) is not { } member) db.Memberships.Add(member = new() { TenantId = tenant, AccountId = account.Id, ByProvider = true, Role = role });
            else if (!member.ByProvider || member.Role == role) continue;
            else member.Role = role;
            db.Add(new Actor(tenant, account.Id), "set_role", $"account {account.Id}", new { By = "provider", After = role.Word() });
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return account;
    }

    /// <summary>Takes away one of the actor's passkeys, with its entry in the audit log. False where there is no such one.</summary>
    public async Task<bool> RemovePasskeyAsync(Actor actor, byte[] credentialId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        if (await db.Passkeys.FirstOrDefaultAsync(p => p.AccountId == actor.Name && p.CredentialId == credentialId, ct) is not { } passkey) return false;
        db.Passkeys.Remove(passkey);
        db.Add(actor, "remove_passkey", $"account {actor.Name}", new { passkey.Name });
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>Counts a wrong password; too many lock the account for a while that doubles.</summary>
    public async Task FailedAsync(string accountId, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.account
            SET failed_sign_ins = failed_sign_ins + 1,
                locked_until = CASE WHEN failed_sign_ins + 1 >= @free THEN ingestion.clock() + least(interval '1 hour', interval '1 minute' * power(2, least(failed_sign_ins + 1 - @free, 6))) END
            WHERE id = @id
            """;
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[] { new("id", accountId), new("free", FreeAttempts) });
        await command.ExecuteNonQueryAsync(ct);
    }

    public async Task SucceededAsync(string accountId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await db.Accounts.Where(a => a.Id == accountId && a.FailedSignIns > 0)
            .ExecuteUpdateAsync(u => u.SetProperty(a => a.FailedSignIns, 0).SetProperty(a => a.LockedUntil, (DateTimeOffset?)null), ct);
    }

    private Account New(string userName, string name, string? passwordHash, bool owner, string? id = null) => new()
    {
        Id = id ?? PublicId.New("usr_"), UserName = userName, NormalizedUserName = AccountName.Normalize(userName), Name = name, PasswordHash = passwordHash,
        SecurityStamp = Guid.NewGuid().ToString("n"), Owner = owner, CreatedAt = time.GetUtcNow(),
    };

    private static async Task<string?> SaveAsync(IngestionDb db, CancellationToken ct)
    {
        try
        {
            await db.SaveChangesAsync(ct);
            return null;
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return "This user name is taken.";
        }
    }
}

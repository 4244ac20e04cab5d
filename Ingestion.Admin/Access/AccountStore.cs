using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Admin.Access;

/// <summary>Accounts and their passkeys as ASP.NET Core Identity asks for them: it conducts the passkey ceremonies over these rows.</summary>
internal sealed class AccountStore(Contexts contexts, TimeProvider time) : IUserPasskeyStore<Account>
{
    public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Id);

    public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.UserName);

    public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.NormalizedUserName);

    public async Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        return await db.Accounts.AsNoTracking().FirstOrDefaultAsync(a => a.Id == userId, cancellationToken);
    }

    public async Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        return await db.Accounts.AsNoTracking().FirstOrDefaultAsync(a => a.NormalizedUserName == normalizedUserName, cancellationToken);
    }

    public async Task<Account?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        return await (from p in db.Passkeys join a in db.Accounts on p.AccountId equals a.Id where p.CredentialId == credentialId select a).AsNoTracking().FirstOrDefaultAsync(cancellationToken);
    }

    public async Task AddOrUpdatePasskeyAsync(Account user, UserPasskeyInfo passkey, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        var row = await db.Passkeys.FirstOrDefaultAsync(p => p.CredentialId == passkey.CredentialId, cancellationToken);
        if (row is null) db.Passkeys.Add(row = new() { CredentialId = passkey.CredentialId, AccountId = user.Id, Name = passkey.Name ?? "Passkey", Data = "{}", CreatedAt = time.GetUtcNow() });
        row.Data = JsonSerializer.Serialize(Stored.Of(passkey));
        await db.SaveChangesAsync(cancellationToken);
    }

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Account user, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        return [.. (await db.Passkeys.AsNoTracking().Where(p => p.AccountId == user.Id).OrderBy(p => p.CreatedAt).ToListAsync(cancellationToken)).Select(Stored.Read)];
    }

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        return await db.Passkeys.AsNoTracking().FirstOrDefaultAsync(p => p.AccountId == user.Id && p.CredentialId == credentialId, cancellationToken) is { } row ? Stored.Read(row) : null;
    }

    public async Task RemovePasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken)
    {
        await using var db = contexts.Worker();
        await db.Passkeys.Where(p => p.AccountId == user.Id && p.CredentialId == credentialId).ExecuteDeleteAsync(cancellationToken);
    }

    // Accounts are made and changed by Accounts and Members, with their audit entries, never through here.
    public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) => throw Elsewhere();
    public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) => Task.CompletedTask;
    public Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken) => throw Elsewhere();
    public Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken) => throw Elsewhere();

    // The manager ends each of its own changes with an update; what it changes here are passkeys, which are saved by then.
    public Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(IdentityResult.Success);

    public void Dispose()
    {
    }

    private static NotSupportedException Elsewhere() => new("Accounts are changed by Ingestion.Core.Access.");

    private sealed record Stored(
        byte[] PublicKey, DateTimeOffset CreatedAt, uint SignCount, string[]? Transports, bool IsUserVerified, bool IsBackupEligible, bool IsBackedUp, byte[] AttestationObject, byte[] ClientDataJson)
    {
        public static Stored Of(UserPasskeyInfo p) =>
            new(p.PublicKey, p.CreatedAt, p.SignCount, p.Transports, p.IsUserVerified, p.IsBackupEligible, p.IsBackedUp, p.AttestationObject, p.ClientDataJson);

        public static UserPasskeyInfo Read(AccountPasskey row)
        {
            var s = JsonSerializer.Deserialize<Stored>(row.Data)!;
            return new(row.CredentialId, s.PublicKey, s.CreatedAt, s.SignCount, s.Transports, s.IsUserVerified, s.IsBackupEligible, s.IsBackedUp, s.AttestationObject, s.ClientDataJson) { Name = row.Name };
        }
    }
}

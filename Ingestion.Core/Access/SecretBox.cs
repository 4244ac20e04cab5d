using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Access;

/// <summary>A secret as people see it: that it is there, and whether it can still be opened.</summary>
/// <param name="Readable">False where the key ring that sealed it is lost: it has to be entered again.</param>
public sealed record SecretView(string Name, string SetBy, DateTimeOffset SetAt, bool Readable);

/// <summary>
/// Secrets of tenants: what connectors, webhooks and providers need. Written by people, read only by the code that uses them; no page,
/// route, event, export or log line ever holds one.
/// </summary>
public sealed class SecretBox(Contexts contexts, Database database, IDataProtectionProvider ring, TimeProvider time)
{
    public const int MaxLength = 8192;

    /// <summary>How names of the installation's own secrets begin. They live in the default tenant, and only the installation's owner sets them.</summary>
    public const string OfInstallation = "installation/";

    /// <summary>What it takes to set or remove a secret of this name.</summary>
    public static Permission Needs(string name) => name.StartsWith(OfInstallation, StringComparison.Ordinal) ? Permission.Install : Permission.Administer;

    /// <summary>Seals and keeps a secret, in place of the one before. Throws <c>invalid_option</c> for a name or value that does not fit.</summary>
    public async Task SetAsync(Actor actor, string name, string secret, CancellationToken ct)
    {
        if (name is not { Length: > 0 and <= 200 } || name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))) throw new IngestionException(ErrorCodes.InvalidOption, "name must be 1 to 200 characters without spaces.");
        if (secret is not { Length: > 0 and <= MaxLength }) throw new IngestionException(ErrorCodes.InvalidOption, $"value must be 1 to {MaxLength:N0} characters.");
        if (Needs(name) == Permission.Install && actor.TenantId != Tenant.Default) throw new IngestionException(ErrorCodes.InvalidOption, $"name: what begins with {OfInstallation} is the installation's own and is set in the tenant {Tenant.Default}.");
        // These are sent as headers.
        if (Needs(name) == Permission.Install && secret.Any(c => c is <= ' ' or >= '\x7f')) throw new IngestionException(ErrorCodes.InvalidOption, "value must be printable ASCII without spaces.");
        await using var db = contexts.Worker();
        var row = await db.Secrets.FirstOrDefaultAsync(s => s.TenantId == actor.TenantId && s.Name == name, ct);
        if (row is null) db.Secrets.Add(row = new() { TenantId = actor.TenantId, Name = name, Sealed = "", SetBy = actor.Name });
        (row.Sealed, row.SetBy, row.SetAt) = (Seal(actor.TenantId, name, secret), actor.Name, time.GetUtcNow());
        db.Add(actor, "set_secret", $"secret {name}");
        await db.SaveChangesAsync(ct);
    }

    /// <summary>The secret, for the code that needs it. Throws <c>secret_missing</c> where it is not set or cannot be opened any more.</summary>
    public async Task<string> ReadAsync(string tenantId, string name, CancellationToken ct)
    {
        var box = await SealedAsync(tenantId, name, ct);
        return box is null ? throw new IngestionException(ErrorCodes.SecretMissing, $"The secret {name} is not set.")
            : Open(tenantId, name, box) ?? throw new IngestionException(ErrorCodes.SecretMissing, $"The secret {name} cannot be read any more: the key ring that sealed it is lost.");
    }

    /// <summary>True where it is set, whether or not it can still be opened.</summary>
    public async Task<bool> HasAsync(string tenantId, string name, CancellationToken ct) => await SealedAsync(tenantId, name, ct) is not null;

    /// <summary>The same for what can do without: null where it is not set or cannot be opened any more.</summary>
    public async Task<string?> FindAsync(string tenantId, string name, CancellationToken ct) => await SealedAsync(tenantId, name, ct) is { } box ? Open(tenantId, name, box) : null;

    /// <summary>By name.</summary>
    public async Task<IReadOnlyList<SecretView>> ListAsync(string tenantId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var rows = await db.Secrets.AsNoTracking().Where(s => s.TenantId == tenantId).OrderBy(s => s.Name).Take(1000).ToListAsync(ct);
        return [.. rows.Select(s => new SecretView(s.Name, s.SetBy, s.SetAt, Open(tenantId, s.Name, s.Sealed) is not null))];
    }

    /// <summary>False where there is none.</summary>
    public async Task<bool> RemoveAsync(Actor actor, string name, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        if (await db.Secrets.FirstOrDefaultAsync(s => s.TenantId == actor.TenantId && s.Name == name, ct) is not { } row) return false;
        db.Secrets.Remove(row);
        db.Add(actor, "remove_secret", $"secret {name}");
        await db.SaveChangesAsync(ct);
        return true;
    }

    // Without a context: a start reads one, and must not wait for the model of all tables.
    private async Task<string?> SealedAsync(string tenantId, string name, CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("SELECT sealed FROM ingestion.secret WHERE tenant_id = $1 AND name = $2");
        command.Parameters.Add(new() { Value = tenantId });
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteScalarAsync(ct) as string;
    }

    // Tenant and name are part of what is sealed: a row that is moved elsewhere does not open there.
    internal string Seal(string tenantId, string name, string secret) => Convert.ToBase64String(Protector(tenantId, name).Protect(Encoding.UTF8.GetBytes(secret)));

    private string? Open(string tenantId, string name, string box)
    {
        try
        {
            return Encoding.UTF8.GetString(Protector(tenantId, name).Unprotect(Convert.FromBase64String(box)));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private IDataProtector Protector(string tenantId, string name) => ring.CreateProtector("Ingestion.Secret", tenantId, name);
}

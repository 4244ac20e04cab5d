using System.CommandLine;
using Ingestion.Admin.Access;
using Ingestion.Core;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Settings;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Cli;

/// <summary>
/// <c>ingestion recover-owner</c>: for who has lost the owner's password and passkeys. Enables and unlocks the owner's account, ends all its
/// sessions, and prints a one-time link. Whoever can run it can read the data directory anyway.
/// </summary>
internal sealed class RecoverOwnerCommand : Command
{
    public RecoverOwnerCommand()
        : base("recover-owner", "Let the owner in again: unlocks the account, ends its sessions, removes its password and passkeys, and prints a one-time link.") => SetAction(RecoverAsync);

    private static async Task<int> RecoverAsync(ParseResult parsed, CancellationToken ct)
    {
        await using var database = await CommandDatabase.OpenAsync([.. parsed.UnmatchedTokens], ct);
        await database.Get<Migrator>().RequireCurrentAsync(ct);
        await using (var db = database.Get<Contexts>().Worker())
        {
            var owner = await db.Accounts.Where(a => a.Owner).OrderBy(a => a.DisabledAt != null).ThenBy(a => a.CreatedAt).FirstOrDefaultAsync(ct);
            if (owner is not null)
            {
                (owner.DisabledAt, owner.LockedUntil, owner.FailedSignIns, owner.PasswordHash, owner.SecurityStamp) = (null, null, 0, null, Guid.NewGuid().ToString("n"));
                db.Sessions.RemoveRange(db.Sessions.Where(s => s.AccountId == owner.Id));
                db.Passkeys.RemoveRange(db.Passkeys.Where(p => p.AccountId == owner.Id));
                db.Add(new Actor(Tenant.Default, "machine"), "recover_owner", $"account {owner.Id}");
                await db.SaveChangesAsync(ct);
            }
        }
        var token = new SignInLinks(database.Get<DataDirectory>()).Issue();
        await parsed.InvocationConfiguration.Output.WriteLineAsync(SignInLinks.Address(database.Get<IOptions<IngestionOptions>>().Value.Port, token));
        return 0;
    }
}

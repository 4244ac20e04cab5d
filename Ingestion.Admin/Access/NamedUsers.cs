using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Which users a request may name as its own.</summary>
internal sealed class NamedUsers(Members members, IOptions<AccessOptions> access)
{
    /// <summary>True for the caller's own id; for an administrator also for anybody's of the tenant.</summary>
    public async Task<bool> MayNameAsync(CallerFacts caller, string? user, CancellationToken ct) =>
        user == caller.Id
        || (!string.IsNullOrEmpty(user) && caller.May(Permission.Administer) && (IsCompatUser(caller, user) || await members.HasAsync(caller.TenantId, user, ct)));

    // It has no account, yet its batches are there to be looked at.
    private bool IsCompatUser(CallerFacts caller, string user) => user == access.Value.CompatUser && caller.TenantId == Tenant.Default;
}

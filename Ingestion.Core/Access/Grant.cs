using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Access;

/// <summary>What a role or group of the provider gives here: a role in a tenant.</summary>
/// <param name="Value">The value of a role claim; <c>*</c> is everybody whom the provider lets in.</param>
public sealed record Grant(string Value, Role Role, string TenantId)
{
    public const string Everybody = "*";

    /// <summary>Reads <c>value=role</c> or <c>value=role@tenant</c>; null where it is neither.</summary>
    public static Grant? TryParse(string text)
    {
        if (text.LastIndexOf('=') is not (> 0 and var at)) return null;
        var (role, tenant) = text[(at + 1)..].Split('@', 2) is [var r, var t] ? (r, t) : (text[(at + 1)..], Tenant.Default);
        return Enum.GetValues<Role>().Where(known => known.Word() == role.Trim()).Select(known => new Grant(text[..at].Trim(), known, tenant.Trim())).FirstOrDefault();
    }

    /// <summary>The memberships that these values give: in each tenant the highest role.</summary>
    public static Dictionary<string, Role> Of(IEnumerable<string> grants, IReadOnlyCollection<string> values) => grants
        .Select(TryParse).OfType<Grant>()
        .Where(g => g.Value == Everybody || values.Contains(g.Value, StringComparer.Ordinal))
        .GroupBy(g => g.TenantId).ToDictionary(g => g.Key, g => g.Max(one => one.Role));
}

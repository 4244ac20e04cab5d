namespace Ingestion.Core.Access;

/// <summary>
/// Whose rows a query sees: a tenant, and of it what one member reaches. It goes with every query to the session that asks, where row-level
/// security applies it; no query names it again. A tenant alone is all of the tenant.
/// </summary>
/// <param name="Member">The account that asks; null where nobody in particular does.</param>
public sealed record Scope(string TenantId, string? Member, Narrowing Narrowing)
{
    /// <summary>Equal for all who see the same, so that what was read for one serves the others.</summary>
    public Scope Shared => Narrowing == Narrowing.None ? OfTenant(TenantId) : this;

    public static implicit operator Scope(string tenantId) => OfTenant(tenantId);

    /// <summary>All of a tenant.</summary>
    public static Scope OfTenant(string tenantId) => new(tenantId, null, Narrowing.None);

    /// <summary>What the session is told; empty is everything.</summary>
    internal IEnumerable<(string Name, string Value)> Settings()
    {
        yield return ("ingestion.tenant", TenantId);
        if (Member is not null) yield return ("ingestion.member", Member);
        if (Narrowing.OwnBatches && Member is not null) yield return ("ingestion.author", Member);
        if (Narrowing.Collections is { } collections) yield return ("ingestion.collections", $"{{{string.Join(',', collections)}}}");
        if (Narrowing.Connections is { } connections) yield return ("ingestion.connections", $"{{{string.Join(',', connections.Select(Quoted))}}}");
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}

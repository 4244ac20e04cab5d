namespace Ingestion.Core.Access;

/// <summary>Who asks, as the database knows it at this moment.</summary>
/// <param name="Id">The account; what records of who asked say.</param>
/// <param name="Owner">Looks after the installation, and is an administrator of every tenant.</param>
/// <param name="Narrowing">What of the tenant is in reach.</param>
/// <param name="Scope">What the key may be used for; null where the caller holds no key.</param>
/// <param name="CredentialId">The session or the key that let the caller in.</param>
public sealed record CallerFacts(
    string Id, string Name, string TenantId, Role Role, bool Owner, Narrowing Narrowing, KeyScope? Scope = null, string? CredentialId = null)
{
    public bool May(Permission permission) =>
        (permission is Permission.Install or Permission.Observe ? Owner : Role.May(permission)) && (Scope?.Allows(permission) ?? true);
}

/// <summary>What of a tenant one member reaches. Null lists mean everything.</summary>
/// <param name="Collections">Ids of collections.</param>
/// <param name="Connections">Ids of connections to sources.</param>
/// <param name="OwnBatches">Only batches that the member handed in.</param>
public sealed record Narrowing(IReadOnlyList<long>? Collections = null, IReadOnlyList<string>? Connections = null, bool OwnBatches = false)
{
    public static Narrowing None { get; } = new();

    public bool Equals(Narrowing? other) => other is not null && OwnBatches == other.OwnBatches && Same(Collections, other.Collections) && Same(Connections, other.Connections);

    public override int GetHashCode() => HashCode.Combine(OwnBatches, Collections?.Count, Connections?.Count);

    private static bool Same<T>(IReadOnlyList<T>? a, IReadOnlyList<T>? b) => a is null || b is null ? a is null && b is null : a.SequenceEqual(b);
}

namespace Ingestion.Core.Access;

/// <summary>What a person is in a tenant. Each role may do what the ones before it may.</summary>
public enum Role
{
    /// <summary>Looks at batches and documents, and searches.</summary>
    Viewer,
    /// <summary>Hands batches in and steers them.</summary>
    Operator,
    /// <summary>Decides what waits for a person.</summary>
    Reviewer,
    /// <summary>Says who may do what in the tenant.</summary>
    Administrator,
}

/// <summary>What an API key may be used for; never more than the person it belongs to.</summary>
public enum KeyScope { Read, Write, Admin }

/// <summary>What can be asked of the product. Every route and every page names one.</summary>
public enum Permission
{
    /// <summary>See batches, documents and their files; search.</summary>
    Read,
    /// <summary>Hand in, steer, retry, upload; make and name collections.</summary>
    Ingest,
    /// <summary>Decide what waits for review.</summary>
    Review,
    /// <summary>Look after a tenant: its people, keys, secrets and audit log.</summary>
    Administer,
    /// <summary>Read what the installation measures of itself: numbers, and ids of batches at work. The owner's alone, by any key.</summary>
    Observe,
    /// <summary>Look after the installation: tenants, settings, processes, checks over all tenants. The owner's alone.</summary>
    Install,
}

/// <summary>The one place that says which role may do what.</summary>
public static class Roles
{
    public static bool May(this Role role, Permission permission) => permission switch
    {
        Permission.Read => true,
        Permission.Ingest => role >= Role.Operator,
        Permission.Review => role >= Role.Reviewer,
        Permission.Administer => role == Role.Administrator,
        _ => false,
    };

    public static bool Allows(this KeyScope scope, Permission permission) => permission switch
    {
        Permission.Read or Permission.Observe => true,
        Permission.Ingest or Permission.Review => scope >= KeyScope.Write,
        _ => scope == KeyScope.Admin,
    };
}

using Ingestion.Core.Access;

namespace Ingestion.Admin.Components.Parts;

/// <summary>Roles and scopes in words for people.</summary>
public static class RoleWords
{
    public static string Article(Role role) => role switch
    {
        Role.Operator => "an operator",
        Role.Administrator => "an administrator",
        Role.Reviewer => "a reviewer",
        _ => "a viewer",
    };

    /// <summary>What the role is for, as the rest of a sentence.</summary>
    public static string Help(Role role) => role switch
    {
        Role.Viewer => "looks at batches and documents, and searches.",
        Role.Operator => "also hands batches in and steers them.",
        Role.Reviewer => "also decides what waits for a person.",
        _ => "also says who may do what, and reads the audit log.",
    };

    public static string Help(KeyScope scope) => scope switch
    {
        KeyScope.Read => "look and search",
        KeyScope.Write => "hand in and steer as well",
        _ => "everything that you may do",
    };
}

using Ingestion.Admin.Access;
using Ingestion.Core.Access;

namespace Ingestion.Admin.Components.Pages.Access;

/// <summary>What a person types to make an account.</summary>
public sealed class AccountInput
{
    public string? Name { get; set; }

    public string? UserName { get; set; }

    public string? Password { get; set; }

    /// <summary>The first thing that is wrong, as a sentence; null where nothing is.</summary>
    public string? Problem() => AccountName.NameProblem(Name ?? "") ?? AccountName.UserNameProblem(UserName ?? "") ?? PasswordRules.Problem(Password ?? "", UserName ?? "");
}

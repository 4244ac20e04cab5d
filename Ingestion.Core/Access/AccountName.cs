namespace Ingestion.Core.Access;

/// <summary>What a person may be called: rules for the name shown and for the name typed at sign-in.</summary>
public static class AccountName
{
    public const int MaxName = 100;

    /// <summary>What is wrong with a name to sign in with; null where nothing is.</summary>
    public static string? UserNameProblem(string userName) => userName.Trim() switch
    {
        { Length: < 3 } => "A user name has at least 3 characters.",
        { Length: > MaxName } => $"A user name has at most {MaxName} characters.",
        var given when given.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) => "A user name has no spaces.",
        _ => null,
    };

    /// <summary>What is wrong with a person's name; null where nothing is.</summary>
    public static string? NameProblem(string name) => name.Trim() switch
    {
        "" => "Say what you are called.",
        { Length: > MaxName } => $"A name has at most {MaxName} characters.",
        var given when given.Any(char.IsControl) => "A name is one line of text.",
        _ => null,
    };

    /// <summary>The form in which user names are compared.</summary>
    public static string Normalize(string userName) => userName.Trim().Normalize(System.Text.NormalizationForm.FormKC).ToUpperInvariant();
}

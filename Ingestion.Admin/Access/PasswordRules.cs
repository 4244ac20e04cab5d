namespace Ingestion.Admin.Access;

/// <summary>What a password must be: long. Nothing else makes one harder to guess that people can remember.</summary>
internal static class PasswordRules
{
    public const int Shortest = 12;

    /// <summary>So that hashing a megabyte is nobody's way to keep the machine busy.</summary>
    public const int Longest = 200;

    /// <summary>Rounds of PBKDF2 with SHA-512.</summary>
    public const int Iterations = 210_000;

    /// <summary>What is wrong with a new password; null where nothing is.</summary>
    public static string? Problem(string password, string userName) => password switch
    {
        { Length: < Shortest } => $"A password has at least {Shortest} characters. A few words are easier to remember than signs.",
        { Length: > Longest } => $"A password has at most {Longest} characters.",
        _ when password.Distinct().Count() < 5 => "This password is too simple.",
        _ when userName.Trim() is { Length: > 0 } name && password.Contains(name, StringComparison.OrdinalIgnoreCase) => "A password does not hold the user name.",
        _ => null,
    };
}

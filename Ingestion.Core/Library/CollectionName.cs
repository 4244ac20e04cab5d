using System.Text.RegularExpressions;

namespace Ingestion.Core.Library;

/// <summary>What a collection may be called: the rules of the table, said in sentences.</summary>
public static partial class CollectionName
{
    public const int MaxName = 200;

    public const int MaxDescription = 1000;

    /// <summary>What is wrong with a key; null where nothing is.</summary>
    public static string? KeyProblem(string key) => key switch
    {
        "" => "Give the collection a key.",
        { Length: > 63 } => "A key has at most 63 characters.",
        _ when !Key().IsMatch(key) => "A key has lower-case letters, digits, “-” and “_”, and begins with a letter or digit.",
        _ => null,
    };

    /// <summary>What is wrong with a name; null where nothing is.</summary>
    public static string? NameProblem(string name) => name.Trim() switch
    {
        "" => "Give the collection a name.",
        { Length: > MaxName } => $"A name has at most {MaxName} characters.",
        var trimmed when trimmed.Any(char.IsControl) => "A name is one line of text.",
        _ => null,
    };

    /// <summary>What is wrong with a description; null where nothing is.</summary>
    public static string? DescriptionProblem(string? description) => description switch
    {
        { Length: > MaxDescription } => $"A description has at most {MaxDescription:N0} characters.",
        _ when description?.Contains('\0') == true => "A description is text.",
        _ => null,
    };

    /// <summary>A key made of a name: lower case, what is not allowed becomes “-”. Empty where nothing is left.</summary>
    public static string KeyOf(string name)
    {
        var key = NotAllowed().Replace(name.Trim().ToLowerInvariant(), "-").Trim('-', '_');
        return key.Length <= 63 ? key : key[..63].TrimEnd('-', '_');
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex Key();

    [GeneratedRegex("[^a-z0-9_]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex NotAllowed();
}

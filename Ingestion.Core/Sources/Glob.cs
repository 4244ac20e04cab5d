using System.Text;
using System.Text.RegularExpressions;

namespace Ingestion.Core.Sources;

/// <summary>
/// A pattern of paths or addresses: <c>*</c> is anything but a slash, <c>**</c> anything, <c>?</c> one character that is no slash; all else
/// stands for itself. A pattern without a slash is one of names, wherever they are. Time is linear in the text, whatever the pattern.
/// </summary>
public sealed class Glob
{
    /// <summary>Longest pattern, in characters.</summary>
    public const int MaxLength = 300;

    private readonly Regex _regex;

    private Glob(Regex regex) => _regex = regex;

    /// <summary>What is wrong with a pattern, as the rest of a sentence; null where nothing is.</summary>
    public static string? Problem(string pattern) => pattern.Length > MaxLength ? $"has a pattern of more than {MaxLength} characters" : null;

    public static Glob Of(string pattern) => new(new Regex($@"\A{Expression(pattern)}\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline));

    /// <summary>The pattern as a regular expression for others' engines, without marks of beginning and end.</summary>
    public static string Expression(string pattern)
    {
        var expression = new StringBuilder();
        if (!pattern.Contains('/')) expression.Append("(?:.*/)?");
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '*' && i + 1 < pattern.Length && pattern[i + 1] == '*')
            {
                // **/ may be nothing at all, so that **/x is x as well.
                var slash = i + 2 < pattern.Length && pattern[i + 2] == '/';
                expression.Append(slash ? "(?:.*/)?" : ".*");
                i += slash ? 2 : 1;
            }
            else
            {
                expression.Append(pattern[i] switch { '*' => "[^/]*", '?' => "[^/]", var c => Regex.Escape(c.ToString()) });
            }
        }
        return expression.ToString();
    }

    public bool Matches(string text) => _regex.IsMatch(text);

    /// <summary>True where one of the included patterns matches (or there is none) and none of the excluded does.</summary>
    public static Func<string, bool> Filter(IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        List<Glob> wanted = [.. include.Select(Of)], unwanted = [.. exclude.Select(Of)];
        return text => (wanted.Count == 0 || wanted.Any(g => g.Matches(text))) && !unwanted.Any(g => g.Matches(text));
    }
}

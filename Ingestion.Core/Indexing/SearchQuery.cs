using System.Text;

namespace Ingestion.Core.Indexing;

/// <summary>What a person typed, made safe for every place it goes: bounded, without NUL and without halves of characters.</summary>
/// <param name="Text">Trimmed; empty where nothing is left.</param>
/// <param name="IsExact">The person quotes a phrase or excludes a word: then the words decide, and likeness adds nothing.</param>
public readonly record struct SearchQuery(string Text, bool IsExact)
{
    /// <summary>UTF-16 units that count. A longer text is a document, not a question.</summary>
    public const int MaxLength = 1000;

    public static SearchQuery Of(string typed)
    {
        // Both bounds: replacing the halves of characters is work, too.
        var text = Clean(typed.Length <= MaxLength ? typed : typed[..MaxLength]).Trim();
        return new(text, text.Contains('"') || text.StartsWith('-') || text.Contains(" -"));
    }

    /// <summary>Text that the database takes: half a surrogate pair and NUL become a replacement character and a blank.</summary>
    internal static string Clean(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', ' ');

    /// <summary>The words in order, lower case, each once.</summary>
    public IReadOnlyList<string> Words() => [.. Text.Split(Text.Where(c => !char.IsLetterOrDigit(c) && !char.IsSurrogate(c)).Distinct().ToArray(), StringSplitOptions.RemoveEmptyEntries)
        .Select(w => w.ToLowerInvariant()).Distinct()];
}

namespace Ingestion.Core.Parsing;

/// <summary>Tells words from the glyph codes of fonts that put an alphabet of their own on the letters of another.</summary>
internal static class WordShape
{
    private const int LongestConsonants = 5;

    /// <summary>The share of a text's words that could be words, 0 to 1; null where there are too few to say.</summary>
    public static double? Share(string markdown, int least)
    {
        var (words, bad) = (0, 0);
        var code = false;
        foreach (var line in markdown.AsSpan().EnumerateLines())
        {
            if (line.TrimStart().StartsWith("```"))
            {
                code = !code;
                continue;
            }
            if (code || PageMarker.Is(line)) continue;
            foreach (var range in line.Split(' '))
            {
                var word = Bare(line[range]);
                if (!IsJudged(word)) continue;
                words++;
                if (!IsPlausible(word)) bad++;
            }
        }
        return words < least ? null : 1 - (double)bad / words;
    }

    // Punctuation and the marks of Markdown around a word.
    private static ReadOnlySpan<char> Bare(ReadOnlySpan<char> token) => token.Trim("*_`~|#>.,;:!?()[]\"'“”‘’«»…–—-+=/\t\\");

    // Addresses, paths, numbers and identifiers are no words.
    private static bool IsJudged(ReadOnlySpan<char> word)
    {
        if (word.Length < 3 || word.ContainsAny("/.:_=`<>&%#+-") || word.ContainsAny("0123456789")) return false;
        var letters = 0;
        foreach (var c in word)
            if (char.IsLetter(c)) letters++;
        return letters * 2 > word.Length;
    }

    private static bool IsPlausible(ReadOnlySpan<char> word)
    {
        var (latin, other, run, longest, vowels) = (false, false, 0, 0, 0);
        foreach (var c in word)
        {
            if (c is '\\' or '^' or '{' or '}' or '[' or ']' or '(' or ')' or '"' or '@' or '|' or '$' or '~' or '?' or '!') return false;
            if (!char.IsLetter(c)) continue;
            if (c < '\u0250' || c is >= '\u1E00' and <= '\u1EFF') latin = true;
            else other = true;
            // Accented ones count as vowels: no language writes long rows of them.
            if (c > '\u007F' || "aeiouyAEIOUY".Contains(c)) (run, vowels) = (0, vowels + 1);
            else longest = Math.Max(longest, ++run);
        }
        if (latin && other) return false;
        return other || (longest < LongestConsonants && (vowels > 0 || IsShout(word)));
    }

    // Abbreviations need no vowel.
    private static bool IsShout(ReadOnlySpan<char> word)
    {
        foreach (var c in word)
            if (char.IsLower(c)) return false;
        return true;
    }
}

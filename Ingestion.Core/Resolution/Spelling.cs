using System.Globalization;
using System.Text;

namespace Ingestion.Core.Resolution;

/// <summary>What upper and lower case mean in a text.</summary>
public enum Reading
{
    /// <summary>Capitals are capitals: <c>Raga</c> and <c>raga</c> are one word.</summary>
    Plain,
    /// <summary>Capitals are letters of their own, as in romanised Indic text: <c>A</c> is ā, <c>S</c> is ś, <c>N</c> is ṇ; <c>rAga</c> is not <c>raga</c>.</summary>
    Letters,
}

/// <summary>
/// What is left of a spelling when differences are set aside, a chosen step each: from the text itself over its letters to what it sounds like
/// in Indic romanisations of any habit. Two spellings with the same key are one word by that step.
/// </summary>
public static class Spelling
{
    // Long vowels and the palatal sibilant are written with these in a key, whatever the spelling wrote.
    private const char LongA = 'ā', LongI = 'ī', LongU = 'ū', Sibilant = 'ś';

    private static readonly (string Written, string Sounds)[] Habits =
    [
        ("ee", "ī"), ("oo", "ū"), ("ou", "au"), ("ow", "au"), ("w", "v"), ("sh", "ś"), ("chh", "c"), ("cch", "c"), ("ch", "c"),
        ("kh", "k"), ("gh", "g"), ("jh", "j"), ("th", "t"), ("dh", "d"), ("ph", "p"), ("bh", "b"), ("z", "s"),
    ];

    // What names of one word end in or do not, by language and habit: bhUpALaM, bhUpALa.
    private static readonly string[] Endings = ["amu", "am", "an", "ai", "a", "u", "m", "n"];

    /// <summary>The text itself, composed, with single blanks.</summary>
    public static string Exact(string text)
    {
        var composed = text.Normalize(NormalizationForm.FormC);
        return string.Join(' ', composed.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Letters and digits alone, without marks, blanks and case. Throws differences away that may be letters: a step to be chosen.</summary>
    public static string Fold(string text)
    {
        var key = new StringBuilder(text.Length);
        foreach (var c in text.Normalize(NormalizationForm.FormD))
            if (char.IsLetterOrDigit(c)) key.Append(char.ToLowerInvariant(c));
        return key.ToString();
    }

    /// <summary>
    /// What the text sounds like: length of a, i and u and the sibilants kept, aspiration, retroflexes, doubled consonants and nasals before
    /// consonants set aside.
    /// </summary>
    public static string Sounds(string text, Reading reading)
    {
        var key = Letters(text.Normalize(NormalizationForm.FormD), reading);
        foreach (var (written, sounds) in Habits) key = key.Replace(written, sounds);
        return Simplify(key.ToString());
    }

    /// <summary>A key of <see cref="Sounds"/> without the length of vowels and the kinds of sibilants.</summary>
    public static string Loose(string sounds) => sounds.Replace(LongA, 'a').Replace(LongI, 'i').Replace(LongU, 'u').Replace(Sibilant, 's');

    /// <summary>A loose key without an ending that names carry or not.</summary>
    public static string Stem(string loose)
    {
        var ending = Endings.FirstOrDefault(e => loose.Length >= e.Length + 3 && loose.EndsWith(e, StringComparison.Ordinal));
        return ending is null ? loose : loose[..^ending.Length];
    }

    private static StringBuilder Letters(string decomposed, Reading reading)
    {
        var key = new StringBuilder(decomposed.Length);
        for (var i = 0; i < decomposed.Length; i++)
        {
            var letter = decomposed[i];
            if (!char.IsLetterOrDigit(letter)) continue;
            var (macron, mark) = (false, false);
            for (; i + 1 < decomposed.Length && CharUnicodeInfo.GetUnicodeCategory(decomposed[i + 1]) == UnicodeCategory.NonSpacingMark; i++)
                if (decomposed[i + 1] == '\u0304') macron = true;
                else mark = true;
            var meant = reading == Reading.Letters && char.IsUpper(letter);
            var lower = char.ToLowerInvariant(letter);
            _ = lower switch
            {
                'a' when macron || meant => key.Append(LongA),
                'i' when macron || meant => key.Append(LongI),
                'u' when macron || meant => key.Append(LongU),
                's' when mark || meant => key.Append(Sibilant),
                'r' when mark || meant => key.Append("ri"),
                _ => key.Append(lower),
            };
        }
        return key;
    }

    private static string Simplify(string key)
    {
        var simple = new StringBuilder(key.Length);
        foreach (var c in key)
            if (simple.Length == 0 || simple[^1] != c) simple.Append(c);
        for (var i = 0; i + 1 < simple.Length; i++)
            if (simple[i] == 'm' && "kgcjtdpbsvś".Contains(simple[i + 1])) simple[i] = 'n';
        return simple.ToString();
    }
}

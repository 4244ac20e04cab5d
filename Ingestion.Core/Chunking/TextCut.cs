using System.Globalization;

namespace Ingestion.Core.Chunking;

/// <summary>Where text may be cut: after a line, else a sentence, else a word, else between two whole characters. Looks only at the window it is given.</summary>
internal static class TextCut
{
    private const int LongestCluster = 64;

    /// <summary>The best cut in (0, most]: all of the text where it fits.</summary>
    public static int Best(ReadOnlySpan<char> text, int most)
    {
        if (text.Length <= most) return text.Length;
        var least = most / 2;
        for (var i = most; i > least; i--)
            if (text[i - 1] == '\n') return i;
        for (var i = most; i > least; i--)
            if (EndsSentence(text, i)) return i;
        for (var i = most; i > least / 2; i--)
            if (char.IsWhiteSpace(text[i - 1]) || char.IsWhiteSpace(text[i])) return i;
        return Before(text, most);
    }

    /// <summary>The end of the last whole line within [0, most], its line end included; 0 where not even one fits.</summary>
    public static int Lines(ReadOnlySpan<char> text, int most) =>
        text.Length <= most ? text.Length : text[..most].LastIndexOf('\n') + 1;

    /// <summary>The last position at or before <paramref name="at"/> that splits neither a surrogate pair nor a sign from its marks; never 0.</summary>
    public static int Before(ReadOnlySpan<char> text, int at)
    {
        if (at >= text.Length) return text.Length;
        for (var i = at; i > 1 && at - i < LongestCluster; i--)
            if (IsBoundary(text, i)) return i;
        // Marks without end: keep at least the pairs whole.
        return at > 1 && char.IsLowSurrogate(text[at]) && char.IsHighSurrogate(text[at - 1]) ? at - 1 : at;
    }

    /// <summary>Where the last at most <paramref name="most"/> characters begin, moved forward to the start of a sentence or word.</summary>
    public static int Tail(ReadOnlySpan<char> text, int most)
    {
        if (most <= 0) return text.Length;
        if (text.Length <= most) return 0;
        var from = text.Length - most;
        var half = from + most / 2;
        for (var i = from; i < half; i++)
            if (i > 0 && (EndsSentence(text, i) || text[i - 1] == '\n')) return Blanks(text, i);
        for (var i = from; i < text.Length; i++)
            if (i > 0 && char.IsWhiteSpace(text[i - 1])) return Blanks(text, i);
        while (from < text.Length && !IsBoundary(text, from)) from++;
        return from;
    }

    private static int Blanks(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        return at;
    }

    private static bool EndsSentence(ReadOnlySpan<char> text, int at) =>
        text[at - 1] is '。' or '！' or '？' || at < text.Length && char.IsWhiteSpace(text[at]) && text[at - 1] is '.' or '!' or '?' or '…' or ';' or '؟' or '।';

    private static bool IsBoundary(ReadOnlySpan<char> text, int at)
    {
        if (at <= 0 || at >= text.Length) return true;
        var next = text[at];
        if (char.IsLowSurrogate(next)) return !char.IsHighSurrogate(text[at - 1]);
        if (next is '\u200D' || text[at - 1] is '\u200D') return false;
        return CharUnicodeInfo.GetUnicodeCategory(next) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark);
    }
}

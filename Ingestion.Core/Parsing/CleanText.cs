using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>Makes text storable and comparable: LF, NFC, no U+0000, no half surrogates, no control characters. Linear in its input.</summary>
internal static class CleanText
{
    private const int LongestMarkRun = 30;
    private static readonly SearchValues<char> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Select(c => (char)c).Where(c => c is not ('\n' or '\t'))]);
    private const char GraphemeJoiner = '\u034F';

    /// <summary>Returns the cleaned text; what was replaced is added to the notes.</summary>
    public static string Normalise(string text, List<string> notes)
    {
        if (Ascii.IsValid(text) && !text.AsSpan().ContainsAny(Controls)) return text;
        var result = new StringBuilder(text.Length);
        int zeros = 0, halves = 0, marks = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c < ' ' || c == '\u007f')
            {
                marks = 0;
                if (c == '\0') { zeros++; result.Append('\uFFFD'); }
                else if (c == '\r') { if (i + 1 >= text.Length || text[i + 1] != '\n') result.Append('\n'); }
                else result.Append(c is '\n' or '\t' ? c : c == '\f' ? '\n' : ' ');
            }
            else if (char.IsSurrogate(c))
            {
                marks = 0;
                if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) result.Append(c).Append(text[++i]);
                else { halves++; result.Append('\uFFFD'); }
            }
            else
            {
                // Normalisation sorts runs of combining marks in quadratic time; Unicode's stream-safe form bounds them.
                if (c < '\u0300' || !IsMark(c)) marks = 0;
                else if (++marks > LongestMarkRun) { result.Append(GraphemeJoiner); marks = 1; }
                if (c != '\uFEFF') result.Append(c);
            }
        }
        if (zeros > 0) notes.Add($"{Count(zeros, "U+0000 character")} replaced by U+FFFD.");
        if (halves > 0) notes.Add($"{Count(halves, "half surrogate")} replaced by U+FFFD.");
        var cleaned = result.ToString();
        return cleaned.IsNormalized(NormalizationForm.FormC) ? cleaned : cleaned.Normalize(NormalizationForm.FormC);
    }

    /// <summary>True where something is left besides blanks, marks-only lines, page markers and table rules.</summary>
    public static bool HasWords(string markdown)
    {
        foreach (var line in markdown.AsSpan().EnumerateLines())
        {
            if (PageMarker.Is(line)) continue;
            foreach (var rune in line.EnumerateRunes())
            {
                if (Rune.IsLetterOrDigit(rune)) return true;
                if (!Rune.IsWhiteSpace(rune) && rune.Value > 0x7f && Rune.GetUnicodeCategory(rune) is UnicodeCategory.OtherSymbol or UnicodeCategory.MathSymbol) return true;
            }
        }
        return false;
    }

    /// <summary>Blank space of every kind folded to single spaces, ends trimmed; at most 500 characters.</summary>
    public static string OneLine(string text)
    {
        var result = new StringBuilder(Math.Min(text.Length, 512));
        foreach (var c in text)
        {
            if (result.Length >= 500) break;
            if (char.IsWhiteSpace(c) || char.IsControl(c)) { if (result.Length > 0 && result[^1] != ' ') result.Append(' '); }
            else result.Append(c);
        }
        if (result.Length > 0 && char.IsHighSurrogate(result[^1])) result.Length--;
        return Normalise(result.ToString().Trim(), []);
    }

    /// <summary>Blank space of every kind folded to single spaces, ends trimmed.</summary>
    public static string Fold(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var c in text)
            if (!char.IsWhiteSpace(c)) result.Append(c);
            else if (result.Length > 0 && result[^1] != ' ') result.Append(' ');
        if (result.Length > 0 && result[^1] == ' ') result.Length--;
        return result.ToString();
    }

    private static bool IsMark(char c) =>
        CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark;

    private static string Count(int n, string what) => n == 1 ? $"1 {what} was" : $"{n} {what}s were";
}

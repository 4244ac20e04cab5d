using Ingestion.Core.Rendering;

namespace Ingestion.Core.Indexing;

/// <summary>A piece of an excerpt. Text as it is: whoever shows it encodes it.</summary>
/// <param name="Hit">It is one of the words that were asked for.</param>
public sealed record SnippetPart(string Text, bool Hit);

/// <summary>Excerpts of what was found: the stretch that holds most of the words, with the words marked.</summary>
public static class Snippet
{
    private const int MaxMatches = 400;

    // Shorter words stand at the beginning of too many others.
    private const int PrefixFrom = 4;

    /// <param name="markdown">A chunk's text.</param>
    /// <param name="length">UTF-16 units of the excerpt, about.</param>
    public static IReadOnlyList<SnippetPart> Of(string markdown, IReadOnlyList<string> words, int length = 280)
    {
        var text = string.Join(' ', SafeMarkdown.ToText(markdown).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        var matches = Matches(text, words);
        var (from, to) = Window(text, matches, length);
        var parts = new List<SnippetPart>();
        var at = from;
        foreach (var match in matches.Where(m => m.Start >= from && m.Start + m.Length <= to))
        {
            if (match.Start > at) parts.Add(new(text[at..match.Start], false));
            parts.Add(new(text.Substring(match.Start, match.Length), true));
            at = match.Start + match.Length;
        }
        if (at < to) parts.Add(new(text[at..to], false));
        if (from > 0) parts.Insert(0, new("… ", false));
        if (to < text.Length) parts.Add(new(" …", false));
        return parts;
    }

    private static List<Match> Matches(string text, IReadOnlyList<string> words)
    {
        var found = new List<Match>();
        if (words.Count == 0) return found;
        for (var i = 0; i < text.Length && found.Count < MaxMatches;)
        {
            if (!IsWord(text[i]))
            {
                i++;
                continue;
            }
            var start = i;
            while (i < text.Length && IsWord(text[i])) i++;
            var word = text.AsSpan(start, i - start);
            for (var w = 0; w < words.Count; w++)
            {
                if (!Fits(word, words[w])) continue;
                found.Add(new(start, i - start, w));
                break;
            }
        }
        return found;
    }

    /// <summary>The stretch that begins a little before a match and holds the most different words; the beginning where nothing matches.</summary>
    private static (int From, int To) Window(string text, List<Match> matches, int length)
    {
        if (text.Length <= length) return (0, text.Length);
        var (best, most) = (0, 0);
        for (var i = 0; i < matches.Count; i++)
        {
            var end = matches[i].Start + length * 3 / 4;
            var different = matches.Skip(i).TakeWhile(m => m.Start + m.Length <= end).Select(m => m.Word).Distinct().Count();
            if (different > most) (best, most) = (matches[i].Start, different);
        }
        var from = Math.Max(0, Math.Min(best - length / 5, text.Length - length));
        var to = Math.Min(text.Length, from + length);
        return (ToBlank(text, from, Math.Min(best, to)), to == text.Length ? to : BackToBlank(text, to, from));
    }

    private static int ToBlank(string text, int from, int atMost)
    {
        if (from == 0) return 0;
        var blank = text.IndexOf(' ', from, Math.Max(0, Math.Min(40, atMost - from)));
        return blank >= 0 ? blank + 1 : char.IsLowSurrogate(text[from]) ? from - 1 : from;
    }

    private static int BackToBlank(string text, int to, int from)
    {
        var blank = text.LastIndexOf(' ', to - 1, Math.Min(40, to - from));
        return blank > from ? blank : char.IsLowSurrogate(text[to]) ? to - 1 : to;
    }

    private static bool Fits(ReadOnlySpan<char> word, string wanted) => wanted.Length >= PrefixFrom
        ? word.StartsWith(wanted, StringComparison.InvariantCultureIgnoreCase)
        : word.Equals(wanted, StringComparison.InvariantCultureIgnoreCase);

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c);

    private readonly record struct Match(int Start, int Length, int Word);
}

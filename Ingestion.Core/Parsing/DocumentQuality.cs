using System.Globalization;
using System.Text.Json;

namespace Ingestion.Core.Parsing;

/// <summary>
/// How readable a parsed document is, 0 to 1: its worst part decides. A text can come out of a parser without an error and be useless: a scan with
/// a line of text, bytes read in the wrong character set, glyphs of a font that has an alphabet of its own.
/// </summary>
/// <param name="Parts">By name, each 0 to 1, with 1 for what is as it should be. Only what the document has is measured.</param>
public sealed record DocumentQuality(double Score, IReadOnlyDictionary<string, double> Parts)
{
    /// <summary>Letters, marks and digits among all that is no blank.</summary>
    public const string Letters = "letters";
    /// <summary>Text that is not the leftover of a wrong character set.</summary>
    public const string Charset = "charset";
    /// <summary>Words that could be words: of one script, with vowels, without signs inside.</summary>
    public const string Words = "words";
    /// <summary>Characters a page, where there are several pages.</summary>
    public const string Density = "density";
    /// <summary>Pages that hold text, where there are several.</summary>
    public const string Pages = "pages";

    // A page of fewer characters is a picture with a caption.
    private const int CharactersOfAPage = 40;

    // Fewer words say nothing about their alphabet.
    private const int EnoughWords = 20;

    public static DocumentQuality Of(ParsedDocument document)
    {
        var (letters, signs, broken, pages) = Count(document.Markdown);
        var parts = new Dictionary<string, double>
        {
            [Letters] = Part((double)letters / Math.Max(1, letters + signs), bad: 0.2, good: 0.5),
            // Rare ones happen in any text; the constant keeps a single one in a short text from deciding.
            [Charset] = Part(1 - (double)broken / (letters + signs + 40), bad: 0.9, good: 0.99),
        };
        if (WordShape.Share(document.Markdown, EnoughWords) is { } plausible) parts[Words] = Part(plausible, bad: 0.7, good: 0.93);
        if (document.Pages is > 1 and var count)
        {
            parts[Density] = Part((double)(letters + signs) / count, bad: 0, good: CharactersOfAPage);
            parts[Pages] = Part((double)Math.Min(pages, count) / count, bad: 0, good: 0.7);
        }
        return new(parts.Values.Min(), parts);
    }

    /// <summary>Score and parts as a JSON object.</summary>
    public string PartsJson => JsonSerializer.Serialize(Parts);

    /// <summary>The worst part in a sentence for a person.</summary>
    public static string Sentence(double score, IReadOnlyDictionary<string, double> parts)
    {
        var worst = parts.Count == 0 ? "" : parts.MinBy(p => p.Value).Key;
        var why = worst switch
        {
            Letters => "little of it is letters",
            Charset => "it looks as if read in the wrong character set",
            Words => "its words look like glyphs of a font with an alphabet of its own",
            Density => "its pages hold next to no text",
            Pages => "most of its pages are empty",
            _ => "it is hardly readable",
        };
        return string.Create(CultureInfo.InvariantCulture, $"Quality {score:0.00}: {why}.");
    }

    private static double Part(double value, double bad, double good) => Math.Round(Math.Clamp((value - bad) / (good - bad), 0, 1), 3);

    private static (int Letters, int Signs, int Broken, int Pages) Count(string markdown)
    {
        var (letters, signs, broken, pages, onPage) = (0, 0, 0, 0, false);
        foreach (var line in markdown.AsSpan().EnumerateLines())
        {
            if (PageMarker.Is(line))
            {
                onPage = false;
                continue;
            }
            for (var i = 0; i < line.Length; i++)
            {
                var c = line[i];
                if (char.IsWhiteSpace(c)) continue;
                // Marks of Markdown itself say nothing about the document.
                if (c is '|' or '#' or '*' or '`' or '-' or '>' or '\\' or '_') continue;
                if (!onPage) (onPage, pages) = (true, pages + 1);
                if (IsBroken(line, i)) broken++;
                if (char.IsLetterOrDigit(c) || char.IsSurrogate(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark) letters++;
                else signs++;
            }
        }
        return (letters, signs, broken, pages);
    }

    // What UTF-8 looks like when read as Latin-1, characters nobody could read, and those that only one font knows.
    private static bool IsBroken(ReadOnlySpan<char> line, int i) => line[i] switch
    {
        '\uFFFD' or (>= '\u0080' and <= '\u009F') or (>= '\uE000' and <= '\uF8FF') => true,
        'Ã' or 'Â' or 'â' or 'ð' => i + 1 < line.Length && (line[i + 1] is (>= '\u0080' and <= '\u00BF') or '€' or 'ƒ' or '‚' or '„' or '™' or 'Ÿ'),
        _ => false,
    };
}

using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Wordprocessing;

namespace Ingestion.Core.Parsing;

/// <summary>What a document's styles say about a paragraph: its outline level, its list, whether it is code. Follows “based on”.</summary>
internal sealed class DocxStyles
{
    private const int LongestChain = 20;
    private static readonly string[] CodeFonts = ["Courier", "Consolas", "Menlo", "Monaco", "Mono", "Lucida Console"];
    private readonly Dictionary<string, Style> _styles = [];

    public DocxStyles(MainDocumentPart main)
    {
        foreach (var style in main.StyleDefinitionsPart?.Styles?.Elements<Style>() ?? [])
            if (style.StyleId?.Value is { } id) _styles[id] = style;
    }

    /// <summary>Heading level 1 to 6; null for body text. The built-in names are the same in every language, ids are not.</summary>
    public int? Level(Paragraph paragraph)
    {
        var properties = paragraph.ParagraphProperties;
        if (properties?.OutlineLevel?.Val?.Value is { } own) return own is >= 0 and < 9 ? Math.Min(own + 1, 6) : null;
        var id = properties?.ParagraphStyleId?.Val?.Value;
        foreach (var style in Chain(id))
        {
            if (style.StyleParagraphProperties?.OutlineLevel?.Val?.Value is { } level) return level is >= 0 and < 9 ? Math.Min(level + 1, 6) : null;
            var name = style.StyleName?.Val?.Value?.ToLowerInvariant();
            if (name is "title") return 1;
            if (name is ['h', 'e', 'a', 'd', 'i', 'n', 'g', ' ', >= '1' and <= '9' and var digit]) return Math.Min(digit - '0', 6);
        }
        // A document without a styles part still names its headings.
        return id is not null && _styles.Count == 0 && id.StartsWith("Heading", StringComparison.OrdinalIgnoreCase) && id.Length == 8 && char.IsAsciiDigit(id[7])
            ? Math.Clamp(id[7] - '0', 1, 6) : null;
    }

    public bool IsTitle(Paragraph paragraph) =>
        Chain(paragraph.ParagraphProperties?.ParagraphStyleId?.Val?.Value).Any(s => s.StyleName?.Val?.Value?.ToLowerInvariant() is "title");

    /// <summary>The list that a paragraph's style puts it into.</summary>
    public NumberingProperties? Numbering(Paragraph paragraph) =>
        Chain(paragraph.ParagraphProperties?.ParagraphStyleId?.Val?.Value).Select(s => s.StyleParagraphProperties?.NumberingProperties).FirstOrDefault(n => n is not null);

    /// <summary>True where a paragraph's style, or the font of all its runs, is that of program text.</summary>
    public bool IsCode(Paragraph paragraph)
    {
        foreach (var style in Chain(paragraph.ParagraphProperties?.ParagraphStyleId?.Val?.Value))
        {
            var name = style.StyleName?.Val?.Value ?? "";
            if (name.Contains("code", StringComparison.OrdinalIgnoreCase) || name is "HTML Preformatted" or "Plain Text" && IsMono(style.StyleRunProperties?.RunFonts?.Ascii?.Value)) return true;
            if (IsMono(style.StyleRunProperties?.RunFonts?.Ascii?.Value)) return true;
        }
        var runs = paragraph.Elements<Run>().Where(r => r.InnerText.Length > 0).ToList();
        return runs.Count > 0 && runs.TrueForAll(r => IsMono(r.RunProperties?.RunFonts?.Ascii?.Value));
    }

    private IEnumerable<Style> Chain(string? id)
    {
        for (var i = 0; i < LongestChain && id is not null && _styles.TryGetValue(id, out var style); i++)
        {
            yield return style;
            id = style.BasedOn?.Val?.Value;
        }
    }

    private static bool IsMono(string? font) => font is not null && CodeFonts.Any(f => font.Contains(f, StringComparison.OrdinalIgnoreCase));
}

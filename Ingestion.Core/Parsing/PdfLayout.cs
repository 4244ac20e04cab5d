using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Makes paragraphs of what pdftotext found (it joins hyphenated words and most lines itself): joins lines that were only broken for
/// the page's width, sets bullets as lists, removes running heads and feet. Guesses no headings: a wrong one harms more than a missing one.
/// </summary>
internal static class PdfLayout
{
    private const int FewestPagesForRunning = 4;
    private const int EdgeLines = 2;

    public static string ToMarkdown(IReadOnlyList<string> pages, CancellationToken ct)
    {
        var lines = pages.Select(p => p.Split('\n').Select(l => l.TrimEnd()).ToList()).ToList();
        RemoveRunning(lines);
        var result = new StringBuilder();
        for (var page = 0; page < lines.Count; page++)
        {
            ct.ThrowIfCancellationRequested();
            result.Append(PageMarker.For(page + 1)).Append("\n\n");
            var longest = lines[page].Count == 0 ? 0 : lines[page].Max(l => l.Length);
            foreach (var block in BlocksOf(lines[page])) Append(result, block, longest);
        }
        return result.ToString();
    }

    private static IEnumerable<List<string>> BlocksOf(List<string> lines)
    {
        var block = new List<string>();
        foreach (var line in lines)
        {
            if (line.Trim().Length > 0) { block.Add(line.Trim()); continue; }
            if (block.Count > 0) yield return block;
            block = [];
        }
        if (block.Count > 0) yield return block;
    }

    private static void Append(StringBuilder result, List<string> block, int longest)
    {
        var paragraph = new StringBuilder();
        for (var i = 0; i < block.Count; i++)
        {
            if (paragraph.Length > 0) Join(paragraph, block[i - 1], block[i], longest, result);
            paragraph.Append(Bullet(block[i]));
        }
        result.Append(Guard(paragraph.ToString())).Append("\n\n");
    }

    /// <summary>Continues a paragraph with its next line: after a blank, or as a line of its own where the one before ended early.</summary>
    private static void Join(StringBuilder paragraph, string before, string next, int longest, StringBuilder result)
    {
        if (IsBullet(next)) { result.Append(Guard(paragraph.ToString())).Append('\n'); paragraph.Clear(); return; }
        // Lines that end well before the margin were ended on purpose: addresses, tables, verse.
        paragraph.Append(before.Length >= longest * 0.5 ? ' ' : '\n');
    }

    /// <summary>
    /// Blanks lines at the top and bottom edge that stand, but for their numbers, on most pages. The first occurrence stays: what it
    /// says remains findable.
    /// </summary>
    private static void RemoveRunning(List<List<string>> pages)
    {
        if (pages.Count < FewestPagesForRunning) return;
        var seen = new Dictionary<string, int>();
        foreach (var page in pages)
            foreach (var key in Edges(page).Select(i => Key(page[i])).Distinct()) seen[key] = seen.GetValueOrDefault(key) + 1;
        var kept = new HashSet<string>();
        foreach (var page in pages)
            foreach (var i in Edges(page).ToList())
                if (Key(page[i]) is { Length: > 0 } key && seen[key] >= Math.Max(FewestPagesForRunning, pages.Count * 0.6) && !kept.Add(key)) page[i] = "";
    }

    private static IEnumerable<int> Edges(List<string> page)
    {
        var filled = Enumerable.Range(0, page.Count).Where(i => page[i].Trim().Length > 0).ToList();
        return filled.Take(EdgeLines).Concat(filled.TakeLast(EdgeLines)).Distinct();
    }

    private static string Key(string line)
    {
        var key = new StringBuilder(line.Length);
        foreach (var c in line.Trim())
            if (!char.IsDigit(c)) key.Append(c);
            else if (key.Length == 0 || key[^1] != '0') key.Append('0');
        return key.Length > 200 ? "" : key.ToString();
    }

    private static bool IsBullet(string line) => line.Length > 1 && line[0] is '•' or '▪' or '◦' or '●' or '■' or '‣' or '\uf0b7';

    private static string Bullet(string line) => IsBullet(line) ? "- " + line[1..].TrimStart() : line;

    private static string Guard(string paragraph) =>
        paragraph.StartsWith("- ", StringComparison.Ordinal) ? paragraph : TextParser.AsMarkdown(paragraph).TrimEnd('\n');
}

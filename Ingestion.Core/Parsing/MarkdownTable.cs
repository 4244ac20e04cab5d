using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>GFM tables: one line a row, pipes escaped, every row as wide as the widest.</summary>
internal static class MarkdownTable
{
    /// <summary>Text for a cell: blank space folded, pipes escaped.</summary>
    public static string Cell(string text)
    {
        var plain = true;
        for (var i = 0; i < text.Length && plain; i++)
            plain = text[i] is not ('|' or '\n' or '\r' or '\t') && !(text[i] == ' ' && (i == 0 || i == text.Length - 1));
        if (plain) return text;
        var result = new StringBuilder(text.Length + 8);
        foreach (var c in text)
            if (char.IsWhiteSpace(c)) { if (result.Length > 0 && result[^1] != ' ') result.Append(' '); }
            else if (c == '|' && !(result.Length > 0 && result[^1] == '\\')) result.Append("\\|");
            else result.Append(c);
        return result.ToString().TrimEnd();
    }

    /// <summary>Appends rows of cells that are Markdown already; the first is the header. Rows may differ in width.</summary>
    public static void Write(StringBuilder result, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var columns = rows.Max(r => r.Count);
        for (var r = 0; r < rows.Count; r++)
        {
            for (var i = 0; i < columns; i++) result.Append("| ").Append(i < rows[r].Count ? Cell(rows[r][i]) : "").Append(' ');
            result.Append("|\n");
            if (r > 0) continue;
            for (var i = 0; i < columns; i++) result.Append("| --- ");
            result.Append("|\n");
        }
    }
}

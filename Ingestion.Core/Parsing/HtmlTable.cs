using System.Text;
using AngleSharp.Dom;

namespace Ingestion.Core.Parsing;

/// <summary>Reads an HTML table into a grid: spans filled in, empty rows and columns dropped. Tables that only lay a page out are not grids.</summary>
internal static class HtmlTable
{
    private const int WidestSpan = 200;
    private const int TallestSpan = 2_000;
    private const int MostCells = 2_000_000;

    /// <summary>The grid, header first; null where the table is layout and its cells should be read one after another.</summary>
    public static IReadOnlyList<IReadOnlyList<string>>? Read(IElement table, MarkdownInlines inlines)
    {
        if (table.GetAttribute("role") is "presentation" or "none" || table.QuerySelector("table") is not null) return null;
        var rows = Rows(table).ToList();
        if (rows.Count == 0 || rows.Max(r => CellsOf(r).Count()) <= 1) return null;
        var hasHeader = table.QuerySelector("th") is not null;
        if (!hasHeader && table.QuerySelector("h1,h2,h3,h4,pre,article") is not null) return null;

        var grid = Fill(rows, inlines);
        var used = Enumerable.Range(0, grid.Count == 0 ? 0 : grid.Max(r => r.Count)).Where(c => grid.Exists(r => c < r.Count && r[c].Length > 0)).ToArray();
        var result = grid.Where(r => r.Exists(c => c.Length > 0)).Select(r => (IReadOnlyList<string>)[.. used.Select(c => c < r.Count ? r[c] : "")]).ToList();
        return used.Length == 1 ? null : result;
    }

    /// <summary>The cells of this table alone, not of those inside of it, in reading order.</summary>
    public static IEnumerable<IElement> Cells(IElement table) =>
        table.Children.Where(c => c.LocalName == "caption").Concat(Rows(table).SelectMany(CellsOf));

    private static IEnumerable<IElement> Rows(IElement table) => table.Children.SelectMany(c => c.LocalName switch
    {
        "tr" => [c],
        "thead" or "tbody" or "tfoot" => c.Children.Where(r => r.LocalName == "tr"),
        _ => Enumerable.Empty<IElement>(),
    });

    private static IEnumerable<IElement> CellsOf(IElement row) => row.Children.Where(c => c.LocalName is "td" or "th");

    private static List<List<string>> Fill(List<IElement> rows, MarkdownInlines inlines)
    {
        var grid = new List<List<string>>(rows.Count);
        var hanging = new Dictionary<int, (int Left, string Text)>();
        var cells = 0;
        foreach (var row in rows)
        {
            var line = new List<string>();
            var alone = CellsOf(row).Count() == 1;
            foreach (var cell in CellsOf(row))
            {
                Hang(line, hanging);
                var inner = new StringBuilder();
                inlines.AppendChildren(inner, cell);
                var text = CleanText.Fold(inner.ToString());
                int wide = Span(cell, "colspan", WidestSpan), tall = Span(cell, "rowspan", TallestSpan);
                for (var i = 0; i < wide; i++)
                {
                    if (tall > 1) hanging[line.Count] = (tall - 1, i == 0 ? text : "");
                    line.Add(i == 0 || cell.LocalName == "th" && !alone ? text : "");
                }
                if ((cells += wide) > MostCells) return grid;
            }
            Hang(line, hanging);
            grid.Add(line);
        }
        return grid;
    }

    /// <summary>A cell that spans rows stands in each of them: a row read alone has to be understood.</summary>
    private static void Hang(List<string> line, Dictionary<int, (int Left, string Text)> hanging)
    {
        while (hanging.Remove(line.Count, out var above))
        {
            if (above.Left > 1) hanging[line.Count] = (above.Left - 1, above.Text);
            line.Add(above.Text);
        }
    }

    private static int Span(IElement cell, string name, int most) =>
        int.TryParse(cell.GetAttribute(name), out var n) ? Math.Clamp(n, 1, most) : 1;
}

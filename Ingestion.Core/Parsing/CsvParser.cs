using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Delimited text as a GFM table, or as records under headings where rows are too wide for a table to be read or to be split.
/// Linear in the file's length, so it runs in the host.
/// </summary>
public sealed class CsvParser(ParseLimits limits) : IDocumentParser
{
    private const int WidestTable = 16;
    private const int LongestRow = 500;
    private const int MostColumns = 16_384;
    private const int RowsPerProgress = 10_000;

    public string Format => "csv";

    public int Version => 1;

    public async Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        var text = await Charsets.ReadAsync(raw, limits, ct);
        var delimiter = CsvReader.Delimiter(text);
        if (text.StartsWith("sep=", StringComparison.OrdinalIgnoreCase)) text = text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        var links = new LinkList(raw.Url);
        var shape = Measure(text, delimiter, links, progress, ct);
        var result = new StringBuilder();
        if (shape.Title is not null) result.Append("# ").Append(Cell(shape.Title)).Append("\n\n");
        Write(result, CsvReader.Read(text, delimiter).Skip(shape.Title is null ? 0 : 1), shape, ct);
        return ParserGuards.Finish(shape.Title, result.ToString(), links, [], limits);
    }

    /// <summary>Rows are counted first and written in a second reading: kept in between they would cost many times the file.</summary>
    private sealed record Shape(string? Title, int Columns, int Rows, bool AsTable);

    private static Shape Measure(string text, char delimiter, LinkList links, ParseProgress? progress, CancellationToken ct)
    {
        string? title = null;
        int rows = 0, columns = 0;
        long length = 0;
        foreach (var row in CsvReader.Read(text, delimiter))
        {
            ct.ThrowIfCancellationRequested();
            columns = Math.Max(columns, row.Count);
            if (columns > MostColumns) throw new IngestionException(ErrorCodes.LimitExceeded, $"A row exceeds the limit of {MostColumns:N0} columns.");
            if (rows == 0 && title is null && row.Count > 1 && row.Count(f => !string.IsNullOrWhiteSpace(f)) == 1)
            {
                title = row.First(f => !string.IsNullOrWhiteSpace(f));
                continue;
            }
            foreach (var field in row)
            {
                length += field.Length;
                if (field.StartsWith("http", StringComparison.OrdinalIgnoreCase)) links.Add(field, field);
            }
            if (++rows % RowsPerProgress == 0) progress?.Invoke(rows, null, $"{rows:N0} rows read");
        }
        return new Shape(title, columns, rows, rows <= 1 || columns <= WidestTable && length <= (long)LongestRow * rows);
    }

    private void Write(StringBuilder result, IEnumerable<IReadOnlyList<string>> rows, Shape shape, CancellationToken ct)
    {
        IReadOnlyList<string>? header = null;
        var number = 0;
        foreach (var row in rows)
        {
            ct.ThrowIfCancellationRequested();
            if (result.Length > limits.MaxCharacters) throw new IngestionException(ErrorCodes.LimitExceeded, $"The table exceeds the limit of {limits.MaxCharacters:N0} characters.");
            if (header is not null && !shape.AsTable) { Record(result, header, row, ++number); continue; }
            if (shape.AsTable) Row(result, row, shape.Columns);
            if (header is null && shape.AsTable)
            {
                for (var i = 0; i < shape.Columns; i++) result.Append("| --- ");
                result.Append("|\n");
            }
            header ??= row;
        }
    }

    private static void Row(StringBuilder result, IReadOnlyList<string> row, int columns)
    {
        for (var i = 0; i < columns; i++) result.Append("| ").Append(i < row.Count ? Cell(row[i]) : "").Append(' ');
        result.Append("|\n");
    }

    private static void Record(StringBuilder result, IReadOnlyList<string> header, IReadOnlyList<string> row, int number)
    {
        var name = row.FirstOrDefault(f => !string.IsNullOrWhiteSpace(f)) is { Length: <= 80 } first ? $"Row {number}: {Cell(first)}" : $"Row {number}";
        result.Append("## ").Append(name).Append("\n\n");
        for (var i = 0; i < row.Count; i++)
        {
            if (string.IsNullOrWhiteSpace(row[i])) continue;
            var label = i < header.Count && !string.IsNullOrWhiteSpace(header[i]) ? Cell(header[i]) : $"Column {i + 1}";
            result.Append("- **").Append(label).Append("**: ").Append(Cell(row[i])).Append('\n');
        }
        result.Append('\n');
    }

    private static string Cell(string text) => MarkdownTable.Cell(text);
}

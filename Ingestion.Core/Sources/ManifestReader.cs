using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Reads manifests: tables of addresses as CSV with any usual delimiter, quoting, line end and encoding. Streams: a million rows take
/// the memory of one. Every method reads from the stream's position and leaves it open; each throws <c>invalid_manifest</c> for what is
/// no table, naming the line.
/// </summary>
public static class ManifestReader
{
    private const int PreviewRows = 10;

    /// <summary>Rows that a guess is based on.</summary>
    private const int SampleRows = 100;

    private const int ColumnsNamed = 20;

    /// <summary>Looks at the beginning of a manifest.</summary>
    public static async Task<ManifestPreview> PreviewAsync(Stream stream, CancellationToken ct)
    {
        long? length = stream.CanSeek ? stream.Length - stream.Position : null;
        await using var table = await DelimitedTable.OpenAsync(stream, ct);
        var head = await Head.ReadAsync(table, ct);
        var estimate = head.IsWhole ? head.Rows.Count : head.EndOffset > 0 ? length * head.Rows.Count / head.EndOffset : null;
        return new ManifestPreview(
            table.Delimiter,
            table.Encoding,
            head.HasHeader,
            head.Columns,
            [.. head.Rows.Take(PreviewRows).Select(r => Enumerable.Range(0, head.Columns.Count).Select(i => Cell(r.Cells, i)).ToArray())],
            ManifestColumns.Guess(head.Columns, head.Cells),
            estimate);
    }

    /// <summary>
    /// Reads every row that is not blank. Without a mapping it is guessed as in the preview. Throws <c>invalid_manifest</c> naming the
    /// columns that were found where none of them holds addresses.
    /// </summary>
    public static async IAsyncEnumerable<ManifestRow> ReadAsync(
        Stream stream, ManifestMapping? mapping = null, [EnumeratorCancellation] CancellationToken ct = default)
    {
        await using var table = await DelimitedTable.OpenAsync(stream, ct);
        var head = await Head.ReadAsync(table, ct);
        var url = UrlColumn(head, ref mapping);
        var title = mapping.TitleColumn is { } name ? Find(head.Columns, name) : null;

        var number = 0;
        foreach (var (line, cells) in head.Rows)
            yield return ToRow(++number, line, cells, head.Columns, url, title);
        if (head.IsWhole)
            yield break;
        while (await table.ReadAsync(ct))
            yield return ToRow(++number, table.Line, table.Cells(), head.Columns, url, title);
    }

    /// <summary>Counts rows without making them.</summary>
    public static async Task<ManifestCount> CountRowsAsync(Stream stream, CancellationToken ct)
    {
        await using var table = await DelimitedTable.OpenAsync(stream, ct);
        var head = await Head.ReadAsync(table, ct);
        var rows = head.Rows.Count;
        if (!head.IsWhole)
        {
            while (await table.ReadAsync(ct))
                rows++;
        }
        return new ManifestCount(rows, table.BlankRecords);
    }

    private static int UrlColumn(Head head, [System.Diagnostics.CodeAnalysis.NotNull] ref ManifestMapping? mapping)
    {
        var found = string.Join(", ", head.Columns.Take(ColumnsNamed).Select(c => c.Length > 60 ? c[..60] + "…" : c));
        mapping ??= ManifestColumns.Guess(head.Columns, head.Cells)
            ?? throw new IngestionException(ErrorCodes.InvalidManifest, $"No column holds addresses. Columns found: {found}.");
        return Find(head.Columns, mapping.UrlColumn)
            ?? throw new IngestionException(ErrorCodes.InvalidManifest, $"There is no column '{mapping.UrlColumn}'. Columns found: {found}.");
    }

    private static int? Find(IReadOnlyList<string> columns, string name)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].Equals(name.Trim(), StringComparison.OrdinalIgnoreCase))
                return i;
        }
        return null;
    }

    private static ManifestRow ToRow(int number, int line, string[] cells, IReadOnlyList<string> columns, int url, int? title)
    {
        var metadata = new Dictionary<string, string>();
        for (var i = 0; i < cells.Length; i++)
        {
            // A row can be longer than the header: what stands there is kept under a number.
            if (i != url && i != title && cells[i].Trim() is { Length: > 0 } text)
                metadata[i < columns.Count ? columns[i] : ManifestColumns.Numbered(i)] = text;
        }
        var name = title is { } t && Cell(cells, t).Trim() is { Length: > 0 } written ? written : null;
        return new ManifestRow(number, line, Cell(cells, url).Trim(), name, metadata);
    }

    private static string Cell(string[] cells, int index) => index < cells.Length ? cells[index] : "";

    /// <summary>The columns and the first rows, kept so that they are read once.</summary>
    private sealed record Head(bool HasHeader, List<string> Columns, List<(int Line, string[] Cells)> Rows, bool IsWhole, long EndOffset)
    {
        public IReadOnlyList<string[]> Cells => Rows.ConvertAll(r => r.Cells);

        public static async Task<Head> ReadAsync(DelimitedTable table, CancellationToken ct)
        {
            if (!await table.ReadAsync(ct))
                throw new IngestionException(ErrorCodes.InvalidManifest, "The file is empty.");

            var first = table.Cells();
            var rows = new List<(int, string[])>();
            // No header holds an address, and a first row of data usually does.
            var hasHeader = !first.Any(ManifestColumns.IsUrl);
            if (!hasHeader)
                rows.Add((table.Line, first));

            var start = table.ByteOffset;
            while (rows.Count < SampleRows && await table.ReadAsync(ct))
                rows.Add((table.Line, table.Cells()));
            var whole = rows.Count < SampleRows;
            var columns = ManifestColumns.Name(hasHeader ? first : [.. first.Select((_, i) => ManifestColumns.Numbered(i))]);
            return new Head(hasHeader, columns, rows, whole, whole ? 0 : table.ByteOffset - start);
        }
    }
}

using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Xml;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>
/// An .xlsx workbook, written while its rows come and to a stream that only goes forward. Every cell is a text, so no program takes one for a
/// formula, whatever strangers wrote. A sheet that is full is followed by another one with the same header.
/// </summary>
internal static class Workbook
{
    public const string MediaType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

    /// <summary>Rows of a sheet with its header, of which programs take no more.</summary>
    public const int MaxRows = 1_048_576;

    // The same of a cell, in characters.
    private const int MaxCell = 32_767;

    private const string Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    private const string Package = "http://schemas.openxmlformats.org/package/2006/relationships";
    private const string Kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";

    public static async Task WriteAsync(Stream body, IReadOnlyList<string> columns, IAsyncEnumerable<IEnumerable<string?>> rows, CancellationToken ct, int rowsOfSheet = MaxRows)
    {
        await using var output = new ForwardOutput(body);
        var zip = await ZipArchive.CreateAsync(output, ZipArchiveMode.Create, leaveOpen: true, entryNameEncoding: null, ct);
        await using (zip)
        {
            var sheets = 0;
            await using (var reading = rows.GetAsyncEnumerator(ct))
                for (var more = await reading.MoveNextAsync(); more || sheets == 0;)
                    more = await SheetAsync(zip, $"xl/worksheets/sheet{++sheets}.xml", columns, reading, more, rowsOfSheet, ct);
            await PartsAsync(zip, sheets, ct);
        }
    }

    // True where rows are left.
    private static async Task<bool> SheetAsync(ZipArchive zip, string name, IReadOnlyList<string> columns, IAsyncEnumerator<IEnumerable<string?>> rows, bool more, int most, CancellationToken ct)
    {
        await using var part = await OpenAsync(zip, name, ct);
        await using var xml = Writer(part);
        await xml.WriteStartDocumentAsync(true);
        await xml.WriteStartElementAsync(null, "worksheet", Main);
        await xml.WriteStartElementAsync(null, "sheetData", Main);
        await RowAsync(xml, columns);
        for (var written = 1; more && written < most; written++, more = await rows.MoveNextAsync()) await RowAsync(xml, rows.Current);
        await xml.WriteEndDocumentAsync();
        await xml.FlushAsync();
        return more;
    }

    private static async Task RowAsync(XmlWriter xml, IEnumerable<string?> cells)
    {
        await xml.WriteStartElementAsync(null, "row", Main);
        foreach (var cell in cells)
        {
            await xml.WriteStartElementAsync(null, "c", Main);
            if (!string.IsNullOrEmpty(cell))
            {
                await xml.WriteAttributeStringAsync(null, "t", null, "inlineStr");
                await xml.WriteStartElementAsync(null, "is", Main);
                await xml.WriteStartElementAsync(null, "t", Main);
                await xml.WriteAttributeStringAsync("xml", "space", null, "preserve");
                await xml.WriteStringAsync(Plain(cell));
                await xml.WriteEndElementAsync();
                await xml.WriteEndElementAsync();
            }
            await xml.WriteEndElementAsync();
        }
        await xml.WriteEndElementAsync();
    }

    private static async Task PartsAsync(ZipArchive zip, int sheets, CancellationToken ct)
    {
        var all = Enumerable.Range(1, sheets).Select(n => n.ToString(CultureInfo.InvariantCulture)).ToList();
        await TextAsync(zip, "xl/workbook.xml", $"""<workbook xmlns="{Main}" xmlns:r="{Office}"><sheets>{string.Concat(all.Select(n => $"""<sheet name="Reviews {n}" sheetId="{n}" r:id="s{n}"/>"""))}</sheets></workbook>""", ct);
        await TextAsync(zip, "xl/_rels/workbook.xml.rels", $"""<Relationships xmlns="{Package}">{string.Concat(all.Select(n => $"""<Relationship Id="s{n}" Type="{Office}/worksheet" Target="worksheets/sheet{n}.xml"/>"""))}</Relationships>""", ct);
        await TextAsync(zip, "_rels/.rels", $"""<Relationships xmlns="{Package}"><Relationship Id="w" Type="{Office}/officeDocument" Target="xl/workbook.xml"/></Relationships>""", ct);
        await TextAsync(zip, "[Content_Types].xml", $"""
            <Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{Kind}.sheet.main+xml"/>{string.Concat(all.Select(n => $"""<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{Kind}.worksheet+xml"/>"""))}</Types>
            """, ct);
    }

    private static async Task TextAsync(ZipArchive zip, string name, string xml, CancellationToken ct)
    {
        await using var part = await OpenAsync(zip, name, ct);
        await part.WriteAsync(Encoding.UTF8.GetBytes($"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{xml}"""), ct);
    }

    private static Task<Stream> OpenAsync(ZipArchive zip, string name, CancellationToken ct) => zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(ct);

    private static XmlWriter Writer(Stream part) => XmlWriter.Create(part, new() { Async = true, Encoding = new UTF8Encoding(false), CloseOutput = false });

    // What XML holds and a cell takes; the rest stands in the JSON forms.
    private static string Plain(string text)
    {
        if (text.Length > MaxCell) text = string.Concat(text.AsSpan(0, MaxCell - (char.IsHighSurrogate(text[MaxCell - 2]) ? 2 : 1)), "…");
        if (text.All(c => XmlConvert.IsXmlChar(c))) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])) plain.Append(text[i]).Append(text[++i]);
            else plain.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
        return plain.ToString();
    }
}

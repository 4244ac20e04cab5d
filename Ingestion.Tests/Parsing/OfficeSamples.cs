using System.IO.Compression;
using System.Text;

namespace Ingestion.Tests.Parsing;

/// <summary>Word files written part by part, so that a test can leave out, break or inflate any of them.</summary>
internal static class OfficeSamples
{
    private const string Types = """
        <?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>PARTS</Types>
        """;

    private const string Relations = """
        <?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">ITEMS</Relationships>
        """;

    private const string Office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    /// <summary>A document with the given body; other parts by their name under word/ (styles, numbering, footnotes).</summary>
    public static byte[] Docx(string body, Dictionary<string, string>? parts = null, string relations = "", string prolog = "")
    {
        parts ??= [];
        var overrides = string.Concat(parts.Keys.Select(p => $"""<Override PartName="/word/{p}.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.{p}+xml"/>"""));
        var items = string.Concat(parts.Keys.Select(p => $"""<Relationship Id="r-{p}" Type="{Office}/{p}" Target="{p}.xml"/>"""));
        return Zip([
            ("[Content_Types].xml", Types.Replace("PARTS", overrides)),
            ("_rels/.rels", Relations.Replace("ITEMS", $"""<Relationship Id="r1" Type="{Office}/officeDocument" Target="word/document.xml"/>""")),
            ("word/_rels/document.xml.rels", Relations.Replace("ITEMS", items + relations)),
            ("word/document.xml", $"""<?xml version="1.0"?>{prolog}<w:document {Namespaces}><w:body>{body}</w:body></w:document>"""),
            .. parts.Select(p => ($"word/{p.Key}.xml", p.Value.Replace("NAMESPACES", Namespaces)))]);
    }

    public static string P(string text, string properties = "") => $"<w:p><w:pPr>{properties}</w:pPr>{R(text)}</w:p>";

    public static string R(string text, string properties = "") => $"""<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>""";

    private const string Namespaces = $"""xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="{Office}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" """;

    private static byte[] Zip(IEnumerable<(string Name, string Content)> entries)
    {
        var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in entries)
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.Fastest).Open();
                entry.Write(Encoding.UTF8.GetBytes(content));
            }
        return stream.ToArray();
    }
}

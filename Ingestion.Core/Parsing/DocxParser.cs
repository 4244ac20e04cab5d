using System.Text;
using System.Xml;
using DocumentFormat.OpenXml;
using DocumentFormat.OpenXml.Packaging;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Word documents. The body is read one block at a time; external references are never followed. A hostile file can exhaust the
/// process, so this runs in a worker.
/// </summary>
public sealed class DocxParser(ParseLimits limits) : IDocumentParser
{
    public string Format => "docx";

    public int Version => 1;

    public Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        ParserGuards.RequireReadable(raw, limits);
        return Task.Run(() => Parse(raw, progress, ct), ct);
    }

    private ParsedDocument Parse(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        using var file = File.OpenRead(raw.Path);
        OfficeZip.Inspect(file, ct);
        file.Position = 0;
        try
        {
            using var word = Open(file);
            return Read(word, raw, progress, ct);
        }
        // The SDK raises whatever its innards run into; behind a container that was sound, all of it means a malformed document.
        catch (Exception e) when (e is OpenXmlPackageException or XmlException or FileFormatException or InvalidDataException or InvalidOperationException
            or NullReferenceException or ArgumentException or FormatException or KeyNotFoundException or IOException or NotSupportedException or UriFormatException)
        {
            throw new IngestionException(ErrorCodes.Corrupt, "The file is damaged: its Word content is malformed.", e);
        }
    }

    private static WordprocessingDocument Open(Stream file)
    {
        try
        {
            return WordprocessingDocument.Open(file, false);
        }
        catch (OpenXmlPackageException)
        {
            // Links that are no URIs stop the SDK from opening a file; it can rewrite them, but only in a copy it may change.
            var copy = new MemoryStream();
            file.Position = 0;
            file.CopyTo(copy);
            var settings = new OpenSettings { AutoSave = false, RelationshipErrorHandlerFactory = RelationshipErrorHandler.CreateRewriterFactory((_, _, _) => "about:blank") };
            return WordprocessingDocument.Open(copy, true, settings);
        }
    }

    private ParsedDocument Read(WordprocessingDocument word, RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        var main = word.MainDocumentPart ?? throw new IngestionException(ErrorCodes.Corrupt, "The file is damaged: it has no Word document inside.");
        // Only parts named so were looked through for depth and document types.
        if (main.Parts.Select(p => p.OpenXmlPart).Append(main).Any(p => p.ContentType.EndsWith("+xml", StringComparison.Ordinal) && !p.Uri.OriginalString.EndsWith(".xml", StringComparison.OrdinalIgnoreCase)))
            throw new IngestionException(ErrorCodes.Corrupt, "The file is damaged: a part of it hides its kind behind another name.");
        using (var content = main.GetStream())
            if (content.ReadByte() < 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: its Word document has zero bytes.");
        var links = new LinkList(raw.Url);
        var notes = new List<string>();
        var body = new DocxBody(main, links, limits.MaxCharacters);
        using (var reader = OpenXmlReader.Create(main))
        {
            var blocks = 0;
            foreach (var block in Blocks(reader))
            {
                ct.ThrowIfCancellationRequested();
                body.Add(block);
                if (++blocks % 200 == 0) progress?.Invoke(blocks, null, $"{blocks:N0} blocks read");
            }
        }
        body.AddNotes();
        if (main.ImageParts.Count() is > 0 and var images) notes.Add($"{images} embedded image{(images == 1 ? " was" : "s were")} skipped.");
        if (main.WordprocessingCommentsPart is not null) notes.Add("Reviewers' comments were left out.");
        if (main.VbaProjectPart is not null) notes.Add("Macros were left out.");
        var title = word.PackageProperties.Title;
        return ParserGuards.Finish(string.IsNullOrWhiteSpace(title) ? body.Title : title, body.Markdown, links, notes, limits);
    }

    /// <summary>The body's children, each loaded alone.</summary>
    private static IEnumerable<OpenXmlElement> Blocks(OpenXmlReader reader)
    {
        while (reader.Read())
            if (reader.IsStartElement && reader.LocalName == "body") break;
        if (reader.EOF || !reader.ReadFirstChild()) yield break;
        do
        {
            if (reader.LoadCurrentElement() is { } element) yield return element;
        } while (reader.ReadNextSibling());
    }
}

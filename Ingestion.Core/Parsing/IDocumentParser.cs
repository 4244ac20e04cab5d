namespace Ingestion.Core.Parsing;

/// <summary>Turns the bytes of one format into clean Markdown. One file per format.</summary>
public interface IDocumentParser
{
    /// <summary>The format's short name, as shown to people: <c>pdf</c>, <c>docx</c>, <c>html</c> …</summary>
    string Format { get; }

    /// <summary>Raised whenever the same bytes would give other Markdown; part of what makes a version.</summary>
    int Version { get; }

    /// <summary>
    /// Parses one document. Throws <see cref="Pipeline.IngestionException"/> for every ending that is not text:
    /// <c>no_text</c>, <c>encrypted</c>, <c>corrupt</c>, <c>limit_exceeded</c> … An empty result is never returned.
    /// </summary>
    Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct);
}

/// <summary>How far a parser is. Units are the parser's own (pages, bytes); total is null where unknown.</summary>
public delegate void ParseProgress(long current, long? total, string message);

/// <summary>A document's bytes on local disk, with what is known about them.</summary>
/// <param name="Path">A readable local file.</param>
/// <param name="Name">The name a person would recognise: file name or last part of the URL.</param>
/// <param name="MediaType">As declared by the source; a hint, never trusted over the content.</param>
/// <param name="Charset">As declared by the source; null where unknown.</param>
/// <param name="Url">The final address, for resolving relative links; null for uploads.</param>
/// <param name="Selectors">What else to look for in a web page; null for nothing. Other formats have no such answers.</param>
public sealed record RawDocument(
    string Path, string Name, string? MediaType = null, string? Charset = null, Uri? Url = null, IReadOnlyList<PageSelector>? Selectors = null);

/// <summary>What a parser found.</summary>
/// <param name="Title">The document's own title; null where it has none.</param>
/// <param name="Markdown">CommonMark with GFM tables, NFC, LF line ends, never blank.</param>
/// <param name="Links">Absolute targets in order of first appearance, without repeats.</param>
/// <param name="Notes">What was left out or repaired, a sentence each: <c>3 embedded images were skipped</c>.</param>
/// <param name="Pages">Pages where the format has pages; else null.</param>
/// <param name="Selected">The answer to each selector that was asked, null where the page has none; null where nothing was asked.</param>
public sealed record ParsedDocument(
    string? Title,
    string Markdown,
    IReadOnlyList<ParsedLink> Links,
    IReadOnlyList<string> Notes,
    int? Pages = null,
    IReadOnlyList<string?>? Selected = null);

/// <summary>A link found in a document: absolute target and the text it stands on.</summary>
public sealed record ParsedLink(string Target, string Text);

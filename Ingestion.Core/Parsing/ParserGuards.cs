using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>The endings that every parser shares, worded once.</summary>
internal static class ParserGuards
{
    /// <summary>Throws where the file is missing, has zero bytes, or is larger than its limits let it be read.</summary>
    public static void RequireReadable(RawDocument raw, ParseLimits limits)
    {
        var file = new FileInfo(raw.Path);
        if (!file.Exists) throw new IngestionException(ErrorCodes.MissingFile, $"The stored file of “{raw.Name}” is missing.");
        if (file.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
        if (file.Length > limits.MaxBytes)
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The file is too large to parse: {file.Length / 1_000_000} MB exceed the limit of {limits.MaxBytes / 1_000_000} MB.");
    }

    /// <summary>
    /// The finished document: Markdown normalised, notes collected. Throws <c>no_text</c> where nothing is left to read and
    /// <c>limit_exceeded</c> where there is too much.
    /// </summary>
    public static ParsedDocument Finish(
        string? title, string markdown, LinkList links, List<string> notes, ParseLimits limits, int? pages = null)
    {
        if (markdown.Length > limits.MaxCharacters)
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The document's text exceeds the limit of {limits.MaxCharacters:N0} characters.");
        var text = CleanText.Normalise(markdown, notes).Trim('\n', ' ', '\t');
        if (!CleanText.HasWords(text)) throw NoText(pages);
        title = title is null ? null : CleanText.OneLine(title);
        return new ParsedDocument(string.IsNullOrEmpty(title) ? null : title, text + "\n", links.All, notes, pages);
    }

    private static IngestionException NoText(int? pages) => new(ErrorCodes.NoText, pages is null
        ? "There is no text in the file: its content is empty."
        : $"The file has {pages} page{(pages == 1 ? "" : "s")} but no text; it may be a scan.");
}

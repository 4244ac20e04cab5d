namespace Ingestion.Core.Parsing;

/// <summary>Where a parser runs.</summary>
public enum ParserHome
{
    /// <summary>In this process: linear in time, bounded in memory, or limited by a child of its own.</summary>
    Host,
    /// <summary>In a worker process that can be killed: whatever a hostile file can hang or crash.</summary>
    Worker,
}

/// <summary>One format: how its parser is made, where it runs, and the hints that lead to it where the content does not tell.</summary>
public sealed record ParserEntry(
    string Format,
    ParserHome Home,
    Func<ParseLimits, IDocumentParser> Create,
    IReadOnlyList<string> Extensions,
    IReadOnlyList<string> MediaTypes);

/// <summary>Every format that can be read. A new format is a parser file and a line here; host and worker share the table.</summary>
public static class ParserRegistry
{
    public static IReadOnlyList<ParserEntry> All { get; } =
    [
        new("txt", ParserHome.Host, limits => new TextParser(limits), [".txt", ".text", ".log"], ["text/plain"]),
        new("md", ParserHome.Host, limits => new MarkdownParser(limits), [".md", ".markdown", ".mdown", ".mkd"], ["text/markdown", "text/x-markdown"]),
        new("csv", ParserHome.Host, limits => new CsvParser(limits), [".csv", ".tsv"], ["text/csv", "application/csv", "text/tab-separated-values"]),
        new("html", ParserHome.Worker, limits => new HtmlParser(limits), [".html", ".htm", ".xhtml"], ["text/html", "application/xhtml+xml"]),
        new("docx", ParserHome.Worker, limits => new DocxParser(limits), [".docx", ".docm", ".dotx"], ["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]),
        new("pdf", ParserHome.Host, limits => new PdfParser(limits), [".pdf"], ["application/pdf", "application/x-pdf"]),
    ];

    /// <summary>Every parser's version in one word; changes whenever some bytes may give other Markdown.</summary>
    public static string Fingerprint { get; } = string.Join(' ', All.Select(e => $"{e.Format}{e.Create(ParseLimits.Default).Version}"));

    private static readonly Dictionary<string, ParserEntry> ByFormat = All.ToDictionary(e => e.Format);

    /// <summary>The entry of a format, or null where nothing reads it.</summary>
    public static ParserEntry? Find(string format) => ByFormat.GetValueOrDefault(format);
}

using Ingestion.Core.Chunking;
using Ingestion.Core.Indexing;
using Ingestion.Core.Parsing;

namespace Ingestion.Benchmarks;

/// <summary>A page as the pipeline would have it after parsing.</summary>
internal sealed record ParsedPage(string Name, ParsedDocument Document, IReadOnlyList<Chunk> Chunks);

/// <summary>What the floors after parsing work on: the pages parsed beforehand, in this process, outside the clock.</summary>
internal static class Corpus
{
    public static async Task<IReadOnlyList<ParsedPage>> ParseAsync(Inputs inputs)
    {
        var parser = ParserRegistry.Find("html")!.Create(ParseLimits.Default);
        var pages = new List<ParsedPage>();
        foreach (var name in PageServer.Names(inputs.Pages))
        {
            var document = await parser.ParseAsync(Raw(inputs, name), null, CancellationToken.None);
            pages.Add(new(name, document, [.. new MarkdownChunker().Split(document.Markdown, new())]));
        }
        return pages;
    }

    public static RawDocument Raw(Inputs inputs, string name) =>
        new(Path.Join(inputs.Pages, name), name, "text/html", null, new Uri(inputs.PageServer, name));

    public static IEnumerable<string> EmbeddingTexts(IEnumerable<ParsedPage> pages) =>
        pages.SelectMany(p => p.Chunks.Select(c => ChunkTable.EmbeddingText(c.HeadingPath, c.Text)));
}

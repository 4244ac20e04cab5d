namespace Ingestion.Core.Chunking;

/// <summary>Splits Markdown into the pieces that are embedded and found. Pure: the same input gives the same chunks.</summary>
public interface IChunker
{
    IEnumerable<Chunk> Split(string markdown, ChunkingOptions options);
}

/// <param name="Size">Upper limit of a chunk's text, in characters (UTF-16 units), 100 to 20,000.</param>
/// <param name="Overlap">Text repeated from the end of the chunk before, in characters; less than <paramref name="Size"/>.</param>
public sealed record ChunkingOptions(int Size = 1000, int Overlap = 200);

/// <param name="Ordinal">0, 1, 2 … in reading order.</param>
/// <param name="HeadingPath">The headings above the chunk, outermost first, joined by <c> > </c>; empty before the first heading.</param>
/// <param name="Text">The chunk's Markdown, never blank, at most the size that was asked for.</param>
/// <param name="Start">Where the chunk's own text (without overlap) begins in the Markdown, in characters.</param>
/// <param name="End">Where it ends, exclusive. Own texts cover the document in order without gaps but for blank space.</param>
public sealed record Chunk(int Ordinal, string HeadingPath, string Text, int Start, int End);

namespace Ingestion.Core.Chunking;

/// <summary>
/// Splits along the structure: a heading starts a chunk, blocks are packed while they fit, tables repeat their header and fences
/// their opening where they must be split, text falls back to sentences, words and at last whole characters. Linear and lazy.
/// </summary>
public sealed class MarkdownChunker : IChunker
{
    public IEnumerable<Chunk> Split(string markdown, ChunkingOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Size, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Size, 20_000);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Overlap);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(options.Overlap, options.Size);
        return Chunks(markdown, options);
    }

    private static IEnumerable<Chunk> Chunks(string markdown, ChunkingOptions options)
    {
        var blocks = new MarkdownBlocks(markdown);
        var packer = new ChunkPacker(markdown, options);
        while (blocks.TryRead(out var block))
            foreach (var chunk in packer.Add(block)) yield return chunk;
        if (packer.Close() is { } last) yield return last;
    }
}

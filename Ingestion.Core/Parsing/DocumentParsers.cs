using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>The way in: tells what a document is and has the right parser read it, in this process or in a worker.</summary>
public sealed class DocumentParsers(ParserPool pool, TimeProvider time)
{
    /// <summary>
    /// Parses one document within its limits. Every ending that is not text is an <see cref="IngestionException"/>: those of
    /// <see cref="FormatDetector"/> and the parsers, <c>parse_timeout</c>, <c>limit_exceeded</c>, <c>parser_crashed</c>. A cancelled parse
    /// throws <see cref="OperationCanceledException"/> after its child is dead.
    /// </summary>
    public async Task<(ParsedDocument Document, string Format, int ParserVersion)> ParseAsync(
        RawDocument raw, ParseLimits limits, ParseProgress? progress, CancellationToken ct)
    {
        var format = await FormatDetector.DetectAsync(raw, ct);
        var entry = ParserRegistry.Find(format)
            ?? throw new IngestionException(ErrorCodes.Unsupported, $"The format {format} is unsupported: nothing here reads it.");
        var parser = entry.Create(limits);
        var document = entry.Home == ParserHome.Worker
            ? await pool.ParseAsync(format, raw, limits, progress, ct)
            : await InHostAsync(parser, raw, limits, progress, ct);
        return (document, format, parser.Version);
    }

    private async Task<ParsedDocument> InHostAsync(IDocumentParser parser, RawDocument raw, ParseLimits limits, ParseProgress? progress, CancellationToken ct)
    {
        using var expiry = new CancellationTokenSource(limits.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, expiry.Token);
        try
        {
            return await Task.Run(() => parser.ParseAsync(raw, progress, both.Token), both.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw PopplerProcess.TimedOut(limits);
        }
    }
}

using System.Collections.Concurrent;
using Ingestion.Core.Data;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// What uploaded files are, told as the parse stage will tell it. Only the ends of a file are read, and each file once: its bytes do not
/// change after the last one came.
/// </summary>
public sealed class UploadFormats(UploadFiles files)
{
    private const int Kept = 50_000;
    private readonly ConcurrentDictionary<string, (string? Format, IngestionException? Refusal)> _known = new();

    /// <summary>The format's short name. Throws what parsing it would throw: <c>empty</c>, <c>unsupported</c>, <c>encrypted</c>, <c>corrupt</c>, <c>missing_file</c>.</summary>
    public async Task<string> OfAsync(Upload upload, CancellationToken ct)
    {
        if (!_known.TryGetValue(upload.PublicId, out var verdict))
        {
            verdict = await DetectAsync(upload, ct);
            if (_known.Count >= Kept) _known.Clear();
            _known[upload.PublicId] = verdict;
        }
        return verdict.Format ?? throw verdict.Refusal!;
    }

    private async Task<(string? Format, IngestionException? Refusal)> DetectAsync(Upload upload, CancellationToken ct)
    {
        if (upload.Size == 0) return (null, new(ErrorCodes.Empty, "The file is empty: it has zero bytes."));
        try
        {
            var format = await FormatDetector.DetectAsync(new RawDocument(files.PathOf(upload.PublicId), Path.GetFileName(upload.Path), upload.MediaType), ct);
            return ParserRegistry.Find(format) is not null
                ? (format, null)
                : (null, new(ErrorCodes.Unsupported, $"The format {format} is unsupported: nothing here reads it."));
        }
        catch (IngestionException e)
        {
            return (null, e);
        }
    }
}

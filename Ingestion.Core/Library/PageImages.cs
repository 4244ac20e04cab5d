using System.Globalization;
using Ingestion.Core.Access;
using Ingestion.Core.Parsing;
using Ingestion.Core.Sources;

namespace Ingestion.Core.Library;

/// <summary>
/// Draws pages of PDF originals by poppler's pdftoppm, a limited child process on one file: what a person compares the extracted text with. At
/// most two are drawn at a time.
/// </summary>
public sealed class PageImages(Documents documents, DocumentFiles files, WorkFolder work) : IDisposable
{
    /// <summary>Pixels of the longer side, however large the page says it is.</summary>
    private const int LongerSide = 1400;

    private static readonly ParseLimits Limits = ParseLimits.Default with { Timeout = TimeSpan.FromSeconds(20) };
    private readonly SemaphoreSlim _slots = new(2);

    /// <summary>
    /// A page as PNG. Null where there is no such version or page, or it is no PDF. Throws as <see cref="PdfParser"/> does where it cannot be drawn.
    /// </summary>
    /// <param name="page">From 1.</param>
    public async Task<byte[]?> DrawAsync(Scope scope, long versionId, int page, CancellationToken ct)
    {
        if (await documents.VersionAsync(scope, versionId, ct) is not { Format: "pdf" } version || page < 1 || page > (version.Pages ?? 1)) return null;
        if (await files.RawAsync(scope, versionId, ct) is not { } original) return null;
        await using var content = original.Content;
        await _slots.WaitAsync(ct);
        try
        {
            return await DrawAsync(content, page.ToString(CultureInfo.InvariantCulture), ct);
        }
        finally
        {
            _slots.Release();
        }
    }

    public void Dispose() => _slots.Dispose();

    private async Task<byte[]> DrawAsync(Stream content, string page, CancellationToken ct)
    {
        var path = work.NewFile();
        // The file lives as long as it is open here; the tool opens it by its name meanwhile.
        await using var copy = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose });
        await content.CopyToAsync(copy, ct);
        await copy.FlushAsync(ct);
        using var image = new MemoryStream();
        var exit = await PopplerProcess.RunAsync("pdftoppm", ["-png", "-f", page, "-l", page, "-singlefile", "-scale-to", LongerSide.ToString(CultureInfo.InvariantCulture), path], Limits, image, ct);
        if (exit.Signal is not null || exit.Code != 0) throw PdfParser.Failure(exit, Limits);
        return image.ToArray();
    }
}

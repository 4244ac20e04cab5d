using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// PDF by poppler's pdfinfo and pdftotext, each a limited child process of its own, so this part runs in the host. Pages come out
/// in reading order with a marker before each.
/// </summary>
public sealed class PdfParser(ParseLimits limits) : IDocumentParser
{
    public string Format => "pdf";

    public int Version => 1;

    public async Task<ParsedDocument> ParseAsync(RawDocument raw, ParseProgress? progress, CancellationToken ct)
    {
        ParserGuards.RequireReadable(raw, limits);
        var path = Path.GetFullPath(raw.Path);
        var info = await PdfInfo.ReadAsync(path, limits, ct);
        var pages = await PagesAsync(path, info.Pages, progress, ct);

        var links = new LinkList(raw.Url);
        foreach (var address in info.Links) links.Add(address, "");
        var notes = new List<string>();
        if (info.Damage is not null) notes.Add("The file is slightly damaged; what could be read was read.");
        return ParserGuards.Finish(info.Title, PdfLayout.ToMarkdown(pages, ct), links, notes, limits, Math.Max(info.Pages ?? 0, pages.Count));
    }

    private async Task<List<string>> PagesAsync(string path, int? total, ParseProgress? progress, CancellationToken ct)
    {
        var pages = new List<string>();
        var page = new StringBuilder();
        long characters = 0;
        var exit = await PopplerProcess.RunAsync("pdftotext", ["-enc", "UTF-8", "-eol", "unix", "--", path, "-"], limits, Take, ct);
        if (page.Length > 0) pages.Add(page.ToString());
        if (exit.Signal is not null || exit.Code != 0) throw Failure(exit, limits);
        if (pages.TrueForAll(string.IsNullOrWhiteSpace) && total is null && exit.Errors.Contains("Error", StringComparison.Ordinal))
            throw new IngestionException(ErrorCodes.Corrupt, "The PDF file is damaged: none of its pages can be read.");
        return pages;

        void Take(ReadOnlyMemory<char> output)
        {
            if ((characters += output.Length) > limits.MaxCharacters)
                throw new IngestionException(ErrorCodes.LimitExceeded, $"The document's text exceeds the limit of {limits.MaxCharacters:N0} characters.");
            var rest = output.Span;
            for (int feed; (feed = rest.IndexOf('\f')) >= 0; rest = rest[(feed + 1)..])
            {
                pages.Add(page.Append(rest[..feed]).ToString());
                page.Clear();
                progress?.Invoke(pages.Count, total, $"Page {pages.Count:N0}{(total is null ? "" : $" of {total:N0}")}");
            }
            page.Append(rest);
        }
    }

    /// <summary>What the end of a poppler tool means.</summary>
    internal static IngestionException Failure(PopplerExit exit, ParseLimits limits)
    {
        const int cpuLimit = 24;
        if (exit.Errors.Contains("password", StringComparison.OrdinalIgnoreCase)) return new IngestionException(ErrorCodes.Encrypted, "The PDF file is encrypted with a password.");
        if (exit.Signal is cpuLimit) return PopplerProcess.TimedOut(limits);
        // With too little address space it depends on the moment who complains: the allocator, the C++ runtime or the loader.
        if (exit.Errors.Contains("memory", StringComparison.OrdinalIgnoreCase) || exit.Errors.Contains("bad_alloc", StringComparison.Ordinal)
            || exit.Errors.Contains("map segment", StringComparison.Ordinal))
            return new IngestionException(ErrorCodes.LimitExceeded, $"The PDF file exceeds the parser's memory limit of {limits.MaxMemoryBytes >> 20} MB.");
        if (exit.Signal is { } signal) return new IngestionException(ErrorCodes.ParserCrashed, $"The PDF parser ended by {UnixSignal.Name(signal)}.");
        return exit.Code == 127
            ? new IngestionException(ErrorCodes.Unsupported, "PDF is unsupported on this machine: pdftotext (poppler-utils) is not installed.")
            : new IngestionException(ErrorCodes.Corrupt, "The PDF file is damaged or truncated and cannot be opened.");
    }
}

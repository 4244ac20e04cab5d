using System.Globalization;
using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>What pdfinfo says of a file.</summary>
/// <param name="Pages">The number of pages; null where the file does not tell.</param>
/// <param name="Damage">The first complaint; null for a sound file.</param>
internal sealed record PdfInfo(string? Title, int? Pages, string? Damage, IReadOnlyList<string> Links)
{
    private const int MostCharacters = 4_000_000;

    /// <summary>Throws as <see cref="PdfParser.Failure"/> says where the file cannot be opened.</summary>
    public static async Task<PdfInfo> ReadAsync(string path, ParseLimits limits, CancellationToken ct)
    {
        var info = new StringBuilder();
        var exit = await PopplerProcess.RunAsync("pdfinfo", ["-enc", "UTF-8", "--", path], limits, part => Keep(info, part), ct);
        if (exit.Code != 0) throw PdfParser.Failure(exit, limits);
        string? title = null;
        int? pages = null;
        foreach (var line in info.ToString().Split('\n'))
        {
            if (line.StartsWith("Title:", StringComparison.Ordinal)) title = Telling(line[6..].Trim());
            else if (line.StartsWith("Pages:", StringComparison.Ordinal) && int.TryParse(line[6..], NumberStyles.Integer, CultureInfo.InvariantCulture, out var n)) pages = n;
        }
        return new PdfInfo(title, pages, exit.Errors.Length > 0 ? exit.Errors.Split('\n')[0] : null, await LinksAsync(path, limits, ct));
    }

    private static async Task<IReadOnlyList<string>> LinksAsync(string path, ParseLimits limits, CancellationToken ct)
    {
        var list = new StringBuilder();
        var exit = await PopplerProcess.RunAsync("pdfinfo", ["-url", "-enc", "UTF-8", "--", path], limits, part => Keep(list, part), ct);
        // Links are an extra: a document whose text can be read is not refused for them, nor by a poppler that cannot list them.
        if (exit.Code != 0) return [];
        return [.. list.ToString().Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w.Length >= 3).Select(w => w[^1])];
    }

    private static void Keep(StringBuilder kept, ReadOnlyMemory<char> part)
    {
        if (kept.Length < MostCharacters) kept.Append(part.Span);
    }

    /// <summary>Programs write their own file's name where a title is asked for.</summary>
    private static string? Telling(string title) =>
        title.Length == 0 || title is "untitled" or "Untitled" or "(anonymous)" || title.StartsWith("Microsoft Word - ", StringComparison.OrdinalIgnoreCase) ? null : title;
}

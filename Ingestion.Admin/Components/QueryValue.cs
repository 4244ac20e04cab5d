using System.Globalization;

namespace Ingestion.Admin.Components;

/// <summary>
/// Reads what an address says of a page. Pages take these as texts: whoever writes nonsense into an address gets the page as if nothing were
/// said, and not an error.
/// </summary>
internal static class QueryValue
{
    /// <summary>A page number, from 1.</summary>
    public static int Page(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var page) ? Math.Max(1, page) : 1;

    public static long? Number(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>As <c>2026-11-22</c>.</summary>
    public static DateOnly? Day(string? text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
}

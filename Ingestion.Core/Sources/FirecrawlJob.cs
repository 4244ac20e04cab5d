using System.Globalization;
using System.Text.Json;

namespace Ingestion.Core.Sources;

/// <summary>A job at Firecrawl, as the cursor of an input keeps it: whoever goes on after a crash goes on with the same one.</summary>
/// <param name="Kind"><c>crawl</c> or <c>batch/scrape</c>, as its addresses say it.</param>
/// <param name="Id">A UUID with hyphens, lower case.</param>
/// <param name="Taken">Documents of it that are kept.</param>
internal sealed record FirecrawlJob(string Kind, string Id, int Taken, DateTimeOffset Started)
{
    /// <summary>How a cursor of a job begins.</summary>
    public const string Mark = "firecrawl ";

    /// <summary>Null where the cursor is none of a job.</summary>
    public static FirecrawlJob? Parse(string? cursor) =>
        cursor?.StartsWith(Mark, StringComparison.Ordinal) == true && cursor[Mark.Length..].Split(' ') is [var kind, var id, var taken, var started]
            ? new(kind, id, int.Parse(taken, CultureInfo.InvariantCulture), DateTimeOffset.FromUnixTimeSeconds(long.Parse(started, CultureInfo.InvariantCulture)))
            : null;

    public string Cursor => string.Create(CultureInfo.InvariantCulture, $"{Mark}{Kind} {Id} {Taken} {Started.ToUnixTimeSeconds()}");
}

/// <summary>How far a job is.</summary>
/// <param name="State"><c>scraping</c>, <c>completed</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="Completed">Pages that it has read.</param>
/// <param name="HasMore">True where further documents follow these, or are still to come.</param>
internal sealed record FirecrawlStatus(string State, int Completed, IReadOnlyList<FirecrawlDocument> Documents, bool HasMore);

/// <summary>A page as Firecrawl gives it.</summary>
/// <param name="Source">The address that was asked for, as it wrote it; null where it tells none.</param>
/// <param name="Final">The address that answered.</param>
/// <param name="Status">What the page's host answered with; 0 where that is not told.</param>
internal sealed record FirecrawlDocument(string? Source, string? Final, string? Title, string Markdown, int Status, string? Error)
{
    public static FirecrawlDocument Of(JsonElement json)
    {
        var about = json.Member("metadata");
        var status = about.Member("statusCode") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var n) ? n : 0;
        return new(about.Text("sourceURL") ?? about.Text("url"), about.Text("url") ?? about.Text("sourceURL"), TitleOf(about), json.Text("markdown") ?? "", status, about.Text("error"));
    }

    // A page with several of them has an array.
    private static string? TitleOf(JsonElement about) => about.Text("title") ?? about.Elements("title").Select(t => t.ValueKind == JsonValueKind.String ? t.GetString() : null).FirstOrDefault(t => t is not null);
}

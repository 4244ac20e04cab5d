using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Admin.Access;
using Ingestion.Admin.Components.Pages.Search;
using Ingestion.Core.Indexing;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary><c>GET /api/v1/search?q=…&amp;collection=…&amp;take=…&amp;meta.NAME=value</c>: the search page's answer for programs.</summary>
internal static class SearchApi
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    public static WebApplication MapSearch(this WebApplication app)
    {
        app.MapGet("/api/v1/search", AnswerAsync);
        return app;
    }

    private static async Task<IResult> AnswerAsync(HttpContext http, SearchService search, int? take, CancellationToken ct)
    {
        var asked = SearchAddress.Of(http.Request.Query);
        if (asked.Text.Length == 0) throw new IngestionException(ErrorCodes.InvalidOption, "q is missing: say what to search for.");
        if (take is < 1 or > SearchService.MaxHits) throw new IngestionException(ErrorCodes.InvalidOption, $"take must lie between 1 and {SearchService.MaxHits}.");
        var answer = await search.SearchAsync(http.User.Scope(), new(asked.Text, asked.Collection, asked.Filter, take ?? 20), ct);
        return Results.Json(new Answer(asked.Text, Math.Round(answer.Took.TotalMilliseconds, 1), answer.Note, [.. answer.Hits.Select(Hit.Of)]), Json);
    }

    private sealed record Answer(string Query, double TookMs, string? Note, IReadOnlyList<Hit> Hits);

    /// <param name="Snippet">Plain text; the stretches of it that were asked for stand in <paramref name="Highlights"/>, as offset and length.</param>
    private sealed record Hit(
        double Score, string Title, string HeadingPath, string Text, string Snippet, IReadOnlyList<int[]> Highlights, int Ordinal, string Source, string SourceType, string Collection,
        long DocumentId, long DocumentVersionId, long? ItemId, string? BatchId, JsonElement Metadata)
    {
        public static Hit Of(SearchHit hit)
        {
            var at = 0;
            var highlights = new List<int[]>();
            foreach (var part in hit.Snippet)
            {
                if (part.Hit) highlights.Add([at, part.Text.Length]);
                at += part.Text.Length;
            }
            return new(hit.Score, hit.Title, hit.HeadingPath, hit.Text, string.Concat(hit.Snippet.Select(p => p.Text)), highlights, hit.Ordinal, hit.SourceKey, hit.SourceType, hit.CollectionKey,
                hit.DocumentId, hit.DocumentVersionId, hit.ItemId, hit.BatchId, JsonSerializer.Deserialize<JsonElement>(hit.Metadata));
        }
    }
}

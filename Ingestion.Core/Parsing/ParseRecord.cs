using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>ingestion.json: how a document version came about, for whoever finds only the files.</summary>
internal static class ParseRecord
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static byte[] Json(StageContext context, NewDocumentVersion version, TimeSpan parsed)
    {
        var (item, document) = (context.Item, version.Document);
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            tenant = item.TenantId,
            source = new { id = version.Raw.SourceId, type = item.SourceType, key = item.SourceKey, connection_id = item.ConnectionId },
            source_version = new { id = version.Raw.Id, sha256 = version.Raw.Sha256, length = version.Raw.Length, media_type = version.Raw.MediaType, final_url = version.Raw.FinalUrl },
            document_version = version.Id,
            title = version.Title,
            options = context.Options,
            options_hash = version.OptionsHash,
            parser = new { format = version.Format, version = version.ParserVersion },
            counts = new { characters = document.Markdown.Length, chunks = version.Chunks.Count, links = document.Links.Count, pages = document.Pages },
            quality = new { score = Math.Round(version.Quality.Score, 3), parts = version.Quality.Parts },
            notes = document.Notes,
            timings = new { parse_ms = Math.Round(parsed.TotalMilliseconds, 1) },
            metadata = JsonSerializer.Deserialize<JsonElement>(item.Metadata),
        }, Indented);
    }
}

using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// Reads what <c>/ingest/bulk</c> is sent: an array of items, or an object that holds it beside what concerns all. Whatever does not fit
/// throws <c>invalid_option</c> with a sentence that begins with the member's name.
/// </summary>
internal static class BulkRequest
{
    private const string Types = "upload, url, site";

    /// <param name="files">Ids of uploads that came in the same request, by the name of their part.</param>
    public static SubmissionRequest Read(JsonElement body, ProcessingOptions defaults, IReadOnlyDictionary<string, string> files, DateTimeOffset now)
    {
        var request = new SubmissionRequest(FormattableString.Invariant($"Bulk submission of {now.UtcDateTime:yyyy-MM-dd HH:mm}")) { Options = defaults };
        var items = body.ValueKind == JsonValueKind.Array ? body : default;
        foreach (var (name, value) in body.ValueKind == JsonValueKind.Array ? [] : JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            switch (name)
            {
                case "items": items = value; break;
                case "name": request = request with { Name = JsonFields.OptionalText(name, value, FamilyRequest.MaxName) is { } given && !string.IsNullOrWhiteSpace(given) ? given : request.Name }; break;
                case "collection": request = request with { Collection = JsonFields.OptionalText(name, value, FamilyRequest.MaxName) ?? Collection.DefaultKey }; break;
                case "options": request = request with { Options = ProcessingOptions.Read(value, defaults) }; break;
                default: throw FamilyRequest.Unknown(name, "items, name, collection, options");
            }
        var list = items.ValueKind == JsonValueKind.Undefined ? [] : JsonFields.List("items", items, (n, v) => Item(n, v, files));
        return list.Count == 0 ? throw FamilyRequest.Invalid("items is empty: name at least one document.") : With(request, list);
    }

    private static BulkItem Item(string name, JsonElement value, IReadOnlyDictionary<string, string> files)
    {
        var item = new BulkItem("", "", null);
        foreach (var member in JsonFields.Members(name, value))
            item = member.Name switch
            {
                "type" => item with { Type = JsonFields.Text($"{name}.type", member.Value, 100) },
                "source" => item with { Source = JsonFields.Text($"{name}.source", member.Value, 10_000) },
                "metadata" => item with { Metadata = FamilyRequest.Metadata($"{name}.metadata", member.Value) },
                _ => throw FamilyRequest.Unknown($"{name}.{member.Name}", "type, source, metadata"),
            };
        if (item.Type is not (SourceTypes.Upload or SourceTypes.Url or SourceTypes.Site)) throw FamilyRequest.Invalid($"{name}.type {(item.Type.Length == 0 ? "is missing; it" : $"is {JsonFields.Shown(item.Type)}; it")} must be one of {Types}.");
        if (string.IsNullOrWhiteSpace(item.Source)) throw FamilyRequest.Invalid($"{name}.source is missing: the id of an upload, or an address.");
        return item.Type == SourceTypes.Upload ? item with { Source = files.GetValueOrDefault(item.Source, item.Source) } : item;
    }

    private static SubmissionRequest With(SubmissionRequest request, IReadOnlyList<BulkItem> items)
    {
        JsonElement? site = request.Options.SourceSpecificOptions.TryGetValue(SourceTypes.Site, out var own) ? own : null;
        var uploads = items.Where(i => i.Type == SourceTypes.Upload).ToList();
        return request with
        {
            Uploads = [.. uploads.Select(i => i.Source).Distinct()],
            UploadMetadata = uploads.Where(i => i.Metadata is not null).GroupBy(i => i.Source).ToDictionary(g => g.Key, g => g.Last().Metadata!),
            Urls = [.. items.Where(i => i.Type == SourceTypes.Url).Select(i => new UrlEntry(i.Source, Metadata: i.Metadata))],
            Sources = [.. items.Where(i => i.Type == SourceTypes.Site).Select(i => new SourceSelection(SourceTypes.Site, Source: i.Source, Options: site, Metadata: i.Metadata))],
        };
    }

    private sealed record BulkItem(string Type, string Source, IReadOnlyDictionary<string, string>? Metadata);
}

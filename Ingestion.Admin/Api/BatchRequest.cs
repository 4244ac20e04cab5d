using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>
/// Reads a submission. Whatever does not fit throws <c>invalid_option</c> with a sentence that begins with the member's name; a member
/// that is not known is refused, because it was meant to do something.
/// </summary>
internal static class BatchRequest
{
    private const int MaxName = 200;
    private const int MaxDescription = 2000;
    private const int MaxMetadata = 100;

    public static SubmissionRequest Read(JsonElement body, ProcessingOptions defaults)
    {
        if (body.ValueKind != JsonValueKind.Object) throw Invalid("The body must be a JSON object.");
        var request = new SubmissionRequest("") { Options = defaults };
        foreach (var member in body.EnumerateObject()) request = With(request, member.Name, member.Value, defaults);
        if (string.IsNullOrWhiteSpace(request.Name)) throw Invalid("name is missing: what people shall call the batch.");
        return request;
    }

    private static SubmissionRequest With(SubmissionRequest r, string name, JsonElement value, ProcessingOptions defaults) => name switch
    {
        "name" => r with { Name = JsonFields.Text(name, value, MaxName) },
        "description" => r with { Description = JsonFields.OptionalText(name, value, MaxDescription) },
        "collection" => r with { Collection = JsonFields.OptionalText(name, value, MaxName) ?? Collection.DefaultKey },
        "options" => r with { Options = ProcessingOptions.Read(value, defaults) },
        "priority" => r with { Priority = JsonFields.Word<Priority>(name, value) },
        "auto_start" => r with { AutoStart = JsonFields.Flag(name, value) },
        "urls" => r with { Urls = JsonFields.List(name, value, Url) },
        "uploads" => r with { Uploads = JsonFields.List(name, value, (n, v) => JsonFields.Text(n, v, MaxName)) },
        "manifests" => r with { Manifests = JsonFields.List(name, value, Manifest) },
        // Read and checked where the batch is submitted: what it becomes depends on who submits it.
        "webhook" => r,
        "sources" => r with { Sources = JsonFields.List(name, value, Source) },
        _ => throw Unknown(name, "name, description, collection, options, priority, auto_start, urls, uploads, manifests, sources, webhook"),
    };

    private static SourceSelection Source(string name, JsonElement value)
    {
        var selection = new SourceSelection("");
        foreach (var member in JsonFields.Members(name, value))
            selection = member.Name switch
            {
                "source_type" => selection with { SourceType = JsonFields.Text($"{name}.source_type", member.Value, MaxName) },
                "connection_id" => selection with { ConnectionId = JsonFields.OptionalText($"{name}.connection_id", member.Value, MaxName) },
                "file_ids" => selection with { FileIds = member.Value.ValueKind == JsonValueKind.Null ? null : JsonFields.List($"{name}.file_ids", member.Value, (n, v) => JsonFields.Text(n, v, 8192)) },
                // Kept longer than the body it came in.
                "options" => selection with { Options = member.Value.Clone() },
                "source" => selection with { Source = JsonFields.OptionalText($"{name}.source", member.Value, 8192) },
                "metadata" => selection with { Metadata = Metadata($"{name}.metadata", member.Value) },
                _ => throw Unknown($"{name}.{member.Name}", "source_type, connection_id, file_ids, options, source, metadata"),
            };
        return selection.SourceType.Length > 0 ? selection : throw Invalid($"{name}.source_type is missing.");
    }

    private static UrlEntry Url(string name, JsonElement value)
    {
        // Too long to be an address, but kept as written: it ends as an item that says so.
        const int longest = 10_000;
        var entry = new UrlEntry(value.ValueKind == JsonValueKind.String ? JsonFields.Text(name, value, longest) : "");
        foreach (var member in value.ValueKind == JsonValueKind.String ? default : JsonFields.Members(name, value))
            entry = member.Name switch
            {
                "url" => entry with { Url = JsonFields.Text($"{name}.url", member.Value, longest) },
                "title" => entry with { Title = JsonFields.OptionalText($"{name}.title", member.Value, 500) },
                "metadata" => entry with { Metadata = Metadata($"{name}.metadata", member.Value) },
                _ => throw Unknown($"{name}.{member.Name}", "url, title, metadata"),
            };
        return entry.Url.Length > 0 ? entry : throw Invalid($"{name} has no url.");
    }

    private static ManifestEntry Manifest(string name, JsonElement value)
    {
        var entry = new ManifestEntry("", "");
        foreach (var member in JsonFields.Members(name, value))
            entry = member.Name switch
            {
                "upload" => entry with { Upload = JsonFields.Text($"{name}.upload", member.Value, MaxName) },
                "url_column" => entry with { UrlColumn = JsonFields.Text($"{name}.url_column", member.Value, 1000) },
                "title_column" => entry with { TitleColumn = JsonFields.OptionalText($"{name}.title_column", member.Value, 1000) },
                _ => throw Unknown($"{name}.{member.Name}", "upload, url_column, title_column"),
            };
        return entry.Upload.Length == 0 ? throw Invalid($"{name}.upload is missing: the id of an uploaded CSV file.")
            : entry.UrlColumn.Length == 0 ? throw Invalid($"{name}.url_column is missing: the column that holds the addresses.")
            : entry;
    }

    private static Dictionary<string, string>? Metadata(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        var metadata = new Dictionary<string, string>();
        foreach (var member in JsonFields.Members(name, value)) metadata[member.Name] = JsonFields.Text($"{name}.{member.Name}", member.Value, 5000);
        return metadata.Count <= MaxMetadata ? metadata : throw Invalid($"{name} has more than {MaxMetadata} names.");
    }

    private static IngestionException Unknown(string name, string known) => Invalid($"{JsonFields.Shown(name)} is not known here. Known are: {known}.");

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}

using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>The JSON body of <c>/ingest-url</c> and <c>/ingest-base</c>.</summary>
internal sealed record CollectionRequest
{
    private const int MaxName = 200;
    private const int MaxAddress = 10_000;
    private const int MaxUrls = 10_000;
    private const int MaxFiles = 100_000;

    /// <summary>Number or key of a collection; the default one where it is not named.</summary>
    public string Collection { get; private init; } = Core.Data.Collection.DefaultKey;

    public string? Name { get; private init; }

    public ProcessingOptions Options { get; private init; } = new();

    public IReadOnlyList<UrlEntry> Urls { get; private init; } = [];

    /// <summary>Only of <c>/ingest-base</c>; null for <c>/ingest-url</c>.</summary>
    public SourceSelection? Source { get; private init; }

    /// <summary>Throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
    public static CollectionRequest ReadUrls(JsonElement body, ProcessingOptions defaults)
    {
        var (request, metadata) = (new CollectionRequest { Options = defaults }, (IReadOnlyDictionary<string, string>?)null);
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            switch (name)
            {
                case "url":
                    request = request with { Urls = [.. request.Urls, new(Address(name, value))] };
                    break;
                case "urls":
                    request = request with { Urls = [.. request.Urls, .. JsonFields.List(name, value, (n, v) => new UrlEntry(Address(n, v)))] };
                    break;
                case "metadata":
                    metadata = FamilyRequest.Metadata(name, value);
                    break;
                default:
                    request = Common(request, name, value, defaults) ?? throw Unknown(name, "collection_id, url, urls, name, options, metadata");
                    break;
            }
        if (request.Urls.Count is 0 or > MaxUrls) throw Invalid(request.Urls.Count == 0 ? "url is missing: the address to ingest, or several in urls." : $"urls has {request.Urls.Count:N0} addresses; {MaxUrls:N0} are allowed.");
        return metadata is null ? request : request with { Urls = [.. request.Urls.Select(u => u with { Metadata = metadata })] };
    }

    /// <inheritdoc cref="ReadUrls"/>
    public static CollectionRequest ReadSource(JsonElement body, ProcessingOptions defaults)
    {
        var (request, source) = (new CollectionRequest { Options = defaults }, new SourceSelection(""));
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            if (name is "source_type" or "connection_id" or "source" or "file_ids" or "source_options" or "metadata") source = With(source, name, value);
            else request = Common(request, name, value, defaults) ?? throw Unknown(name, "collection_id, source_type, connection_id, source, file_ids, source_options, name, options, metadata");
        if (source.SourceType.Length == 0) throw Invalid($"source_type is missing: one of {string.Join(", ", SourceTypes.All)}.");
        return request with { Source = source };
    }

    /// <summary>A collection's number or key, as a client may write either.</summary>
    public static string CollectionId(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _) ? value.GetRawText() : JsonFields.Text(name, value, MaxName);

    private static SourceSelection With(SourceSelection source, string name, JsonElement value) => name switch
    {
        "source_type" => source with { SourceType = JsonFields.Text(name, value, MaxName) },
        "connection_id" => source with { ConnectionId = JsonFields.OptionalText(name, value, MaxName) },
        "source" => source with { Source = JsonFields.OptionalText(name, value, MaxAddress) },
        "file_ids" => source with { FileIds = value.ValueKind == JsonValueKind.Null ? null : Files(JsonFields.List(name, value, (n, v) => JsonFields.Text(n, v, MaxAddress))) },
        "source_options" => source with { Options = value.ValueKind switch { JsonValueKind.Null => null, JsonValueKind.Object => value.Clone(), _ => throw Invalid("source_options must be an object.") } },
        _ => source with { Metadata = FamilyRequest.Metadata(name, value) },
    };

    private static IReadOnlyList<string> Files(IReadOnlyList<string> files) =>
        files.Count <= MaxFiles ? files : throw Invalid($"file_ids has {files.Count:N0} entries; {MaxFiles:N0} are allowed.");

    private static CollectionRequest? Common(CollectionRequest r, string name, JsonElement value, ProcessingOptions defaults) => name switch
    {
        "collection_id" => r with { Collection = CollectionId(name, value) },
        "name" => r with { Name = JsonFields.OptionalText(name, value, MaxName) },
        "options" => r with { Options = ProcessingOptions.Read(value, defaults) },
        _ => null,
    };

    private static string Address(string name, JsonElement value) =>
        JsonFields.Text(name, value, MaxAddress) is { Length: > 0 } address ? address : throw Invalid($"{name} is empty.");

    private static IngestionException Unknown(string name, string known) => Invalid($"{JsonFields.Shown(name)} is not known here. Known are: {known}.");

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}

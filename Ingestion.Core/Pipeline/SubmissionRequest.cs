using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Core.Pipeline;

/// <summary>What somebody wants ingested: uploads, addresses, manifests and whole sources in one batch.</summary>
public sealed record SubmissionRequest(string Name)
{
    public string? Description { get; init; }
    public string Collection { get; init; } = Data.Collection.DefaultKey;
    public Priority Priority { get; init; } = Priority.Normal;
    public ProcessingOptions Options { get; init; } = new();
    /// <summary>False: the batch waits as pending until it is started.</summary>
    public bool AutoStart { get; init; } = true;
    public IReadOnlyList<UrlEntry> Urls { get; init; } = [];
    /// <summary>Public ids of completed uploads.</summary>
    public IReadOnlyList<string> Uploads { get; init; } = [];
    /// <summary>What is to be known of single uploads besides what they came with, by public id.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> UploadMetadata { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, string>>();
    public IReadOnlyList<ManifestEntry> Manifests { get; init; } = [];
    /// <summary>Whose batch it is; null for the actor's own.</summary>
    public string? Owner { get; init; }
    /// <summary>What to take from connections, sites and feeds. An unknown connection or kind, or one that makes no sense, creates nothing.</summary>
    public IReadOnlyList<SourceSelection> Sources { get; init; } = [];
    /// <summary>Each file in an uploaded zip archive is a document; false where the archive itself is to be the one document.</summary>
    public bool OpenArchives { get; init; } = true;
    /// <summary>An address that is told of this batch alone; null for none.</summary>
    public Webhooks.PreparedWebhook? Webhook { get; init; }
}

/// <summary>What to take from one source.</summary>
/// <param name="SourceType">One of <see cref="SourceTypes"/>.</param>
/// <param name="ConnectionId">The readable key of a connection; null for kinds that can do without.</param>
/// <param name="FileIds">What the source calls the documents; null for everything it lists.</param>
/// <param name="Options">Options of this kind of source, as a JSON object; null for none.</param>
/// <param name="Source">The address, for <c>site</c> and <c>feed</c>.</param>
/// <param name="Metadata">Given to each document; null for none.</param>
public sealed record SourceSelection(
    string SourceType, string? ConnectionId = null, IReadOnlyList<string>? FileIds = null, JsonElement? Options = null,
    string? Source = null, IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>An address with what was given beside it. The address is kept as written: what is wrong with it is found when it is fetched.</summary>
public sealed record UrlEntry(
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("title")] string? Title = null,
    [property: JsonPropertyName("metadata")] IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>An uploaded CSV file and which of its columns is what.</summary>
/// <param name="UrlColumn">Empty where its heading is to tell.</param>
public sealed record ManifestEntry(
    [property: JsonPropertyName("upload")] string Upload,
    [property: JsonPropertyName("url_column")] string UrlColumn,
    [property: JsonPropertyName("title_column")] string? TitleColumn = null)
{
    /// <summary>Set where the file lies in a connection's directory instead: its path there. The upload is empty then.</summary>
    [JsonPropertyName("path")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Path { get; init; }
}

/// <summary>Source types of this installation, as APIs and rows say them.</summary>
public static class SourceTypes
{
    public const string Upload = "upload";
    public const string Url = "url";
    public const string Manifest = "manifest";
    public const string GoogleDrive = "google_drive";
    public const string LocalZip = "local_zip";
    public const string LocalDirectory = "local_directory";
    public const string Site = "site";
    public const string Feed = "feed";
    public const string S3 = "s3";
    public const string Confluence = "confluence";
    public const string YouTube = "youtube";
    public const string FileCatalog = "file_catalog";

    /// <summary>Every kind, in the order in which they are offered.</summary>
    public static IReadOnlyList<string> All { get; } =
        [Upload, Url, Manifest, Site, Feed, LocalDirectory, LocalZip, S3, GoogleDrive, Confluence, YouTube, FileCatalog];
}

/// <summary>A caller's key for a creation and the hash of the request: the same pair gets the same answer for 24 hours.</summary>
public sealed record Idempotency(string Key, byte[] RequestHash);

/// <summary>The same key came with another request.</summary>
public sealed class IdempotencyConflictException() : Exception("This Idempotency-Key was used with another request. Use a new key for a new request.");

/// <summary>A created batch; <paramref name="Repeated"/> where the key had created it before.</summary>
public sealed record Submitted(long BatchId, string PublicId, bool Repeated);

using System.Text.Json.Serialization;

namespace Ingestion.Core.Pipeline;

/// <summary>What somebody wants ingested: uploads, addresses and manifests in one batch.</summary>
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
    public IReadOnlyList<ManifestEntry> Manifests { get; init; } = [];
    /// <summary>An address that is told of this batch alone; null for none.</summary>
    public Webhooks.PreparedWebhook? Webhook { get; init; }
}

/// <summary>An address with what was given beside it. The address is kept as written: what is wrong with it is found when it is fetched.</summary>
public sealed record UrlEntry(
    [property: JsonPropertyName("url")] string Url,
    [property: JsonPropertyName("title")] string? Title = null,
    [property: JsonPropertyName("metadata")] IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>An uploaded CSV file and which of its columns is what.</summary>
public sealed record ManifestEntry(
    [property: JsonPropertyName("upload")] string Upload,
    [property: JsonPropertyName("url_column")] string UrlColumn,
    [property: JsonPropertyName("title_column")] string? TitleColumn = null);

/// <summary>Source types of this installation, as APIs and rows say them.</summary>
public static class SourceTypes
{
    public const string Upload = "upload";
    public const string Url = "url";
    public const string Manifest = "manifest";
}

/// <summary>A caller's key for a creation and the hash of the request: the same pair gets the same answer for 24 hours.</summary>
public sealed record Idempotency(string Key, byte[] RequestHash);

/// <summary>The same key came with another request.</summary>
public sealed class IdempotencyConflictException() : Exception("This Idempotency-Key was used with another request. Use a new key for a new request.");

/// <summary>A created batch; <paramref name="Repeated"/> where the key had created it before.</summary>
public sealed record Submitted(long BatchId, string PublicId, bool Repeated);

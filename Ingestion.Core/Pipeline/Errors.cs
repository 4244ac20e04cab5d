namespace Ingestion.Core.Pipeline;

/// <summary>What a failure means for policy. Only <see cref="Transient"/> and <see cref="Throttled"/> retry by themselves.</summary>
public enum ErrorClass
{
    /// <summary>The document or its place is at fault; trying again gives the same answer.</summary>
    Permanent,
    /// <summary>The world was at fault; it may pass.</summary>
    Transient,
    /// <summary>The other side asked us to slow down; it said or implies when to come back.</summary>
    Throttled,
    /// <summary>A budget of ours or of a provider is used up.</summary>
    Quota,
    /// <summary>A rule of this installation refuses it.</summary>
    Policy,
    /// <summary>Our own mistake.</summary>
    Bug,
}

/// <summary>One entry of the closed taxonomy: the word in records and APIs, what policy does with it, and what a person can do.</summary>
/// <param name="WaitReason">
/// Set where the fault lies with a service that every document needs: the task waits, for this reason, and no attempt is charged.
/// </param>
public sealed record ErrorCode(string Code, ErrorClass Class, string Remedy, string? WaitReason = null)
{
    /// <summary>True where an automatic retry can help.</summary>
    public bool Retries => Class is ErrorClass.Transient or ErrorClass.Throttled;

    public override string ToString() => Code;
}

/// <summary>Every code a record can carry. A new failure is a new line here, never a free string.</summary>
public static class ErrorCodes
{
    // documents
    public static readonly ErrorCode NoText = new("no_text", ErrorClass.Permanent, "The file holds no extractable text. If it is a scan, run OCR on it and submit the result.");
    public static readonly ErrorCode Empty = new("empty", ErrorClass.Permanent, "The file is empty (zero bytes). Check the source and submit it again.");
    public static readonly ErrorCode Encrypted = new("encrypted", ErrorClass.Permanent, "Remove the password from the file and submit it again.");
    public static readonly ErrorCode Corrupt = new("corrupt", ErrorClass.Permanent, "Open the file in its own program, save it anew and submit that.");
    public static readonly ErrorCode TooLarge = new("too_large", ErrorClass.Policy, "Split the file, or raise processing.max_file_size_mb.");
    public static readonly ErrorCode LimitExceeded = new("limit_exceeded", ErrorClass.Policy, "The document exceeds a safety limit of the parser. Simplify it, or raise the limit that the message names.");
    public static readonly ErrorCode Unsupported = new("unsupported", ErrorClass.Permanent, "Convert the file to one of the supported formats and submit it again.");
    public static readonly ErrorCode ParseTimeout = new("parse_timeout", ErrorClass.Permanent, "The parser did not finish in time. Raise timeout_seconds and retry, or split the file.");
    public static readonly ErrorCode StageTimeout = new("stage_timeout", ErrorClass.Transient, "Raise timeout_seconds and retry.");
    public static readonly ErrorCode ParserCrashed = new("parser_crashed", ErrorClass.Transient, "The parser ended unexpectedly. Retry; if it happens again, convert the file to another format.");
    public static readonly ErrorCode CrashedWorker = new("crashed_worker", ErrorClass.Permanent, "This document ended the worker process three times and is quarantined. Convert the file to another format, or report it.");

    // places
    public static readonly ErrorCode BlockedUrl = new("blocked_url", ErrorClass.Policy, "The address is not allowed. An administrator can open single hosts or networks under Settings.");
    public static readonly ErrorCode InvalidUrl = new("invalid_url", ErrorClass.Permanent, "Correct the address: it must be a complete http or https URL.");
    public static readonly ErrorCode NotFound = new("not_found", ErrorClass.Permanent, "The document is not at this address any more. Correct or remove the address.");
    public static readonly ErrorCode Gone = new("gone", ErrorClass.Permanent, "The source says that the document was removed for good.");
    public static readonly ErrorCode AccessDenied = new("access_denied", ErrorClass.Permanent, "The source refuses access. Check permissions or credentials, then retry.");
    public static readonly ErrorCode HttpClientError = new("http_client_error", ErrorClass.Permanent, "The source refuses the request. Check the address, then retry.");
    public static readonly ErrorCode HttpServerError = new("http_server_error", ErrorClass.Transient, "The source failed. Retry when it has recovered.");
    public static readonly ErrorCode Throttled = new("throttled", ErrorClass.Throttled, "The source asks us to slow down. It is retried by itself; lower the rate for this host if it happens often.");
    public static readonly ErrorCode NetworkError = new("network_error", ErrorClass.Transient, "The source cannot be reached. Check that it is up, then retry.");
    public static readonly ErrorCode FetchTimeout = new("fetch_timeout", ErrorClass.Transient, "The source did not answer in time. Retry, or raise timeout_seconds.");
    public static readonly ErrorCode TooManyRedirects = new("too_many_redirects", ErrorClass.Permanent, "Use the address of the page itself.");
    public static readonly ErrorCode BadContent = new("bad_content", ErrorClass.Permanent, "The source sends something else than it announces. Open the address in a browser and check it.");
    public static readonly ErrorCode NoCaptions = new("no_captions", ErrorClass.Permanent, "The video has no captions that fit. Add one of its languages, allow automatic captions, or ask the channel for captions.");
    public static readonly ErrorCode SourceQuota = new("source_quota", ErrorClass.Quota, "The quota or credit that the source grants is used up. Raise it there, or retry when the source has renewed it.");
    public static readonly ErrorCode MissingFile = new("missing_file", ErrorClass.Permanent, "The uploaded file is not there any more. Upload it again.");

    // submissions
    public static readonly ErrorCode InvalidManifest = new("invalid_manifest", ErrorClass.Permanent, "Correct the file: it needs a header row and a column with the addresses.");
    public static readonly ErrorCode TooManyItems = new("too_many_items", ErrorClass.Policy, "Split the submission, or raise Ingestion:Pipeline:MaxItemsPerBatch.");
    public static readonly ErrorCode InvalidOption = new("invalid_option", ErrorClass.Permanent, "Correct the named option and submit again.");

    public static readonly ErrorCode SourceNotConfigured = new("source_not_configured", ErrorClass.Policy, "Add a connection of this kind under Connections, or switch it on there.");

    // callers
    public static readonly ErrorCode Forbidden = new("forbidden", ErrorClass.Policy, "Ask an administrator for the role that this needs.");
    public static readonly ErrorCode QuotaExceeded = new("quota_exceeded", ErrorClass.Policy, "Go on after midnight UTC, or ask the administrator to raise Ingestion:Limits:UploadMegabytesPerDay.");
    public static readonly ErrorCode RateLimited = new("rate_limited", ErrorClass.Throttled, "Wait as long as the answer says, then try again.");
    public static readonly ErrorCode SecretMissing = new("secret_missing", ErrorClass.Permanent, "Enter the secret again.");

    // services
    public static readonly ErrorCode EmbedderNotConfigured = new("embedder_not_configured", ErrorClass.Policy, "Configure the embedding model (key and endpoint), or choose the local one.");
    public static readonly ErrorCode EmbeddingUnavailable = new("embedding_unavailable", ErrorClass.Transient, "The embedding service does not answer. It is retried by itself.", WaitReasons.EmbeddingUnavailable);
    public static readonly ErrorCode EmbeddingThrottled = new("embedding_throttled", ErrorClass.Throttled, "The embedding service asks us to slow down. It is retried by itself.", WaitReasons.EmbeddingThrottled);
    public static readonly ErrorCode EmbeddingQuota = new("embedding_quota", ErrorClass.Quota, "The quota of the embedding service is used up. Raise it there, then retry.");
    public static readonly ErrorCode EmbeddingRefused = new("embedding_refused", ErrorClass.Permanent, "The embedding service refuses the request. Check key, model and endpoint, then retry.");
    public static readonly ErrorCode EmbeddingInvalid = new("embedding_invalid", ErrorClass.Transient, "The embedding service answered with something that is not a vector of the expected shape. Check the endpoint.");
    public static readonly ErrorCode CrawlerUnavailable = new("crawler_unavailable", ErrorClass.Transient, "The crawling service does not answer. It is retried by itself; Ingestion:Firecrawl says where it is.", WaitReasons.Crawler);
    public static readonly ErrorCode CrawlerThrottled = new("crawler_throttled", ErrorClass.Throttled, "The crawling service asks us to slow down. It is retried by itself.", WaitReasons.Crawler);
    public static readonly ErrorCode StorageFull = new("storage_full", ErrorClass.Transient, "Free space in the data directory; it is retried by itself.", WaitReasons.StorageFull);
    public static readonly ErrorCode StorageUnavailable = new("storage_unavailable", ErrorClass.Transient, "The artifact store does not answer, or refuses. Check its address, buckets and keys under Ingestion:Artifacts; it is retried by itself.", WaitReasons.Unavailable);
    public static readonly ErrorCode DatabaseBusy = new("database_busy", ErrorClass.Transient, "The database did not answer. It is retried by itself.", WaitReasons.Unavailable);

    // people and us
    public static readonly ErrorCode Rejected = new("rejected", ErrorClass.Policy, "A reviewer rejected this document.");
    public static readonly ErrorCode Cancelled = new("cancelled", ErrorClass.Policy, "Somebody cancelled it. Retry it to run it again.");
    public static readonly ErrorCode Internal = new("internal", ErrorClass.Bug, "This is a fault of the product. Retry once; if it stays, report it with the details below.");

    private static readonly Dictionary<string, ErrorCode> ByCode = typeof(ErrorCodes).GetFields()
        .Where(f => f.FieldType == typeof(ErrorCode))
        .Select(f => (ErrorCode)f.GetValue(null)!)
        .ToDictionary(c => c.Code);

    public static IReadOnlyCollection<ErrorCode> All => ByCode.Values;

    /// <summary>The entry for a stored code; <see cref="Internal"/> where a newer version wrote one that this one does not know.</summary>
    public static ErrorCode Find(string code) => ByCode.GetValueOrDefault(code, Internal);
}

/// <summary>A failure with its place in the taxonomy. The message is one sentence for a person, without secrets and without a trace.</summary>
public sealed class IngestionException(ErrorCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    public ErrorCode Code { get; } = code;

    /// <summary>When the other side said to come back; null where it said nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

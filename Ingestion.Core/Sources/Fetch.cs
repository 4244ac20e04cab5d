using System.Net.Http.Headers;

namespace Ingestion.Core.Sources;

/// <summary>One document to fetch.</summary>
/// <param name="Url">Where it is; judged before anything is sent.</param>
/// <param name="DestinationPath">The local file that takes the decoded body; replaced if present, removed again where the fetch fails.</param>
/// <param name="Limits">What it may cost.</param>
public sealed record FetchRequest(Uri Url, string DestinationPath, FetchLimits Limits)
{
    /// <summary>What is known from an earlier fetch; null asks for the document unconditionally.</summary>
    public FetchConditions? Conditions { get; init; }

    public FetchProgress? Progress { get; init; }

    /// <summary>True: a redirect is an answer (<see cref="FetchResult.RedirectsTo"/>) and is not followed.</summary>
    public bool StopAtRedirect { get; init; }

    /// <summary>Headers for this origin alone (credentials among them): a redirect to another scheme, host or port does not get them.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
}

/// <summary>What one fetch may cost.</summary>
/// <param name="MaxBytes">Largest body, in bytes, both as sent and as decompressed.</param>
/// <param name="Timeout">For the whole fetch, redirects included; waiting for a free connection does not count.</param>
/// <param name="MaxRatio">Largest factor of decompression; not asked of the first mebibyte.</param>
public sealed record FetchLimits(long MaxBytes, TimeSpan Timeout, int MaxRatio = 100);

/// <summary>Validators of an earlier answer, as they came.</summary>
public sealed record FetchConditions(string? ETag, DateTimeOffset? LastModified = null);

/// <summary>Bytes written so far, how many there will be (null where the server did not say), and what is being done; null for the usual words.</summary>
public delegate void FetchProgress(long bytes, long? total, string? message = null);

/// <summary>What came of a fetch.</summary>
/// <param name="FinalUrl">The address that answered, after redirects.</param>
/// <param name="StatusCode">2xx, or 304 where nothing has changed.</param>
/// <param name="MediaType">As declared, lower case, without parameters; null where undeclared.</param>
/// <param name="Charset">As declared; null where undeclared.</param>
/// <param name="Length">Bytes written.</param>
/// <param name="Sha256">Of the bytes written, lower-case hexadecimal; empty where nothing was (<paramref name="NotModified"/>).</param>
/// <param name="NotModified">True where the server confirmed the conditions; no file is written then.</param>
/// <param name="Redirects">The addresses that were followed on the way, the first request's left out.</param>
public sealed record FetchResult(
    Uri FinalUrl,
    int StatusCode,
    string? MediaType,
    string? Charset,
    long Length,
    string Sha256,
    string? ETag,
    DateTimeOffset? LastModified,
    bool NotModified,
    IReadOnlyList<Uri> Redirects)
{
    /// <summary>Where the address leads, judged like one to be fetched; null where it answered itself.</summary>
    public Uri? RedirectsTo { get; init; }

    /// <summary>True where the way went from https to http, so that what came could have been altered in between.</summary>
    public bool LostEncryption { get; init; }
}

/// <summary>A small answer, held in memory.</summary>
/// <param name="Body">Decompressed, at most the bytes that were allowed.</param>
/// <param name="Truncated">True where the body was longer than allowed.</param>
public sealed record SafeResponse(int StatusCode, HttpResponseHeaders Headers, string? MediaType, byte[] Body, bool Truncated)
{
    /// <summary>When the other side said to come back; null where it said nothing.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

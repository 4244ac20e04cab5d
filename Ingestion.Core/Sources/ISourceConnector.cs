using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>A kind of place that documents come from: lists what is there, then fetches one by one. One file per kind.</summary>
public interface ISourceConnector
{
    /// <summary>The word in rows and APIs: <c>url</c>, <c>upload</c>, <c>manifest</c> …</summary>
    string SourceType { get; }

    /// <summary>
    /// What an input holds, page by page, from after the cursor of the last page that was kept. Kinds whose items are all known at
    /// submission yield nothing.
    /// </summary>
    IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, CancellationToken ct);

    /// <summary>
    /// Puts one document's bytes into a local file. Throws <see cref="IngestionException"/> where the place refuses, is away or holds
    /// something else.
    /// </summary>
    Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct);
}

/// <summary>One document found by a listing.</summary>
/// <param name="SourceKey">What the source calls it.</param>
/// <param name="Row">Its row in a manifest, from 1; else 0.</param>
public sealed record ListedItem(string SourceKey, int Row, string Name, IReadOnlyDictionary<string, string> Metadata);

/// <summary>Some items, and where the listing goes on after them.</summary>
public sealed record ListedPage(IReadOnlyList<ListedItem> Items, string Cursor);

/// <summary>Where the bytes go and what bounds them.</summary>
/// <param name="Path">A file to be written.</param>
/// <param name="MaxBytes">More than this is <c>too_large</c>.</param>
/// <param name="ETag">Of the version we hold; lets the source answer that nothing changed.</param>
/// <param name="Report">How far it is, for those who can tell; none is obliged to.</param>
public sealed record FetchTarget(string Path, long MaxBytes, TimeSpan Timeout, string? ETag, DateTimeOffset? LastModified, FetchProgress Report);

/// <summary>What was fetched. <paramref name="NotModified"/>: the source says that what we hold is still right, and no bytes were written.</summary>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record FetchedDocument(
    long Length, string Sha256, string? MediaType = null, string? Charset = null, Uri? FinalUrl = null,
    string? ETag = null, DateTimeOffset? LastModified = null, bool NotModified = false)
{
    /// <summary>Set where the bytes lie on this disk already and were not copied to the target.</summary>
    public string? LocalPath { get; init; }
}

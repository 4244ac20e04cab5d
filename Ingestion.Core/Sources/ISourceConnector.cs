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
public sealed record ListedItem(string SourceKey, int Row, string Name, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>
    /// What the source says of this state of it (a version, size and time, a hash): while it stays the same, the document need not be
    /// fetched again. Null where the source says nothing of the kind.
    /// </summary>
    public string? Fingerprint { get; init; }

    /// <summary>Bytes, where the listing tells.</summary>
    public long? Size { get; init; }

    /// <summary>Set where the listing has fetched it already: <see cref="ListedPage.Save"/> keeps that version.</summary>
    public ListedContent? Content { get; init; }
}

/// <summary>A version of a source, by the source and the SHA-256 of its bytes in lower-case hexadecimal.</summary>
public sealed record ListedContent(long SourceId, string Sha256);

/// <summary>Some items, and where the listing goes on after them.</summary>
public sealed record ListedPage(IReadOnlyList<ListedItem> Items, string Cursor)
{
    /// <summary>Written in the transaction that keeps the items, before them.</summary>
    public SaveOutput? Save { get; init; }

    /// <summary>Why the listing is not the whole of the source, in a sentence: then nothing counts as gone. Null where it may be whole.</summary>
    public string? Gap { get; init; }

    /// <summary>
    /// Where the source's feed of changes stood before this listing began, in words of the connector's own: once the listing has proved
    /// whole, the next one is given it as <see cref="WorkInput.Feed"/>. Null where there is no feed.
    /// </summary>
    public string? Feed { get; init; }

    /// <summary>True where the feed tells that nothing has changed: whatever was there is there, and no item is listed.</summary>
    public bool Unchanged { get; init; }

    /// <summary>Set where the listing goes on later: the worker serves others meanwhile.</summary>
    public TimeSpan? Pause { get; init; }

    /// <summary>A reason of <see cref="WaitReasons"/> for the pause.</summary>
    public string PauseReason { get; init; } = WaitReasons.HostPacing;
}

/// <summary>A connector whose connections can be tried before anything is taken through them.</summary>
public interface IConnectionTest
{
    string SourceType { get; }

    /// <summary>Tries to reach and list the place. Throws <see cref="IngestionException"/> naming what is missing.</summary>
    Task TestAsync(OpenConnection connection, CancellationToken ct);
}

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

    /// <summary>What the place says of the document besides its bytes; what was given with the submission goes before it.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Why there is nothing to fetch and nothing went wrong, in a sentence: the item is skipped. Null where there is a document.</summary>
    public string? NoDocument { get; init; }

    /// <summary>There is none, for this reason.</summary>
    public static FetchedDocument None(string reason) => new(0, "") { NoDocument = reason };
}

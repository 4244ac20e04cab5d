namespace Ingestion.Core.Artifacts;

/// <summary>Where documents' bytes live. Keys are relative paths of safe segments; a written object is complete or absent.</summary>
public interface IArtifactStore
{
    /// <summary>The address that an object of this key has, or will have.</summary>
    Uri Locate(string key);

    /// <summary>
    /// The address that an object of this key has in the place where another one is. What belongs to a document stays together, also where
    /// the store was changed since; beside an object of no place that is known, it is the place for new ones.
    /// </summary>
    Uri Locate(string key, Uri beside);

    /// <summary>
    /// Stores a file's bytes under a key, durably (flushed to disk before return) and atomically (a reader sees all or nothing).
    /// Replaces what was there. Returns the absolute URI to keep in the database.
    /// </summary>
    Task<Uri> PutAsync(string key, Stream content, CancellationToken ct);

    /// <summary>
    /// The same for many objects, in their order, for less than one by one would cost. Where it fails, some may be there and some not; none is there in
    /// part.
    /// </summary>
    Task<IReadOnlyList<Uri>> PutAllAsync(IReadOnlyList<NewObject> objects, CancellationToken ct);

    /// <summary>The same at an address that <see cref="Locate(string, Uri)"/> gave.</summary>
    Task PutAsync(Uri uri, Stream content, CancellationToken ct);

    /// <summary>Opens by stored URI, not by key, so that a change of layout keeps old rows readable. Null where it does not exist.</summary>
    Task<Stream?> OpenAsync(Uri uri, CancellationToken ct);

    /// <summary>Deletes by URI; a missing object is not an error.</summary>
    Task DeleteAsync(Uri uri, CancellationToken ct);

    /// <summary>Every object's URI with length in bytes and time of last change, for the sweep and for verify.</summary>
    IAsyncEnumerable<(Uri Uri, long Length, DateTimeOffset Changed)> ListAsync(CancellationToken ct);
}

/// <summary>An object to be stored.</summary>
/// <param name="Open">Gives its bytes; called once, and what it gives is disposed of.</param>
public sealed record NewObject(string Key, Func<Stream> Open);

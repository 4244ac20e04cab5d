using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>
/// The store of this installation: new objects go where the settings say, and every other is read, replaced and deleted where its address
/// says it is. So a change of store leaves what was written before where it lies, and readable.
/// </summary>
public sealed class ArtifactStores(FolderStore folder, S3Store buckets, IOptions<ArtifactOptions> options) : IArtifactStore
{
    private IArtifactStore Now => options.Value.UsesBuckets ? buckets : folder;

    /// <inheritdoc/>
    public Uri Locate(string key) => Now.Locate(key);

    /// <inheritdoc/>
    public Uri Locate(string key, Uri beside) => Of(beside).Locate(key, beside);

    /// <inheritdoc/>
    public Task<Uri> PutAsync(string key, Stream content, CancellationToken ct) => Now.PutAsync(key, content, ct);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Uri>> PutAllAsync(IReadOnlyList<NewObject> objects, CancellationToken ct) => Now.PutAllAsync(objects, ct);

    /// <inheritdoc/>
    public Task PutAsync(Uri uri, Stream content, CancellationToken ct) => Of(uri).PutAsync(uri, content, ct);

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(Uri uri, CancellationToken ct) => Of(uri).OpenAsync(uri, ct);

    /// <inheritdoc/>
    public Task DeleteAsync(Uri uri, CancellationToken ct) => Of(uri).DeleteAsync(uri, ct);

    /// <inheritdoc/>
    public IAsyncEnumerable<(Uri Uri, long Length, DateTimeOffset Changed)> ListAsync(CancellationToken ct) => folder.ListAsync(ct).Concat(buckets.ListAsync(ct));

    private IArtifactStore Of(Uri uri) => uri is { IsAbsoluteUri: true, Scheme: S3Store.Scheme } ? buckets : folder;
}

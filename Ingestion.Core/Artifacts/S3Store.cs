using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>
/// Objects in buckets of an S3-compatible store: documents as they came in one, Markdown in another, or all in one. An address is
/// <c>s3://bucket/key</c>; where the bucket is, is configured. Bytes go through a local file on their way, so that what is sent has a hash that
/// the store checks, and what is read is whole.
/// </summary>
public sealed class S3Store(IOptions<ArtifactOptions> options, WorkFolder work, TimeProvider time) : IArtifactStore, IDisposable
{
    public const string Scheme = "s3";

    // The most that a store takes in one request.
    private const long MostBytes = 5L << 30;

    // Requests of a group at once.
    private const int AtOnce = 8;

    // What this program writes; whatever else lies in a bucket is not ours to look at.
    private static readonly string[] Names = ["raw.bin", "normalized.md", "ingestion.json"];

    private readonly ArtifactOptions _options = options.Value;
    private readonly S3Client _client = new(options.Value.Timeout, time);

    /// <inheritdoc/>
    public Uri Locate(string key) => Place(BucketOf(key)).Name(Valid(key));

    /// <inheritdoc/>
    public Uri Locate(string key, Uri beside) => Find(beside) is { } found ? found.Place.Name(Valid(key)) : Locate(key);

    /// <inheritdoc/>
    /// <remarks>Throws <c>storage_unavailable</c> where the store is away or refuses, <c>storage_full</c> where there is no room.</remarks>
    public async Task<Uri> PutAsync(string key, Stream content, CancellationToken ct)
    {
        var uri = Locate(key);
        await PutAsync(uri, content, ct);
        return uri;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Uri>> PutAllAsync(IReadOnlyList<NewObject> objects, CancellationToken ct)
    {
        var uris = new Uri[objects.Count];
        await Parallel.ForEachAsync(Enumerable.Range(0, objects.Count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (i, token) =>
        {
            await using var content = objects[i].Open();
            uris[i] = await PutAsync(objects[i].Key, content, token);
        });
        return uris;
    }

    /// <inheritdoc/>
    public async Task PutAsync(Uri uri, Stream content, CancellationToken ct)
    {
        var (place, key) = Require(uri);
        var scratch = work.NewFile();
        try
        {
            var sha256 = await SpoolAsync(content, scratch, ct);
            await _client.PutAsync(place, key, scratch, sha256, ct);
        }
        catch (IOException e) when (DiskSpace.IsExhausted(e))
        {
            throw new IngestionException(ErrorCodes.StorageFull, "There is no space left for files on their way to the artifact store.", e);
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Throws <see cref="InvalidOperationException"/> for an address that is none of a bucket; else as <see cref="PutAsync(Uri, Stream, CancellationToken)"/>.</remarks>
    public async Task<Stream?> OpenAsync(Uri uri, CancellationToken ct)
    {
        var (place, key) = Require(uri);
        var scratch = work.NewFile();
        try
        {
            if (!await _client.GetAsync(place, key, scratch, ct))
            {
                File.Delete(scratch);
                return null;
            }
            return new FileStream(scratch, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.SequentialScan | FileOptions.DeleteOnClose });
        }
        catch
        {
            File.Delete(scratch);
            throw;
        }
    }

    /// <inheritdoc/>
    public Task DeleteAsync(Uri uri, CancellationToken ct)
    {
        var (place, key) = Require(uri);
        return _client.DeleteAsync(place, key, ct);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<(Uri Uri, long Length, DateTimeOffset Changed)> ListAsync([EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var bucket in new[] { _options.RawBucket, _options.MarkdownBucket }.Concat(_options.FormerBuckets.Select(b => b.Bucket)).Where(b => b.Length > 0).Distinct())
        {
            var place = Place(bucket);
            string? token = null;
            do
            {
                var page = await _client.ListAsync(place, token, ct);
                token = page.Next;
                foreach (var o in page.Objects.Where(o => ArtifactKeys.IsValid(o.Key) && Names.Contains(o.Key[(o.Key.LastIndexOf('/') + 1)..])))
                    yield return (place.Name(o.Key), o.Size, o.Changed ?? DateTimeOffset.UnixEpoch);
            }
            while (token is not null);
        }
    }

    public void Dispose() => _client.Dispose();

    // Returns the hash of what was written, lower-case hexadecimal.
    private static async Task<string> SpoolAsync(Stream content, string path, CancellationToken ct)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.Asynchronous });
        await content.CopyToAsync(file, ct);
        if (file.Length > MostBytes) throw new IngestionException(ErrorCodes.TooLarge, $"The document has {file.Length:N0} bytes; the artifact store takes {MostBytes:N0} at once.");
        file.Position = 0;
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
    }

    private string BucketOf(string key) => key.EndsWith("/raw.bin", StringComparison.Ordinal)
        ? _options.RawBucket is { Length: > 0 } raw ? raw : _options.MarkdownBucket
        : _options.MarkdownBucket is { Length: > 0 } markdown ? markdown : _options.RawBucket;

    private S3Place Place(string bucket) => S3Place.Of(_options, bucket)
        ?? throw new InvalidOperationException($"Documents lie in the bucket {bucket}, and no store is configured; see {ArtifactOptions.Section}:{nameof(ArtifactOptions.Endpoint)} and {nameof(ArtifactOptions.FormerBuckets)}.");

    private (S3Place Place, string Key) Require(Uri uri) => Find(uri) ?? throw new InvalidOperationException("The address is not one of an object in a bucket.");

    private (S3Place Place, string Key)? Find(Uri uri) =>
        uri is { IsAbsoluteUri: true, Scheme: Scheme } && uri.AbsolutePath.TrimStart('/') is var key && ArtifactKeys.IsValid(key) ? (Place(uri.Host), key) : null;

    private static string Valid(string key) => ArtifactKeys.IsValid(key) ? key : throw new ArgumentException($"'{key}' is not a key of the artifact store.", nameof(key));
}

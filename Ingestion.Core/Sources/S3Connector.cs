using System.Globalization;
using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Objects of a bucket of any S3-compatible store, listed a thousand at a time; a document's key is the object's.</summary>
public sealed class S3Connector(SafeHttp http, SourceConnections connections, TimeProvider time) : ISourceConnector, IConnectionTest
{
    private static readonly FetchLimits ListLimits = new(16 << 20, TimeSpan.FromMinutes(1));

    public string SourceType => SourceTypes.S3;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var chosen = spec.OptionsOf(SourceKinds.Require(input.SourceType));
        var wanted = Glob.Filter(chosen.Lines("include"), chosen.Lines("exclude"));
        var bucket = await BucketAsync(input.TenantId, input.ConnectionId, ct);
        // The store's own token: an interrupted listing goes on behind the page that was kept.
        var token = string.IsNullOrEmpty(input.Cursor) ? null : input.Cursor;
        do
        {
            var page = await bucket.ListAsync(token, 1000, ct);
            token = page.Next;
            yield return new([.. page.Objects.Where(o => !o.Key.EndsWith('/') && wanted(o.Key)).Select(o => new ListedItem(o.Key, 0, o.Key[(o.Key.LastIndexOf('/') + 1)..], spec.Metadata)
            {
                Size = o.Size, Fingerprint = string.Create(CultureInfo.InvariantCulture, $"{o.ETag}:{o.Size}"),
            })], token ?? "");
        }
        while (token is not null);
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var bucket = await BucketAsync(item.TenantId, item.ConnectionId, ct);
        var url = bucket.Url(S3Signature.Escape(item.SourceKey, path: true), "");
        var result = await http.FetchAsync(new FetchRequest(url, target.Path, new(target.MaxBytes, target.Timeout))
        {
            Headers = bucket.Sign(url), StopAtRedirect = true, Progress = target.Report, Conditions = target.ETag is null ? null : new(target.ETag),
        }, ct);
        if (result.RedirectsTo is not null) throw new IngestionException(ErrorCodes.BadContent, $"{url.IdnHost} sends the request elsewhere: the bucket is of another region. Correct endpoint and region.");
        if (result is { NotModified: false, Length: 0 }) throw new IngestionException(ErrorCodes.Empty, "The object is empty: it has zero bytes.");
        return new(result.Length, result.Sha256, result.MediaType is "application/octet-stream" or "binary/octet-stream" ? null : result.MediaType, result.Charset, null, result.ETag, result.LastModified, result.NotModified);
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct) => await (await BucketAsync(connection, ct)).ListAsync(null, 1, ct);

    private async Task<Bucket> BucketAsync(string tenantId, string? key, CancellationToken ct) => key is null
        ? throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind S3 bucket is configured.")
        : await BucketAsync(await connections.OpenAsync(tenantId, key, ct), ct);

    private async Task<Bucket> BucketAsync(OpenConnection connection, CancellationToken ct)
    {
        var settings = connection.Settings;
        var region = settings.Text("region") is { Length: > 0 } given ? given : "us-east-1";
        return new(http, time, http.Rules.Parse(settings.Text("endpoint").TrimEnd('/') + "/"), settings.Text("bucket"), region, settings.Text("prefix"), settings.Text("access_key"), await connection.SecretAsync("secret_key", ct));
    }

    private sealed class Bucket(SafeHttp http, TimeProvider time, Uri endpoint, string name, string region, string prefix, string accessKey, string? secretKey)
    {
        public Uri Url(string path, string query) => new($"{endpoint.GetLeftPart(UriPartial.Path)}{S3Signature.Escape(name)}{(path.Length > 0 ? "/" + path : "")}{(query.Length > 0 ? "?" + query : "")}");

        /// <summary>None for a bucket that is open to everybody.</summary>
        public Dictionary<string, string> Sign(Uri url) => accessKey.Length == 0 || secretKey is null ? [] : S3Signature.Headers(url, region, accessKey, secretKey, time.GetUtcNow());

        public async Task<S3Listing> ListAsync(string? token, int most, CancellationToken ct)
        {
            var query = S3Listing.Query(token, most, prefix);
            var url = Url("", query);
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            foreach (var (header, value) in Sign(url)) request.Headers.TryAddWithoutValidation(header, value);
            var answer = await http.SendAsync(request, ListLimits, ct);
            if (answer.StatusCode != 200) throw Refused(answer);
            if (answer.Truncated) throw new IngestionException(ErrorCodes.BadContent, $"{url.IdnHost} answers with a list of more than {ListLimits.MaxBytes >> 20} MB.");
            return S3Listing.Read(answer.Body, endpoint.IdnHost);
        }

        private IngestionException Refused(SafeResponse answer)
        {
            var code = answer.StatusCode switch
            {
                401 or 403 => ErrorCodes.AccessDenied,
                404 => ErrorCodes.NotFound,
                429 or 503 => ErrorCodes.Throttled,
                >= 500 => ErrorCodes.HttpServerError,
                _ => ErrorCodes.HttpClientError,
            };
            var why = answer.StatusCode switch
            {
                401 or 403 => "the right to list the bucket (s3:ListBucket) is missing, or the keys are wrong",
                404 => $"there is no bucket {name}",
                >= 300 and < 400 => "the bucket is of another region",
                _ => "it cannot be listed",
            };
            return new(code, string.Create(CultureInfo.InvariantCulture, $"{endpoint.IdnHost} answers with status {answer.StatusCode}: {why}.")) { RetryAfter = answer.RetryAfter };
        }
    }
}

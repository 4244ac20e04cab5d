using System.Globalization;
using System.Net;
using System.Xml;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Core.Artifacts;

/// <summary>
/// Speaks to the S3-compatible store that the operator configured. Tries three times what may pass, then says <c>storage_unavailable</c>: a fault
/// of a service that every document needs, which is charged to none.
/// </summary>
internal sealed class S3Client(TimeSpan timeout, TimeProvider time) : IDisposable
{
    private const int Tries = 3;
    private const int MostOfAnError = 64 * 1024;
    private const int MostOfAList = 16 << 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // The operator named the address: it may be in an inner network, as stores of one's own are. What a store answers leads nowhere else.
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = null, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), UseCookies = false, UseProxy = false,
    });

    /// <summary>Stores a file; replaces what was there. The store refuses bytes that are not those of the hash.</summary>
    /// <param name="sha256">Of the file, lower-case hexadecimal.</param>
    public Task PutAsync(S3Place place, string key, string path, string sha256, CancellationToken ct) =>
        AskAsync(place, HttpMethod.Put, place.Url(key), "store", (_, _) => Task.FromResult(true), ct, sha256, () => new StreamContent(File.OpenRead(path)));

    /// <summary>Writes an object into a local file. False where there is none.</summary>
    public Task<bool> GetAsync(S3Place place, string key, string path, CancellationToken ct) => AskAsync(place, HttpMethod.Get, place.Url(key), "read", async (response, token) =>
    {
        await using var file = File.Create(path);
        await response.Content.CopyToAsync(file, token);
        return true;
    }, ct);

    /// <summary>An object that is not there is none any more.</summary>
    public Task DeleteAsync(S3Place place, string key, CancellationToken ct) => AskAsync(place, HttpMethod.Delete, place.Url(key), "delete", (_, _) => Task.FromResult(true), ct);

    /// <summary>A page of the bucket's objects, a thousand at most.</summary>
    public async Task<S3Listing> ListAsync(S3Place place, string? token, CancellationToken ct) =>
        await AskAsync(place, HttpMethod.Get, place.Url("", S3Listing.Query(token, 1000, "")), "list", async (response, stop) =>
        {
            using var body = new MemoryStream();
            await CopyAsync(await response.Content.ReadAsStreamAsync(stop), body, MostOfAList, stop);
            return S3Listing.Read(body.ToArray(), place.Endpoint.IdnHost);
        }, ct) ?? throw Unavailable($"The bucket {place} is not there.");

    public void Dispose() => _http.Dispose();

    // The default of T where the store says that there is no such object.
    private async Task<T?> AskAsync<T>(
        S3Place place, HttpMethod method, Uri url, string verb, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken ct, string bodyHash = S3Signature.NoBody, Func<HttpContent>? body = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            IngestionException fault;
            bool passes;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(timeout);
            try
            {
                using var request = new HttpRequestMessage(method, url) { Content = body?.Invoke() };
                foreach (var (name, value) in S3Signature.Headers(url, place.Region, place.AccessKey, place.SecretKey, time.GetUtcNow(), method.Method, bodyHash)) request.Headers.TryAddWithoutValidation(name, value);
                using var response = await _http.SendAsync(request, limit.Token);
                if (response.IsSuccessStatusCode) return await read(response, limit.Token);
                var code = await ErrorAsync(response, limit.Token);
                if (response.StatusCode == HttpStatusCode.NotFound && code != "NoSuchBucket") return default;
                (fault, passes) = (Refused(place, verb, response, code), response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or (>= (HttpStatusCode)500 and not HttpStatusCode.InsufficientStorage));
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
            {
                (fault, passes) = (Unavailable($"The artifact store {place} does not answer.", e), true);
            }
            if (!passes || attempt == Tries) throw fault;
            await Task.Delay(Pause * (attempt * attempt), time, ct);
        }
    }

    private static IngestionException Refused(S3Place place, string verb, HttpResponseMessage response, string? code)
    {
        var why = ((int)response.StatusCode, code) switch
        {
            (_, "NoSuchBucket") => "there is no such bucket",
            (401 or 403, _) => $"it refuses to {verb}: the keys are wrong, or lack the right",
            (>= 300 and < 400, _) => "the bucket is of another region",
            (507, _) => "it has no space left",
            (429 or 503, _) => "it asks us to slow down",
            _ => $"it cannot {verb}",
        };
        var sentence = string.Create(CultureInfo.InvariantCulture, $"The artifact store {place} answers with status {(int)response.StatusCode}{(code is null ? "" : $" ({code})")}: {why}.");
        return response.StatusCode == HttpStatusCode.InsufficientStorage ? new(ErrorCodes.StorageFull, sentence)
            : new(ErrorCodes.StorageUnavailable, sentence) { RetryAfter = response.Headers.RetryAfter?.Delta };
    }

    // The word of the store's own error; null where it sends none that can be read.
    private static async Task<string?> ErrorAsync(HttpResponseMessage response, CancellationToken ct)
    {
        using var body = new MemoryStream();
        await CopyAsync(await response.Content.ReadAsStreamAsync(ct), body, MostOfAnError, ct);
        body.Position = 0;
        try
        {
            using var reader = XmlReader.Create(body, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            return reader.ReadToFollowing("Code") && reader.ReadElementContentAsString() is { Length: > 0 and <= 100 } code && code.All(char.IsAsciiLetterOrDigit) ? code : null;
        }
        catch (XmlException)
        {
            // Gateways answer with pages: the status says enough.
            return null;
        }
    }

    private static async Task CopyAsync(Stream from, MemoryStream to, int most, CancellationToken ct)
    {
        var buffer = new byte[16 * 1024];
        while (to.Length < most && await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most - to.Length)), ct) is > 0 and var count) to.Write(buffer, 0, count);
    }

    private static IngestionException Unavailable(string sentence, Exception? inner = null) => new(ErrorCodes.StorageUnavailable, sentence, inner);
}

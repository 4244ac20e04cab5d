using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>One request of a fetch and what its answer means: a document, an unchanged one, or another address.</summary>
internal sealed class Hop(SafeHttp.Guard guard, FetchRequest fetch, Uri url, TimeProvider time)
{
    private const int BufferSize = 64 * 1024;

    private readonly string _host = url.IdnHost;

    /// <summary>What was answered; null while nothing was.</summary>
    public int? Status { get; private set; }

    public async Task<(Uri? Next, FetchResult? Result)> RunAsync(CancellationToken ct)
    {
        using var request = CreateRequest();
        using var response = await SendAsync(guard, request, _host, ct);
        Status = (int)response.StatusCode;

        if (IsRedirect(response.StatusCode))
            return (NextUrl(response), null);
        if (response.StatusCode == HttpStatusCode.NotModified && fetch.Conditions is not null)
            return (null, Describe(response, 0, "", notModified: true));
        if (!response.IsSuccessStatusCode)
            throw FetchFailures.FromStatus(_host, response, time);
        if (response.StatusCode == HttpStatusCode.PartialContent)
            throw FetchFailures.BadContent($"{_host} sends a part of the document that was not asked for.");
        if (response.Content.Headers.ContentLength > fetch.Limits.MaxBytes)
            throw FetchFailures.TooLarge(_host, fetch.Limits.MaxBytes);

        var (length, sha256) = await SaveAsync(response, ct);
        return (null, Describe(response, length, sha256, notModified: false));
    }

    /// <summary>Sends a request and reads a small answer into memory.</summary>
    public static async Task<SafeResponse> SendSmallAsync(
        SafeHttp.Guard guard, HttpRequestMessage request, string host, FetchLimits limits, TimeProvider time, CancellationToken ct)
    {
        AddOwnHeaders(guard, request);
        using var response = await SendAsync(guard, request, host, ct);

        // Room beyond what is kept, so that the end of the body and its being cut off can be told apart.
        var roomy = limits with { MaxBytes = limits.MaxBytes + BufferSize };
        await using var body = await LimitedBody.OpenAsync(response, roomy, host, PaceOf(guard), ct);
        using var kept = new MemoryStream();
        var buffer = new byte[8 * 1024];
        while (kept.Length <= limits.MaxBytes && await body.ReadAsync(buffer, ct) is > 0 and var count)
            kept.Write(buffer, 0, count);

        var truncated = kept.Length > limits.MaxBytes;
        if (truncated)
            kept.SetLength(limits.MaxBytes);
        return new SafeResponse((int)response.StatusCode, response.Headers, MediaTypeOf(response), kept.ToArray(), truncated)
        {
            RetryAfter = FetchFailures.RetryAfter(response, time),
        };
    }

    private HttpRequestMessage CreateRequest()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (Uri.Compare(url, fetch.Url, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0)
        {
            foreach (var (name, value) in fetch.Headers)
                request.Headers.TryAddWithoutValidation(name, value);
        }
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        if (fetch.Conditions?.ETag is { Length: > 0 } tag)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        if (fetch.Conditions?.LastModified is { } changed)
            request.Headers.IfModifiedSince = changed;
        AddOwnHeaders(guard, request);
        return request;
    }

    private static void AddOwnHeaders(SafeHttp.Guard guard, HttpRequestMessage request)
    {
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        if (!request.Headers.Contains("User-Agent"))
            request.Headers.TryAddWithoutValidation("User-Agent", guard.Options.AgentName);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip, deflate, br");
    }

    private static async Task<HttpResponseMessage> SendAsync(SafeHttp.Guard guard, HttpRequestMessage request, string host, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(guard.Options.HeadersTimeout);
        try
        {
            return await guard.Client.SendAsync(request, limit.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested && e.InnerException is not TimeoutException)
        {
            throw FetchFailures.TimedOut($"{host} did not answer", guard.Options.HeadersTimeout, e);
        }
    }

    private Uri NextUrl(HttpResponseMessage response)
    {
        // As sent: read as an address by the framework, \\host would have become file://host.
        var target = response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.First().Trim() : "";
        if (target.Length == 0)
            throw FetchFailures.BadContent($"{_host} redirects without saying where.");
        return guard.Rules.Resolve(url, target);
    }

    private async Task<(long Length, string Sha256)> SaveAsync(HttpResponseMessage response, CancellationToken ct)
    {
        try
        {
            await using var body = await LimitedBody.OpenAsync(response, fetch.Limits, _host, PaceOf(guard), ct);
            await using var file = new FileStream(fetch.DestinationPath, new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                BufferSize = 0,
                Options = FileOptions.Asynchronous,
            });
            var total = response.Content.Headers.ContentEncoding.Count == 0 ? response.Content.Headers.ContentLength : null;
            return await CopyAsync(body, file, total, ct);
        }
        catch
        {
            File.Delete(fetch.DestinationPath);
            throw;
        }
    }

    private async Task<(long Length, string Sha256)> CopyAsync(LimitedBody body, FileStream file, long? total, CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            long length = 0;
            while (await body.ReadAsync(buffer, ct) is > 0 and var count)
            {
                hash.AppendData(buffer, 0, count);
                await file.WriteAsync(buffer.AsMemory(0, count), ct);
                length += count;
                fetch.Progress?.Invoke(length, total);
            }
            return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private FetchResult Describe(HttpResponseMessage response, long length, string sha256, bool notModified) => new(
        url,
        (int)response.StatusCode,
        MediaTypeOf(response),
        response.Content.Headers.ContentType?.CharSet?.Trim('"', ' ') is { Length: > 0 } charset ? charset.ToLowerInvariant() : null,
        length,
        sha256,
        response.Headers.TryGetValues("ETag", out var tags) ? tags.First() : null,
        response.Content.Headers.LastModified,
        notModified,
        []);

    private static string? MediaTypeOf(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType?.ToLowerInvariant();

    private static Pace PaceOf(SafeHttp.Guard guard) => new(guard.Options.MinBytesPerSecond, guard.Options.RateWindow);

    private static bool IsRedirect(HttpStatusCode status) =>
        status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}

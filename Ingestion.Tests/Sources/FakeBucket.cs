using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

/// <summary>
/// An S3-compatible store on loopback: lists by prefix and token, checks each signature by its own reading of the protocol, answers
/// conditions, and slows down or breaks when told to.
/// </summary>
internal sealed class FakeBucket(string accessKey, string secretKey, string region)
{
    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    public int PageSize { get; set; } = 1000;

    /// <summary>Asked before each answer; a status other than 0 is answered instead.</summary>
    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    public int Lists;

    public int Gets;

    public int Puts;

    public static async Task<(FixtureHost Host, FakeBucket Bucket)> StartAsync(string accessKey = "AKIDEXAMPLE", string secretKey = "secret/Key+1", string region = "eu-test-1")
    {
        var bucket = new FakeBucket(accessKey, secretKey, region);
        var host = await FixtureHost.StartAsync();
        host.Otherwise = bucket.AnswerAsync;
        return (host, bucket);
    }

    /// <summary>A connection to one that was started as it comes.</summary>
    public static object Settings(FixtureHost server, string prefix = "") =>
        new { endpoint = $"http://{server.Target}", bucket = "docs", region = "eu-test-1", prefix, access_key = "AKIDEXAMPLE", secret_key = "secret/Key+1" };

    private async Task AnswerAsync(HttpContext context)
    {
        if (await Trouble(context) is > 0 and var status)
        {
            if (status is 429 or 503) context.Response.Headers.RetryAfter = "1";
            await ErrorAsync(context, status, status switch { 503 => "SlowDown", 403 => "AccessDenied", _ => "InternalError" });
            return;
        }
        var raw = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
        if (!IsSigned(context, raw))
        {
            await ErrorAsync(context, 403, "SignatureDoesNotMatch");
            return;
        }
        if (!raw.StartsWith("/docs/", StringComparison.Ordinal) && !raw.StartsWith("/docs?", StringComparison.Ordinal)) await ErrorAsync(context, 404, "NoSuchBucket");
        else if (raw.StartsWith("/docs?", StringComparison.Ordinal)) await ListAsync(context);
        else if (HttpMethods.IsPut(context.Request.Method)) await PutAsync(context, Uri.UnescapeDataString(raw["/docs/".Length..]));
        else if (HttpMethods.IsDelete(context.Request.Method)) Delete(context, Uri.UnescapeDataString(raw["/docs/".Length..]));
        else await GetAsync(context, Uri.UnescapeDataString(raw["/docs/".Length..]));
    }

    private async Task ListAsync(HttpContext context)
    {
        Interlocked.Increment(ref Lists);
        var (prefix, after) = (context.Request.Query["prefix"].ToString(), context.Request.Query["continuation-token"].ToString());
        var most = Math.Min(PageSize, int.Parse(context.Request.Query["max-keys"].ToString(), CultureInfo.InvariantCulture));
        var keys = Objects.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(k, after.Length == 0 ? "" : Encoding.UTF8.GetString(Convert.FromBase64String(after))) > 0).Order(StringComparer.Ordinal).ToList();
        var page = keys.Take(most).ToList();
        var next = keys.Count > most ? Convert.ToBase64String(Encoding.UTF8.GetBytes(page[^1])) : null;
        context.Response.ContentType = "application/xml";
        await context.Response.WriteAsync($"""
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>docs</Name><KeyCount>{page.Count}</KeyCount><IsTruncated>{(next is null ? "false" : "true")}</IsTruncated>
            {(next is null ? "" : $"<NextContinuationToken>{next}</NextContinuationToken>")}
            {string.Concat(page.Select(k => $"<Contents><Key>{System.Security.SecurityElement.Escape(k)}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;{Tag(k)}&quot;</ETag><Size>{Objects[k].Length}</Size><StorageClass>STANDARD</StorageClass></Contents>"))}
            </ListBucketResult>
            """);
    }

    // The bytes must be those that the signature speaks of.
    private async Task PutAsync(HttpContext context, string key)
    {
        Interlocked.Increment(ref Puts);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        if (Convert.ToHexStringLower(SHA256.HashData(body.ToArray())) != context.Request.Headers["x-amz-content-sha256"].ToString())
        {
            await ErrorAsync(context, 400, "XAmzContentSHA256Mismatch");
            return;
        }
        Objects[key] = body.ToArray();
        context.Response.Headers.ETag = $"\"{Tag(key)}\"";
    }

    private void Delete(HttpContext context, string key)
    {
        Objects.TryRemove(key, out _);
        context.Response.StatusCode = 204;
    }

    private static Task ErrorAsync(HttpContext context, int status, string code)
    {
        (context.Response.StatusCode, context.Response.ContentType) = (status, "application/xml");
        return context.Response.WriteAsync($"""<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>Told by the store.</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>""");
    }

    private async Task GetAsync(HttpContext context, string key)
    {
        Interlocked.Increment(ref Gets);
        if (!Objects.TryGetValue(key, out var content))
        {
            await ErrorAsync(context, 404, "NoSuchKey");
            return;
        }
        context.Response.Headers.ETag = $"\"{Tag(key)}\"";
        if (context.Request.Headers.IfNoneMatch == context.Response.Headers.ETag)
        {
            context.Response.StatusCode = 304;
            return;
        }
        context.Response.ContentType = "binary/octet-stream";
        await context.Response.Body.WriteAsync(content);
    }

    private string Tag(string key) => Convert.ToHexStringLower(MD5.HashData(Objects[key]));

    private bool IsSigned(HttpContext context, string raw)
    {
        var headers = context.Request.Headers;
        var (path, query) = raw.Split('?', 2) is [var p, var q] ? (p, q) : (raw, "");
        var time = headers["x-amz-date"].ToString();
        if (time.Length < 8) return false;
        var scope = $"{time[..8]}/{region}/s3/aws4_request";
        var canonical = string.Join('\n', context.Request.Method, path, string.Join('&', query.Split('&').Order(StringComparer.Ordinal)), $"host:{headers.Host}", $"x-amz-content-sha256:{headers["x-amz-content-sha256"]}", $"x-amz-date:{time}", "", "host;x-amz-content-sha256;x-amz-date", headers["x-amz-content-sha256"].ToString());
        var toSign = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = new[] { time[..8], region, "s3", "aws4_request" }.Aggregate(Encoding.UTF8.GetBytes("AWS4" + secretKey), (k, part) => HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part)));
        return headers.Authorization == $"AWS4-HMAC-SHA256 Credential={accessKey}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)))}";
    }
}

using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Ingestion.Admin.Api;

/// <summary>Answers that a caller can ask for again without getting them again: with an <c>ETag</c>, and 304 where <c>If-None-Match</c> names it.</summary>
internal static class Tagged
{
    /// <param name="status">What is answered; only 200 to a GET is tagged, since what an act answers is no copy to be kept.</param>
    public static IResult Answer(HttpContext http, object value, int status = StatusCodes.Status200OK) => status == StatusCodes.Status200OK && HttpMethods.IsGet(http.Request.Method)
        ? Bytes(http, JsonSerializer.SerializeToUtf8Bytes(value, Wire.Json), "application/json; charset=utf-8")
        : Wire.Answer(value, status);

    public static IResult Bytes(HttpContext http, byte[] body, string mediaType)
    {
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}\"");
        http.Response.Headers.ETag = tag.ToString();
        // Kept by the caller, and asked about every time.
        http.Response.Headers.CacheControl = "private, no-cache";
        return http.Request.GetTypedHeaders().IfNoneMatch.Any(asked => asked.Equals(EntityTagHeaderValue.Any) || asked.Compare(tag, useStrongComparison: false))
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Bytes(body, mediaType);
    }
}

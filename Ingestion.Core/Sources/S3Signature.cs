using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ingestion.Core.Sources;

/// <summary>Signs requests for S3-compatible stores (AWS Signature Version 4). Pure: the time is given.</summary>
internal static class S3Signature
{
    /// <summary>SHA-256 of nothing.</summary>
    public const string NoBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// <summary>The headers that prove the request. The address must be escaped as it is sent, its parameters in order.</summary>
    /// <param name="bodyHash">SHA-256 of the body, lower-case hexadecimal.</param>
    public static Dictionary<string, string> Headers(Uri url, string region, string accessKey, string secretKey, DateTimeOffset now, string method = "GET", string bodyHash = NoBody)
    {
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{time[..8]}/{region}/s3/aws4_request";
        var request = $"{method}\n{url.AbsolutePath}\n{url.Query.TrimStart('?')}\nhost:{url.Authority}\nx-amz-content-sha256:{bodyHash}\nx-amz-date:{time}\n\nhost;x-amz-content-sha256;x-amz-date\n{bodyHash}";
        var text = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)))}";
        var key = Mac(Mac(Mac(Mac(Encoding.UTF8.GetBytes("AWS4" + secretKey), time[..8]), region), "s3"), "aws4_request");
        return new()
        {
            ["x-amz-date"] = time, ["x-amz-content-sha256"] = bodyHash,
            ["Authorization"] = $"AWS4-HMAC-SHA256 Credential={accessKey}/{scope}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={Convert.ToHexStringLower(Mac(key, text))}",
        };
    }

    /// <summary>Escapes all but letters, digits and <c>-._~</c>; with <paramref name="path"/> the slash too stays.</summary>
    public static string Escape(string text, bool path = false)
    {
        var result = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_' or (byte)'~' || (path && b == '/')) result.Append((char)b);
            else result.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        return result.ToString();
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}

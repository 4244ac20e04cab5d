using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ingestion.Core.Webhooks;

/// <summary>
/// Signs as Standard Webhooks says: HMAC-SHA256 over <c>id.timestamp.body</c>, in base64 behind <c>v1,</c>. A secret is <c>whsec_</c> and
/// base64 of 24 to 64 bytes.
/// </summary>
public static class WebhookSignature
{
    public const string IdHeader = "webhook-id";
    public const string TimeHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>How every secret begins.</summary>
    public const string SecretPrefix = "whsec_";

    private const int SecretBytes = 32;

    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>What is wrong with a secret that a caller brings; null where nothing is.</summary>
    public static string? Problem(string secret) => Key(secret) is { Length: >= 24 and <= 64 } ? null : $"secret must be {SecretPrefix} and base64 of 24 to 64 bytes.";

    /// <summary>The header's value: a signature by each secret, the newest first.</summary>
    public static string Of(IEnumerable<string> secrets, string id, DateTimeOffset at, string body)
    {
        var signed = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.{body}"));
        return string.Join(' ', secrets.Select(s => "v1," + Convert.ToBase64String(HMACSHA256.HashData(Key(s) ?? throw new ArgumentException("is no webhook secret", nameof(secrets)), signed))));
    }

    private static byte[]? Key(string secret)
    {
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal) || secret.Length > 200) return null;
        var bytes = new byte[secret.Length];
        return Convert.TryFromBase64String(secret[SecretPrefix.Length..], bytes, out var count) ? bytes[..count] : null;
    }
}

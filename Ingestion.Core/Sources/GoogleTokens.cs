using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Tokens for Google's interfaces, of a service account (a signed assertion) or of a person (a refresh token). One is used until it
/// ends; it is held in memory alone.
/// </summary>
/// <param name="scope">What a service account is to be allowed; a person's token has what the person allowed.</param>
internal sealed class GoogleTokens(SafeHttp http, TimeProvider time, string scope)
{
    private const string PersonsAddress = "https://oauth2.googleapis.com/token";
    private const string Missing = "the key of the service account, or the OAuth client with its token, is wrong or was withdrawn";
    private readonly ConcurrentDictionary<string, (string Token, DateTimeOffset Until)> _tokens = new();

    /// <summary>The header that proves a connection. Throws <c>secret_missing</c>, <c>invalid_option</c> or <c>access_denied</c>.</summary>
    /// <param name="gateway">Stands before Google's interfaces and gives persons' tokens at <c>/token</c>; null for Google itself.</param>
    public async Task<Dictionary<string, string>> HeadersAsync(OpenConnection connection, CancellationToken ct, string? gateway = null)
    {
        var account = await connection.SecretAsync("service_account", ct);
        var (secret, refresh) = account is null ? (await connection.SecretAsync("client_secret", ct), await connection.SecretAsync("refresh_token", ct)) : (null, null);
        if (account is null && (secret is null || refresh is null))
            throw new IngestionException(ErrorCodes.SecretMissing, "Neither a service account nor an OAuth client secret with a refresh token is set.");
        // Changed secrets are another key: the token of the old ones is not used again.
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{connection.TenantId}\n{connection.Key}\n{account}\n{secret}\n{refresh}")));
        if (!_tokens.TryGetValue(key, out var held) || held.Until <= time.GetUtcNow())
            _tokens[key] = held = await AskAsync(account is null ? Person(connection, secret!, refresh!, gateway) : Service(account), ct);
        return new() { ["Authorization"] = $"Bearer {held.Token}" };
    }

    private async Task<(string, DateTimeOffset)> AskAsync((Uri Address, Dictionary<string, string> Form) grant, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, grant.Address) { Content = new FormUrlEncodedContent(grant.Form) };
        JsonElement answer;
        try
        {
            answer = await JsonApi.SendAsync(http, request, Missing, ct);
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.HttpClientError)
        {
            // A grant that is not taken is answered with 400.
            throw new IngestionException(ErrorCodes.AccessDenied, $"{grant.Address.IdnHost} gives no token: {Missing}.", e);
        }
        var token = answer.Text("access_token") ?? throw new IngestionException(ErrorCodes.BadContent, $"{grant.Address.IdnHost} answers without a token.");
        var seconds = answer.Member("expires_in") is { ValueKind: JsonValueKind.Number } lasts && lasts.TryGetInt32(out var n) ? n : 600;
        return (token, time.GetUtcNow().AddSeconds(Math.Max(30, seconds - 120)));
    }

    private static (Uri, Dictionary<string, string>) Person(OpenConnection connection, string secret, string refresh, string? gateway) => (new(gateway is null ? PersonsAddress : $"{gateway}/token"), new()
    {
        ["grant_type"] = "refresh_token", ["client_id"] = connection.Settings.Text("client_id"), ["client_secret"] = secret, ["refresh_token"] = refresh,
    });

    private (Uri, Dictionary<string, string>) Service(string account)
    {
        try
        {
            using var json = JsonDocument.Parse(account);
            var address = json.RootElement.Text("token_uri") ?? PersonsAddress;
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            using var key = RSA.Create();
            key.ImportFromPem(json.RootElement.Text("private_key"));
            var claims = JsonSerializer.Serialize(new { iss = json.RootElement.Text("client_email"), scope, aud = address, iat = now, exp = now + 3600 });
            var text = $"{Base64("""{"alg":"RS256","typ":"JWT"}"""u8)}.{Base64(Encoding.UTF8.GetBytes(claims))}";
            var signature = Base64(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            return (new(address), new() { ["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer", ["assertion"] = $"{text}.{signature}" });
        }
        catch (Exception e) when (e is JsonException or ArgumentException or CryptographicException or UriFormatException or InvalidOperationException)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, "The service account is not the JSON file of a key: it needs client_email and private_key.", e);
        }
    }

    private static string Base64(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}

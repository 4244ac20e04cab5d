using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Ingestion.Core;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Lets in who sends the bootstrap key as <c>X-Api-Key</c> or as a bearer token. Never from a cookie or the URL.</summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, IOptions<IngestionOptions> settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";
    private const string Bearer = "Bearer ";

    /// <summary>The key a request carries; null where it carries none.</summary>
    public static string? KeyOf(HttpRequest request) =>
        request.Headers.TryGetValue(Header, out var key) ? key.ToString()
        : request.Headers.Authorization.ToString() is var sent && sent.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? sent[Bearer.Length..].Trim()
        : null;

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (KeyOf(Request) is not { } sent)
            return Task.FromResult(AuthenticateResult.NoResult());
        var known = settings.Value.BootstrapKey;
        // Hashes have one length, so the comparison tells nothing about the key's.
        return Task.FromResult(known.Length > 0 && CryptographicOperations.FixedTimeEquals(Hash(sent), Hash(known))
            ? AuthenticateResult.Success(new(Caller.OfScheme(SchemeName), SchemeName))
            : AuthenticateResult.Fail("The API key is not valid."));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refusal.UnauthorizedAsync(Context);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}

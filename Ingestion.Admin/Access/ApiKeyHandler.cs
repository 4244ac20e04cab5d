using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Ingestion.Core;
using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Lets in who sends an API key as <c>X-Api-Key</c> or as a bearer token. Never from a cookie or the URL.</summary>
internal sealed class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, Callers callers, IOptions<IngestionOptions> settings)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "ApiKey";
    public const string Header = "X-Api-Key";
    private const string Bearer = "Bearer ";

    /// <summary>The key a request carries; null where it carries none.</summary>
    public static string? KeyOf(HttpRequest request) =>
        request.Headers.TryGetValue(Header, out var key) ? key.ToString() : BearerOf(request);

    /// <summary>The bearer token a request carries; null where it carries none.</summary>
    public static string? BearerOf(HttpRequest request) =>
        request.Headers.Authorization.ToString() is var sent && sent.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? sent[Bearer.Length..].Trim() : null;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (KeyOf(Request) is not { } sent)
            return AuthenticateResult.NoResult();
        var known = settings.Value.BootstrapKey;
        // Hashes have one length, so the comparison tells nothing about the key's.
        if (known.Length > 0 && CryptographicOperations.FixedTimeEquals(AccessToken.Hash(sent), AccessToken.Hash(known)))
            return AuthenticateResult.Success(new(Caller.OfScheme(SchemeName, Context.Address()), SchemeName));
        return await callers.OfKeyAsync(sent, Context.RequestAborted) is { } facts
            ? AuthenticateResult.Success(new(Caller.Of(facts, SchemeName, Context.Address()), SchemeName))
            : AuthenticateResult.Fail("The API key is not valid.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refusal.UnauthorizedAsync(Context);

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refusal.ForbiddenAsync(Context);
}

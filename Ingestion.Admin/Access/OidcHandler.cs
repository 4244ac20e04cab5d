using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Ingestion.Core.Access;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Ingestion.Admin.Access;

internal sealed class OidcOptions : OAuthOptions
{
    /// <summary>The provider's published description: addresses and signing keys, read again when a key is not known.</summary>
    public IConfigurationManager<OpenIdConnectConfiguration> Description { get; set; } = null!;

    public OidcSettings Provider { get; set; } = null!;

    public override void Validate()
    {
        // Both come from the description; the base class wants them before there is one.
        if (string.IsNullOrEmpty(AuthorizationEndpoint)) AuthorizationEndpoint = Provider.Authority;
        if (string.IsNullOrEmpty(TokenEndpoint)) TokenEndpoint = Provider.Authority;
        base.Validate();
    }
}

/// <summary>
/// OpenID Connect's code flow on the framework's OAuth handler, which does state, correlation cookie, PKCE and the exchange. Added here:
/// discovery, a nonce that travels in the protected state, and the checks of the id token.
/// </summary>
internal sealed class OidcHandler(IOptionsMonitor<OidcOptions> options, ILoggerFactory logs, UrlEncoder encoder) : OAuthHandler<OidcOptions>(options, logs, encoder)
{
    /// <summary>The claim that, with the issuer, says who it is.</summary>
    public const string Subject = "sub";
    public const string IdToken = "id_token";
    private const string Nonce = ".nonce";

    // Signatures that only the provider can make. "none" and those by a shared key are not among them.
    private static readonly string[] Algorithms =
        [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384];

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        await DescribeAsync();
        properties.Items[Nonce] = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
        await base.HandleChallengeAsync(properties);
    }

    protected override string BuildChallengeUrl(AuthenticationProperties properties, string redirectUri) =>
        QueryHelpers.AddQueryString(base.BuildChallengeUrl(properties, redirectUri), "nonce", properties.Items[Nonce]!);

    protected override async Task<HandleRequestResult> HandleRemoteAuthenticateAsync()
    {
        await DescribeAsync();
        return await base.HandleRemoteAuthenticateAsync();
    }

    protected override async Task<AuthenticationTicket> CreateTicketAsync(ClaimsIdentity identity, AuthenticationProperties properties, OAuthTokenResponse tokens)
    {
        if (tokens.Response is not { } response || !response.RootElement.TryGetProperty(IdToken, out var sent) || sent.GetString() is not { Length: > 0 } raw)
            throw new AuthenticationFailureException("The provider sent no id token.");
        var token = await ValidateAsync(raw, await DescribeAsync());
        if (!token.IsValid && token.Exception is SecurityTokenSignatureKeyNotFoundException)
        {
            // The provider has changed its keys since they were read.
            Options.Description.RequestRefresh();
            token = await ValidateAsync(raw, await DescribeAsync());
        }
        if (!token.IsValid) throw new AuthenticationFailureException($"The id token is not valid: {token.Exception.GetType().Name}.", token.Exception);
        // A token that was made for another sign-in carries another sign-in's nonce.
        if (!properties.Items.Remove(Nonce, out var nonce) || nonce is null || !token.Claims.TryGetValue("nonce", out var named) || named as string != nonce)
            throw new AuthenticationFailureException("The id token belongs to another sign-in.");
        properties.Items[IdToken] = raw;
        return new(new(token.ClaimsIdentity), properties, Scheme.Name);
    }

    /// <summary>Where the provider wants browsers to sign out; null where it says nothing.</summary>
    public static async Task<string?> SignOutAddressAsync(OidcOptions options, string idToken, string returnTo, CancellationToken ct)
    {
        var description = await options.Description.GetConfigurationAsync(ct);
        return string.IsNullOrEmpty(description.EndSessionEndpoint) ? null : QueryHelpers.AddQueryString(description.EndSessionEndpoint,
            new Dictionary<string, string?> { ["id_token_hint"] = idToken, ["post_logout_redirect_uri"] = returnTo, ["client_id"] = options.ClientId });
    }

    /// <summary>True for the issuer that the description names; where it names one for many tenants, for those that are allowed.</summary>
    internal static bool IsIssuer(string described, string issuer, string? tenant, ICollection<string> allowed)
    {
        const string placeholder = "{tenantid}";
        return described.Contains(placeholder, StringComparison.OrdinalIgnoreCase)
            ? tenant is not null && allowed.Contains(tenant) && issuer == described.Replace(placeholder, tenant, StringComparison.OrdinalIgnoreCase)
            : issuer == described;
    }

    private async Task<OpenIdConnectConfiguration> DescribeAsync()
    {
        var description = await Options.Description.GetConfigurationAsync(Context.RequestAborted);
        (Options.AuthorizationEndpoint, Options.TokenEndpoint) = (description.AuthorizationEndpoint, description.TokenEndpoint);
        return description;
    }

    private Task<TokenValidationResult> ValidateAsync(string raw, OpenIdConnectConfiguration description) =>
        new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(raw, new TokenValidationParameters
        {
            ValidAudience = Options.ClientId, IssuerSigningKeys = description.SigningKeys, RequireSignedTokens = true, RequireExpirationTime = true,
            ClockSkew = TimeSpan.FromMinutes(2), ValidAlgorithms = Algorithms,
            IssuerValidator = (issuer, token, _) => IsIssuer(description.Issuer, issuer, TenantOf(token), Options.Provider.AllowedTenants) ? issuer
                : throw new SecurityTokenInvalidIssuerException($"issuer {issuer}"),
        });

    private static string? TenantOf(SecurityToken token) => ((JsonWebToken)token).TryGetPayloadValue<string>("tid", out var tenant) ? tenant : null;
}

using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Ingestion.Tests.Access;

/// <summary>What a provider does wrong in the next token it makes.</summary>
public enum Fault { None, OtherKey, OtherAudience, OtherIssuer, Expired, NotYet, OtherNonce, Unsigned, SharedKey, NoSubject, ReplayedToken }

/// <summary>
/// A small OpenID Connect provider on loopback: discovery, keys, the code flow with PKCE, sign-out. Everybody who comes is signed in as
/// <see cref="Name"/> with <see cref="Roles"/>.
/// </summary>
internal sealed class StubProvider : IAsyncDisposable
{
    public const string ClientId = "ingestion-client";
    public const string ClientSecret = "a secret of the provider";
    public const string Audience = "api://ingestion";
    private readonly WebApplication _app;
    private readonly Dictionary<string, (string Nonce, string Challenge)> _codes = [];
    private readonly RSA _strangers = RSA.Create(2048);
    private RSA _key = RSA.Create(2048);
    private string _keyId = "first";
    private string? _lastToken;

    private StubProvider(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public Fault Fault { get; set; }

    public string Subject { get; set; } = "subject-1";

    public string Name { get; set; } = "Ann of the Provider";

    public string[] Roles { get; set; } = ["Ingestion.Admin"];

    /// <summary>How often a code was exchanged with the right secret and verifier.</summary>
    public int Exchanged { get; private set; }

    /// <summary>The id tokens that came back at sign-out.</summary>
    public List<string> SignedOut { get; } = [];

    public static async Task<StubProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var provider = new StubProvider(builder.Build());
        provider.Map();
        await provider._app.StartAsync();
        return provider;
    }

    /// <summary>Signs with another key from now on, as providers do every few months.</summary>
    public void RollKey() => (_key, _keyId) = (RSA.Create(2048), "second");

    /// <summary>A token for the API, as a client of the provider would get one.</summary>
    public string BearerToken() => Token(Audience, "none");

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private void Map()
    {
        _app.MapGet("/.well-known/openid-configuration", () => new { issuer = Address, authorization_endpoint = Address + "/authorize", token_endpoint = Address + "/token", jwks_uri = Address + "/keys", end_session_endpoint = Address + "/out" });
        _app.MapGet("/keys", () =>
        {
            var p = _key.ExportParameters(false);
            return new { keys = new[] { new { kty = "RSA", use = "sig", kid = _keyId, n = Base64UrlEncoder.Encode(p.Modulus), e = Base64UrlEncoder.Encode(p.Exponent) } } };
        });
        _app.MapGet("/authorize", (HttpRequest r) =>
        {
            var code = Guid.NewGuid().ToString("n");
            _codes[code] = (r.Query["nonce"]!, r.Query["code_challenge"]!);
            return Results.Redirect($"{r.Query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(r.Query["state"]!)}");
        });
        _app.MapPost("/token", async (HttpRequest r) =>
        {
            var form = await r.ReadFormAsync();
            // A code is good once, for who holds the secret and began the flow.
            if (!_codes.Remove(form["code"]!, out var asked) || form["client_secret"] != ClientSecret || WebEncoders.Base64UrlEncode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"]!))) != asked.Challenge)
                return Results.BadRequest(new { error = "invalid_grant" });
            Exchanged++;
            var token = Fault == Fault.ReplayedToken && _lastToken is { } earlier ? earlier : Token(ClientId, asked.Nonce);
            _lastToken = token;
            return Results.Json(new { access_token = "opaque", token_type = "Bearer", expires_in = 300, id_token = token });
        });
        _app.MapGet("/out", (HttpRequest r) =>
        {
            SignedOut.Add(r.Query["id_token_hint"]!);
            return Results.Redirect(r.Query["post_logout_redirect_uri"]!);
        });
    }

    private string Token(string audience, string nonce)
    {
        var claims = new Dictionary<string, object> { ["name"] = Name, ["roles"] = Roles, ["nonce"] = Fault == Fault.OtherNonce ? "of another sign-in" : nonce };
        if (Fault != Fault.NoSubject) claims["sub"] = Subject;
        var now = DateTime.UtcNow;
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Fault == Fault.OtherIssuer ? "http://evil.example" : Address, Audience = Fault == Fault.OtherAudience ? "another-client" : audience, Claims = claims,
            IssuedAt = now, NotBefore = Fault == Fault.NotYet ? now.AddMinutes(10) : now.AddMinutes(-30), Expires = now.AddMinutes(Fault == Fault.Expired ? -10 : 30),
            SigningCredentials = Fault switch
            {
                Fault.Unsigned => null,
                // The public key as a shared secret: whoever checks the algorithm too late takes it.
                Fault.SharedKey => new(new SymmetricSecurityKey(_key.ExportSubjectPublicKeyInfo()), SecurityAlgorithms.HmacSha256),
                Fault.OtherKey => new(new RsaSecurityKey(_strangers) { KeyId = _keyId }, SecurityAlgorithms.RsaSha256),
                _ => new(new RsaSecurityKey(_key) { KeyId = _keyId }, SecurityAlgorithms.RsaSha256),
            },
        });
    }
}

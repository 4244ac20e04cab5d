using System.Net;
using Ingestion.Core.Settings;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Access;

/// <summary>How people and programs are let in: section <c>Ingestion:Access</c>.</summary>
public sealed class AccessOptions
{
    public const string Section = "Ingestion:Access";

    /// <summary>A user whom requests without a credential are taken for, from this machine alone; empty for none.</summary>
    public string CompatUser { get; set; } = "";

    /// <summary>Seals the ring that seals secrets and cookies; empty for a file in the data directory.</summary>
    public string KeyRingSecret { get; set; } = "";

    /// <summary>A signed-in browser that asks nothing for this long is signed out.</summary>
    public TimeSpan SessionIdle { get; set; } = TimeSpan.FromHours(12);

    /// <summary>The longest that a browser stays signed in.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(14);

    /// <summary>Addresses and networks of proxies whose X-Forwarded headers are believed.</summary>
    public IList<string> KnownProxies { get; } = [];
}

/// <summary>How often a caller may do what costs most, in a minute and over all processes; 0 for no limit. Section <c>Ingestion:Limits</c>.</summary>
public sealed class LimitOptions
{
    public const string Section = "Ingestion:Limits";

    /// <summary>Attempts to sign in, from one address and for one name.</summary>
    public int SignInsPerMinute { get; set; } = 10;

    public int BatchesPerMinute { get; set; } = 120;

    /// <summary>Requests that carry files or parts of them.</summary>
    public int UploadsPerMinute { get; set; } = 12_000;

    /// <summary>Megabytes (of 1024 × 1024 bytes) that one caller may announce as files in a day of UTC.</summary>
    public int UploadMegabytesPerDay { get; set; } = 1_000_000;

    public int SearchesPerMinute { get; set; } = 300;

    /// <summary>Live connections opened.</summary>
    public int SocketsPerMinute { get; set; } = 120;

    /// <summary>Live connections open at once, in one process.</summary>
    public int OpenSockets { get; set; } = 100;
}

/// <summary>An OpenID Connect provider, Entra ID or any other: section <c>Ingestion:Oidc</c>. Off while Authority is empty.</summary>
public sealed class OidcSettings
{
    public const string Section = "Ingestion:Oidc";

    /// <summary>The provider's address, under which <c>/.well-known/openid-configuration</c> stands.</summary>
    public string Authority { get; set; } = "";

    public string ClientId { get; set; } = "";

    public string ClientSecret { get; set; } = "";

    /// <summary>The words on the button.</summary>
    public string DisplayName { get; set; } = "Company account";

    /// <summary>The audience of bearer tokens for the API; empty where the API takes none.</summary>
    public string ApiAudience { get; set; } = "";

    /// <summary>Claims whose values <see cref="Grants"/> name: roles and groups.</summary>
    public IList<string> RoleClaims { get; } = [];

    /// <summary>Tenants of the provider that may sign in, where its issuer is one for many (Entra ID's <c>common</c>).</summary>
    public IList<string> AllowedTenants { get; } = [];

    /// <summary>What a value of a role claim gives: <c>Ingestion.Admin=administrator</c>, <c>Library=operator@library</c>; <c>*</c> is everybody.</summary>
    public IList<string> Grants { get; } = [];

    public bool Enabled => Authority.Length > 0;
}

internal sealed class AccessOptionsCheck(IOptions<IngestionOptions> ingestion) : IValidateOptions<AccessOptions>
{
    public ValidateOptionsResult Validate(string? name, AccessOptions o) => new SettingCheck(AccessOptions.Section)
        .That("CompatUser", o.CompatUser.Length == 0 || ingestion.Value.IsLoopback, "works only while Ingestion:Bind (INGESTION_BIND) is a loopback address: it lets requests in without a credential")
        .That("CompatUser", o.CompatUser.Length <= 100 && !o.CompatUser.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)), "must be a name without spaces")
        .That("KeyRingSecret", o.KeyRingSecret.Length is 0 or >= 32, "must have at least 32 characters")
        .Range("SessionIdle", o.SessionIdle, TimeSpan.FromMinutes(1), TimeSpan.FromDays(90))
        .Range("SessionLifetime", o.SessionLifetime, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365))
        .That("KnownProxies", o.KnownProxies.All(p => IPNetwork.TryParse(p, out _) || IPAddress.TryParse(p, out _)), "must hold addresses or networks such as 10.0.0.5 or 10.0.0.0/8")
        .Result;
}

internal sealed class LimitOptionsCheck : IValidateOptions<LimitOptions>
{
    private const int Most = 10_000_000;

    public ValidateOptionsResult Validate(string? name, LimitOptions o) => new SettingCheck(LimitOptions.Section)
        .Range("SignInsPerMinute", o.SignInsPerMinute, 0, Most)
        .Range("BatchesPerMinute", o.BatchesPerMinute, 0, Most)
        .Range("UploadsPerMinute", o.UploadsPerMinute, 0, Most)
        .Range("UploadMegabytesPerDay", o.UploadMegabytesPerDay, 0, int.MaxValue)
        .Range("SearchesPerMinute", o.SearchesPerMinute, 0, Most)
        .Range("SocketsPerMinute", o.SocketsPerMinute, 0, Most)
        .Range("OpenSockets", o.OpenSockets, 0, Most)
        .Result;
}

internal sealed class OidcSettingsCheck : IValidateOptions<OidcSettings>
{
    public ValidateOptionsResult Validate(string? name, OidcSettings o) => !o.Enabled ? ValidateOptionsResult.Success : new SettingCheck(OidcSettings.Section)
        .That("Authority", Uri.TryCreate(o.Authority, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback)), "must be an absolute https address")
        .That("ClientId", o.ClientId.Length > 0, "must be set: the provider gave it when the app was registered")
        .That("ClientSecret", o.ClientSecret.Length > 0, "must be set: the provider gave it when the app was registered")
        .That("Grants", o.Grants.Count > 0, "must say what roles give, such as Ingestion.Admin=administrator; without one nobody could enter")
        .That("Grants", o.Grants.All(g => Grant.TryParse(g) is not null), "must be like Ingestion.Admin=administrator or Library=operator@library, with viewer, operator, reviewer or administrator")
        .Result;
}

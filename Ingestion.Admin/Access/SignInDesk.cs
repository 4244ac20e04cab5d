using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>What came of an attempt to sign in. A refusal says the same for a wrong name and a wrong password.</summary>
internal sealed record SignInResult(bool Done, string? Refusal = null, TimeSpan? Wait = null);

/// <summary>
/// Where people sign in, by whatever means: counts attempts, checks, begins a session of its own for this browser and hands out its
/// cookie. What was there before is not taken over.
/// </summary>
internal sealed class SignInDesk(
    Accounts accounts, Sessions sessions, Callers callers, RateLimits limits, SignInLinks links, IPasswordHasher<Account> hasher,
    IOptions<AccessOptions> access, IOptions<LimitOptions> perMinute, TimeProvider time, ILogger<SignInDesk> log)
{
    private const string Wrong = "User name or password is not right.";
    private static readonly Account Nobody = new() { Id = "", UserName = "", NormalizedUserName = "", Name = "", SecurityStamp = "" };

    // Hashed once, so that a name nobody has takes as long as one that somebody has.
    private readonly Lazy<string> _nobodys = new(() => hasher.HashPassword(Nobody, AccessToken.New()));

    public async Task<SignInResult> ByPasswordAsync(HttpContext http, string userName, string password, CancellationToken ct)
    {
        if (await CountedAsync(http, AccountName.Normalize(userName), ct) is { } wait) return Slowly(wait);
        var account = userName.Length <= AccountName.MaxName ? await accounts.FindByUserNameAsync(userName, ct) : null;
        var right = password.Length <= PasswordRules.Longest
            && hasher.VerifyHashedPassword(account ?? Nobody, account?.PasswordHash ?? _nobodys.Value, password) != PasswordVerificationResult.Failed;
        if (account?.PasswordHash is null || account.DisabledAt is not null || account.LockedUntil > time.GetUtcNow()) return Refused(http, "password", "unknown, disabled or locked");
        if (!right)
        {
            await accounts.FailedAsync(account.Id, ct);
            return Refused(http, "password", "wrong password");
        }
        await accounts.SucceededAsync(account.Id, ct);
        return await BeginAsync(http, account, "password", ct);
    }

    /// <summary>Signs the machine's owner in by a one-time link.</summary>
    public async Task<SignInResult> ByLinkAsync(HttpContext http, string token, CancellationToken ct)
    {
        if (!links.TryRedeem(token))
            return await CountedAsync(http, null, ct) is { } wait ? Slowly(wait) : new(false, "This link was used already, or a newer one has replaced it.");
        return await BeginAsync(http, await accounts.OwnerAsync(ct), "link", ct);
    }

    /// <summary>Counts an attempt that is not for a known name; null where it may be made.</summary>
    public Task<TimeSpan?> CountedAsync(HttpContext http, CancellationToken ct) => CountedAsync(http, null, ct);

    /// <summary>Begins a session for an account that has proved to be itself.</summary>
    /// <param name="providerToken">Sealed; handed back to the provider at sign-out.</param>
    public async Task<SignInResult> BeginAsync(HttpContext http, Account account, string method, CancellationToken ct, string? providerToken = null)
    {
        if (account.DisabledAt is not null || (await callers.TenantsOfAsync(account.Id, ct)).FirstOrDefault() is not { } tenant)
            return Refused(http, method, "disabled or in no tenant");
        var actor = new Actor(tenant.Id, account.Id) { Address = http.Address() };
        var token = await sessions.BeginAsync(actor, method, http.Request.Headers.UserAgent.ToString(), access.Value.SessionLifetime, ct, providerToken);
        SessionHandler.SetCookie(http, token, access.Value.SessionLifetime);
        log.SignedIn(account.Id, method, actor.Address);
        return new(true);
    }

    /// <summary>Where to go after signing in: only to a page of ours. "//host" and "/\host" are other sites to a browser.</summary>
    public static string Home(string? returnUrl) =>
        returnUrl is ['/'] || (returnUrl is ['/', var second, ..] && second is not ('/' or '\\') && !returnUrl.Any(char.IsControl)) ? returnUrl : "/";

    private async Task<TimeSpan?> CountedAsync(HttpContext http, string? name, CancellationToken ct)
    {
        var most = perMinute.Value.SignInsPerMinute;
        // A row is written for each name, so what is written is not what strangers type.
        var ofName = name is null ? null : await limits.TakeAsync("sign-in/name/" + Convert.ToHexStringLower(AccessToken.Hash(name).AsSpan(0, 8)), most, ct);
        return ofName ?? await limits.TakeAsync($"sign-in/address/{http.Address()}", most, ct);
    }

    private static SignInResult Slowly(TimeSpan wait) => new(false, $"Too many attempts. Try again in {Math.Ceiling(wait.TotalSeconds):0} seconds.", wait);

    private SignInResult Refused(HttpContext http, string method, string reason)
    {
        log.SignInRefused(method, http.Address(), reason);
        return new(false, Wrong);
    }
}

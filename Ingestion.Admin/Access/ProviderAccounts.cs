using System.Security.Claims;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.DataProtection;

namespace Ingestion.Admin.Access;

/// <summary>Turns what a provider says of a person into an account and its memberships, at each sign-in and for each bearer token.</summary>
internal sealed class ProviderAccounts(Accounts accounts, Tenants tenants, Callers callers, IDataProtectionProvider ring, ILogger<ProviderAccounts> log)
{
    private IDataProtector Protector => ring.CreateProtector("Ingestion.ProviderToken");

    /// <summary>Begins a session for who has signed in at the provider, or leads back to the sign-in page with the reason.</summary>
    public async Task EnterAsync(TicketReceivedContext context, OidcSettings provider)
    {
        var (http, ct) = (context.HttpContext, context.HttpContext.RequestAborted);
        context.HandleResponse();
        if (await AccountAsync(context.Principal!, provider, ct) is not { } account)
        {
            log.SignInRefused("provider", http.Address(), "no role in any tenant");
            http.Response.Redirect("/sign-in?refused=role");
            return;
        }
        var token = context.Properties?.Items.TryGetValue(OidcHandler.IdToken, out var raw) == true && raw is not null ? Protector.Protect(raw) : null;
        var began = await http.RequestServices.GetRequiredService<SignInDesk>().BeginAsync(http, account, "provider", ct, token);
        http.Response.Redirect(began.Done ? SignInDesk.Home(context.ReturnUri) : "/sign-in?refused=role");
    }

    /// <summary>What went wrong is for the log; the person is told to try again.</summary>
    public Task RefuseAsync(RemoteFailureContext context)
    {
        log.SignInRefused("provider", context.HttpContext.Address(), context.Failure?.Message ?? "unknown");
        context.HandleResponse();
        context.Response.Redirect("/sign-in?refused=provider");
        return Task.CompletedTask;
    }

    /// <summary>Makes the caller of a bearer token whose signature, audience and time are right.</summary>
    public async Task RecogniseAsync(TokenValidatedContext context, OidcSettings provider)
    {
        var (http, ct) = (context.HttpContext, context.HttpContext.RequestAborted);
        if (await AccountAsync(context.Principal!, provider, ct) is { } account && (await callers.TenantsOfAsync(account.Id, ct)).FirstOrDefault() is { } tenant
            && await callers.OfAccountAsync(account.Id, tenant.Id, ct) is { } facts)
            context.Principal = Caller.Of(facts, ProviderSetup.BearerScheme, http.Address());
        else
            context.Fail("This person has no role here.");
    }

    /// <summary>The provider's token of a session, for the sign-out there; null where there is none or the ring is lost.</summary>
    public string? Open(string? sealedToken)
    {
        try
        {
            return sealedToken is null ? null : Protector.Unprotect(sealedToken);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    // Null where no grant gives the person anything and nobody has given them a role here.
    private async Task<Account?> AccountAsync(ClaimsPrincipal person, OidcSettings provider, CancellationToken ct)
    {
        if (person.FindFirst(OidcHandler.Subject) is not { } subject || person.FindFirstValue("iss") is not { } issuer) return null;
        var values = ProviderSetup.RoleClaims(provider).SelectMany(person.FindAll).Select(c => c.Value).ToHashSet(StringComparer.Ordinal);
        var known = (await tenants.ListAsync(ct)).Where(t => t.DisabledAt is null).Select(t => t.Id).ToHashSet();
        var grants = Grant.Of(provider.Grants, values).Where(g => known.Contains(g.Key)).ToDictionary();
        var account = await accounts.OfProviderAsync(issuer, subject.Value, Name(person, subject.Value), grants, ct);
        return account.DisabledAt is null && (await callers.TenantsOfAsync(account.Id, ct)).Count > 0 ? account : null;
    }

    private static string Name(ClaimsPrincipal person, string otherwise)
    {
        var name = new[] { "name", "preferred_username", "email" }.Select(person.FindFirstValue).FirstOrDefault(n => !string.IsNullOrWhiteSpace(n)) ?? otherwise;
        name = string.Concat(name.Where(c => !char.IsControl(c))).Trim();
        return name.Length <= AccountName.MaxName ? name : name[..AccountName.MaxName];
    }
}

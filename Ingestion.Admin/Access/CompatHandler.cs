using System.Net;
using System.Text.Encodings.Web;
using Ingestion.Admin.Api;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>
/// For clients that know of no credentials: a program on this very machine that sends none is the configured user, an operator of the
/// default tenant. A request that a page of elsewhere made is nobody's.
/// </summary>
internal sealed class CompatHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, IOptions<AccessOptions> access)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string SchemeName = "Compat";

    /// <summary>True for a request that may be taken for the configured user's.</summary>
    public static bool Accepts(HttpContext context, AccessOptions options) =>
        options.CompatUser.Length > 0 && context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && !context.Request.WantsPage() && !context.Request.Headers.ContainsKey("X-Forwarded-For") && RequestedWith.IsOwn(context.Request);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var facts = new CallerFacts(access.Value.CompatUser, access.Value.CompatUser, Tenant.Default, Role.Operator, Owner: false, Narrowing.None);
        return Task.FromResult(AuthenticateResult.Success(new(Caller.Of(facts, SchemeName, Context.Address()), SchemeName)));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refusal.ForbiddenAsync(Context);
}

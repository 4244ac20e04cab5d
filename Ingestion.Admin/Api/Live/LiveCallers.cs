using System.Collections.Concurrent;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>
/// Whether who opened a connection would still be let in. Asked of the database every few seconds for each credential, however many
/// connections it holds.
/// </summary>
internal sealed class LiveCallers(Callers callers, TimeProvider time, ILogger<LiveCallers> log)
{
    /// <summary>How old an answer may be.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    private const int Many = 10_000;
    private readonly ConcurrentDictionary<(string Scheme, string Credential, string Tenant), Answer> _answers = new();

    /// <summary>False once the session has ended, the key was revoked, the account disabled, or what it reaches was changed.</summary>
    public async ValueTask<bool> AreInForceAsync(HttpContext http, CancellationToken ct)
    {
        if (http.User.Identities.OfType<CallerIdentity>().FirstOrDefault() is not { } identity) return false;
        var facts = identity.Facts;
        if (Find(identity) is not { } find) return true;
        var answer = _answers.GetOrAdd((identity.AuthenticationType!, facts.CredentialId ?? facts.Id, facts.TenantId), _ => new());
        // Thousands ask at once after each reading: whoever finds an answer that is young enough does not queue for it.
        if (answer.Given is { } young && IsYoung(young)) return Holds(young, facts);
        await answer.Gate.WaitAsync(ct);
        try
        {
            if (answer.Given is not { } given || !IsYoung(given)) answer.Given = given = new(await find(ct), time.GetTimestamp());
            return Holds(given, facts);
        }
        catch (Exception e) when (Transient.Is(e))
        {
            // Without the database there is nothing to read either.
            log.CallerNotChecked(e.Message);
            return true;
        }
        finally
        {
            answer.Gate.Release();
            if (_answers.Count > Many) Forget();
        }
    }

    private bool IsYoung(Given given) => time.GetElapsedTime(given.At) <= Interval;

    private static bool Holds(Given given, CallerFacts facts) =>
        given.Facts is { } now && now.May(Permission.Read) && now.TenantId == facts.TenantId && now.Narrowing == facts.Narrowing && now.Role >= facts.Role;

    // Null for the machine's own key and the configured user: they end with the process.
    private Func<CancellationToken, Task<CallerFacts?>>? Find(CallerIdentity identity) => identity switch
    {
        { AuthenticationType: SessionHandler.SchemeName, Facts.CredentialId: { } session } => ct => callers.OfOpenSessionAsync(session, ct),
        { AuthenticationType: ApiKeyHandler.SchemeName, Facts.CredentialId: { } key } => ct => callers.OfOpenKeyAsync(key, ct),
        { AuthenticationType: ProviderSetup.BearerScheme, Facts: var facts } => ct => callers.OfAccountAsync(facts.Id, facts.TenantId, ct),
        _ => null,
    };

    private void Forget()
    {
        foreach (var old in _answers.Where(a => a.Value.Given is { } given && time.GetElapsedTime(given.At) > Interval * 10).ToList()) _answers.TryRemove(old);
    }

    private sealed class Answer
    {
        public readonly SemaphoreSlim Gate = new(1, 1);
        public volatile Given? Given;
    }

    // Facts are null where the credential holds no more.
    private sealed record Given(CallerFacts? Facts, long At);
}

using System.Security.Claims;
using Ingestion.Core.Access;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace Ingestion.Admin.Access;

/// <summary>
/// Who looks at a page that stays open. The session's row is read again every few seconds: a changed role changes what the page shows
/// and lets do, an ended session ends it.
/// </summary>
internal sealed class LiveAuthentication : ServerAuthenticationStateProvider, IDisposable
{
    /// <summary>A role that is taken away is gone from open pages after this long.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Callers _callers;
    private readonly TimeProvider _time;
    private readonly ILogger<LiveAuthentication> _log;
    private readonly CancellationTokenSource _end = new();
    private bool _watching;

    public LiveAuthentication(Callers callers, TimeProvider time, ILogger<LiveAuthentication> log)
    {
        (_callers, _time, _log) = (callers, time, log);
        AuthenticationStateChanged += state => _ = WatchAsync(state);
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
    }

    private async Task WatchAsync(Task<AuthenticationState> first)
    {
        if (_watching) return;
        _watching = true;
        var user = (await first).User;
        var ct = _end.Token;
        if (user.Identities.OfType<CallerIdentity>().FirstOrDefault() is not { AuthenticationType: SessionHandler.SchemeName } identity) return;
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                if (await LookAsync(identity, ct) is not { } facts) return;
                if (facts == identity.Facts) continue;
                identity = new(facts, SessionHandler.SchemeName, identity.Address);
                SetAuthenticationState(Task.FromResult(new AuthenticationState(new(identity))));
            }
        }
        catch (OperationCanceledException)
        {
            // The page is closed.
        }
    }

    // The facts of now; null once the session has ended, which the page has been told.
    private async Task<CallerFacts?> LookAsync(CallerIdentity identity, CancellationToken ct)
    {
        try
        {
            if (await _callers.OfOpenSessionAsync(identity.Facts.CredentialId!, ct) is { } facts) return facts;
            SetAuthenticationState(Task.FromResult(new AuthenticationState(new ClaimsPrincipal(new ClaimsIdentity()))));
            return null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it was, the look-out must not end with it: the session is asked for again. Without the database nothing can be changed on the page either.
            _log.SessionNotChecked(e.Message);
            return identity.Facts;
        }
    }
}

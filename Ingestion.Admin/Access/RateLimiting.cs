using System.Collections.Concurrent;
using System.Globalization;
using Ingestion.Admin.Api;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Access;

/// <summary>Refuses callers who ask too often, by the limit that the route's rule names: 429 with the seconds to wait.</summary>
internal sealed class RateLimiting(RequestDelegate next, RateLimits limits, OpenSockets sockets, IOptions<LimitOptions> options)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var limit = context.GetEndpoint() is { } endpoint ? RouteAuthorization.RuleOf(context, endpoint)?.Limit ?? Limit.None : Limit.None;
        if (limit == Limit.None || context.User.Facts() is not { } caller)
        {
            await next(context);
            return;
        }

        if (await limits.TakeAsync($"{limit}/{caller.CredentialId ?? caller.Id}", PerMinute(limit), context.RequestAborted) is { } wait)
        {
            await RefuseAsync(context, wait);
            return;
        }
        // Pages that cannot have a socket ask again and again instead; what is held open is counted: sockets and streams.
        if (limit != Limit.Sockets || (context.Request.Path.StartsWithSegments("/_blazor") && !context.WebSockets.IsWebSocketRequest)) await next(context);
        else if (!await sockets.HoldAsync(caller.Id, options.Value.OpenSockets, () => next(context))) await RefuseAsync(context, TimeSpan.FromSeconds(30));
    }

    private int PerMinute(Limit limit) => limit switch
    {
        Limit.Batches => options.Value.BatchesPerMinute,
        Limit.Uploads => options.Value.UploadsPerMinute,
        Limit.Searches => options.Value.SearchesPerMinute,
        _ => options.Value.SocketsPerMinute,
    };

    private static Task RefuseAsync(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.RetryAfter = seconds;
        var code = ErrorCodes.RateLimited;
        return Answers.WriteAsync(context, StatusCodes.Status429TooManyRequests, $"Too many requests. Try again in {seconds} seconds.", ("code", code.Code), ("remedy", code.Remedy));
    }
}

/// <summary>How many live connections each caller holds in this process.</summary>
internal sealed class OpenSockets
{
    private readonly ConcurrentDictionary<string, int> _open = new();

    /// <summary>Runs a connection to its end. False, and nothing is run, where the caller holds as many as it may.</summary>
    /// <param name="most">0 for no limit.</param>
    public async Task<bool> HoldAsync(string caller, int most, Func<Task> connection)
    {
        var open = _open.AddOrUpdate(caller, 1, (_, n) => n + 1);
        try
        {
            if (most > 0 && open > most) return false;
            await connection();
            return true;
        }
        finally
        {
            if (_open.AddOrUpdate(caller, 0, (_, n) => n - 1) == 0) _open.TryRemove(new(caller, 0));
        }
    }
}

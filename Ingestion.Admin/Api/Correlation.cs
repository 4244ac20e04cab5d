using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Ingestion.Admin.Api;

/// <summary>Gives every request an id that its log lines, its error and its answer share. A caller may bring one along.</summary>
internal sealed partial class Correlation(RequestDelegate next, ILogger<Correlation> log)
{
    public const string Header = "X-Correlation-Id";

    public async Task InvokeAsync(HttpContext context)
    {
        // What a caller sends is written to logs and headers, so only a plain word is taken.
        var id = context.Request.Headers[Header].ToString() is { Length: > 0 } sent && PlainWord().IsMatch(sent)
            ? sent
            : Activity.Current?.TraceId.ToHexString() ?? Guid.NewGuid().ToString("n");
        context.TraceIdentifier = id;
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Header] = id;
            return Task.CompletedTask;
        });
        using (log.BeginScope("{CorrelationId}", id))
            await next(context);
    }

    [GeneratedRegex("^[A-Za-z0-9._-]{1,64}$", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial Regex PlainWord();
}

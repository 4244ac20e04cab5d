using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api;

/// <summary><c>/api/v1/hosts</c>: what was asked of which host, what waits for it and why, and the rate at which it is asked.</summary>
internal static class HostsApi
{
    private const int MaxTake = 500;

    public static WebApplication MapHosts(this WebApplication app)
    {
        var hosts = app.MapGroup("/api/v1/hosts");
        hosts.MapGet("/", async (HttpContext http, HostQueries queries, string? text, int? skip, int? take, CancellationToken ct) =>
        {
            var page = await queries.ListAsync(http.User.Scope(), Plain(text ?? ""), Math.Max(0, skip ?? 0), Math.Clamp(take ?? 100, 1, MaxTake), ct);
            return Wire.Answer(new { Hosts = page.Rows.Select(h => new HostAnswer(h)), page.Total });
        });
        hosts.MapGet("/{host}", async (HttpContext http, string host, HostQueries queries, CancellationToken ct) => await AnswerAsync(http, Key(host), queries, ct));
        hosts.MapPut("/{host}/budget", ChangeAsync);
        hosts.MapDelete("/{host}/budget", async (HttpContext http, string host, HostDesk desk, CancellationToken ct) =>
            await desk.SetAsync(http.Actor(Permission.Administer), Key(host), null, ct) ? Results.NoContent() : AccessApi.None());
        return app;
    }

    private static async Task<IResult> ChangeAsync(HttpContext http, string host, HostDesk desk, HostQueries queries, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        if (await queries.FindAsync(http.User.Scope(), Key(host), ct) is null) return AccessApi.None();
        if (body.RootElement.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => n != "requests_per_minute") is { } other)
            throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(other)} is not known here. Known is: requests_per_minute.");
        if (!body.RootElement.TryGetProperty("requests_per_minute", out var value) || value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var rate))
            throw new IngestionException(ErrorCodes.InvalidOption, $"requests_per_minute must be a whole number from 1 to {HostDesk.MostPerMinute}.");
        return await desk.SetAsync(http.Actor(Permission.Administer), Key(host), rate, ct) ? await AnswerAsync(http, Key(host), queries, ct) : AccessApi.None();
    }

    private static async Task<IResult> AnswerAsync(HttpContext http, string host, HostQueries queries, CancellationToken ct) =>
        await queries.DetailsAsync(http.User.Scope(), host, ct) is { } found ? Wire.Answer(new DetailsAnswer(found)) : AccessApi.None();

    private static string Key(string host) => Plain(host).ToLowerInvariant();

    // The database takes no U+0000 in a text, and no host has one.
    private static string Plain(string text) => text.Replace('\0', '\uFFFD');

    private class HostAnswer(HostView h)
    {
        public string Host => h.Host;
        public int RequestsPerMinute => h.PerMinute;
        public int? OwnRequestsPerMinute => h.OwnPerMinute;
        public int DefaultRequestsPerMinute => h.DefaultPerMinute;
        public DateTimeOffset? ChangedAt => h.ChangedAt;
        public string? ChangedBy => h.ChangedBy;
        public double? CrawlDelaySeconds => h.CrawlDelay?.TotalSeconds;
        public DateTimeOffset? PausedUntil => h.PausedUntil;
        public string Rule => h.Binding.Word();
        public int Waiting => h.Waiting;
        public long Requests => h.Requests;
        public long Bytes => h.Bytes;
        public DateTimeOffset FirstAskedAt => h.FirstAskedAt;
        public DateTimeOffset LastAskedAt => h.LastAskedAt;
        public int? LastStatus => h.LastStatus;
        public string? LastProblem => h.LastProblem;
    }

    private sealed class DetailsAnswer(HostDetails d) : HostAnswer(d.Host)
    {
        [JsonPropertyOrder(1)]
        public IReadOnlyList<HostMinute> Minutes => d.Minutes;
        [JsonPropertyOrder(1)]
        public IEnumerable<object> Waits => d.Waits.Select(w => new { Rule = w.Rule.Word(), w.Waits, WaitedSeconds = Math.Round(w.Waited.TotalSeconds, 1) });
        [JsonPropertyOrder(1)]
        public IReadOnlyList<HostRequest> Recent => d.Recent;
    }
}

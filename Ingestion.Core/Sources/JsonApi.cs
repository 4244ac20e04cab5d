using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Asks other programs' interfaces that answer in JSON, through the one guarded client, and puts their refusals in the taxonomy.</summary>
internal static class JsonApi
{
    private static readonly FetchLimits Limits = new(32 << 20, TimeSpan.FromMinutes(1));

    /// <summary>The answer. Throws with a code of the section "places" where there is none.</summary>
    /// <param name="missing">What a refusal of rights means here: <c>the folder is not shared with the account</c>.</param>
    public static async Task<JsonElement> GetAsync(SafeHttp http, Uri url, IReadOnlyDictionary<string, string> headers, string missing, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(http, request, missing, ct);
    }

    /// <inheritdoc cref="GetAsync"/>
    public static async Task<JsonElement> SendAsync(SafeHttp http, HttpRequestMessage request, string missing, CancellationToken ct)
    {
        var host = request.RequestUri!.IdnHost;
        var answer = await http.SendAsync(request, Limits, ct);
        Require(answer, host, missing);
        return answer.Truncated || Read(answer) is not { } json ? throw new IngestionException(ErrorCodes.BadContent, $"{host} does not answer in JSON, or with too much of it.") : json;
    }

    /// <summary>Throws what an answer without success means, with a code of the section "places".</summary>
    /// <param name="missing">What a refusal of rights means here.</param>
    public static void Require(SafeResponse answer, string host, string missing)
    {
        if (answer.StatusCode is >= 200 and < 300) return;
        var json = Read(answer);
        var throttled = answer.StatusCode is 429 or 503 || (answer.StatusCode == 403 && Says(json, "rateLimitExceeded", "userRateLimitExceeded", "sharingRateLimitExceeded"));
        var used = answer.StatusCode == 402 || (answer.StatusCode == 403 && Says(json, "quotaExceeded", "dailyLimitExceeded"));
        var badKey = answer.StatusCode == 400 && json?.Member("error").Elements("details").Any(d => d.Text("reason") == "API_KEY_INVALID") == true;
        var code = throttled ? ErrorCodes.Throttled : used ? ErrorCodes.SourceQuota : badKey ? ErrorCodes.AccessDenied : answer.StatusCode switch
        {
            401 or 403 => ErrorCodes.AccessDenied,
            404 => ErrorCodes.NotFound,
            408 => ErrorCodes.FetchTimeout,
            410 => ErrorCodes.Gone,
            >= 500 => ErrorCodes.HttpServerError,
            _ => ErrorCodes.HttpClientError,
        };
        var why = throttled ? "it asks us to slow down" : used ? "the quota or credit there is used up" : badKey ? "the API key is not valid" : answer.StatusCode is 401 or 403 or 404 ? missing : "it refuses the request";
        throw new IngestionException(code, string.Create(CultureInfo.InvariantCulture, $"{host} answers with status {answer.StatusCode}: {why}.")) { RetryAfter = answer.RetryAfter };
    }

    /// <summary>A member as text; null where there is none.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A member as an object; undefined where there is none.</summary>
    public static JsonElement Member(this JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;

    /// <summary>The elements of an array member; none where it is no array.</summary>
    public static IEnumerable<JsonElement> Elements(this JsonElement json, string name) => json.Member(name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : [];

    /// <summary>The body; null where it is no JSON.</summary>
    public static JsonElement? Read(SafeResponse answer)
    {
        try
        {
            using var document = JsonDocument.Parse(answer.Body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            // Proxies and gateways answer errors with pages: the status says enough.
            return null;
        }
    }

    // Some interfaces say with 403 what others say with 429 or 402, and give the reason in the body.
    private static bool Says(JsonElement? json, params string[] reasons) =>
        json is { } body && body.Member("error").Elements("errors").Any(e => reasons.Contains(e.Text("reason")));
}

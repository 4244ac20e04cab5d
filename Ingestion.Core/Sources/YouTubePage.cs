using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>
/// The page on which everybody sees a video: it tells the player what the video is and where its captions lie. That form is not documented; what
/// it does not hold is said, never guessed. Asked in the host's turn, under this program's own name.
/// </summary>
internal sealed class YouTubePage(SafeHttp http, HostBudgets hosts, IOptionsMonitor<AcquireOptions> acquire)
{
    private static readonly FetchLimits Limits = new(32 << 20, TimeSpan.FromMinutes(1));

    /// <summary>A video and its captions. Throws <c>not_found</c>, <c>gone</c>, <c>access_denied</c> or <c>throttled</c> where the page shows none.</summary>
    /// <param name="gateway">Stands before YouTube; null for YouTube itself.</param>
    public async Task<(VideoFacts Video, IReadOnlyList<CaptionTrack> Tracks)> ReadAsync(string? gateway, string video, CancellationToken ct)
    {
        var answer = await GetAsync(gateway, $"/watch?v={video}&hl=en", "the page is not shown to this program", ct);
        var player = Player(answer.Body);
        if (player.ValueKind != JsonValueKind.Object)
            throw answer.Body.AsSpan().IndexOf("g-recaptcha"u8) >= 0 ? Asks("YouTube asks for a proof that a person is looking.") : new IngestionException(ErrorCodes.BadContent, "The page of the video is not in the form that is known.");
        RequirePlayable(player.Member("playabilityStatus"));
        var details = player.Member("videoDetails");
        var more = player.Member("microformat").Member("playerMicroformatRenderer");
        var seconds = long.TryParse(details.Text("lengthSeconds"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n is > 0 and < 10_000_000 ? TimeSpan.FromSeconds(n) : (TimeSpan?)null;
        var facts = new VideoFacts(video, details.Text("title") ?? video, details.Text("author"), seconds, YouTubeData.Day(more.Text("publishDate")));
        var tracks = player.Member("captions").Member("playerCaptionsTracklistRenderer").Elements("captionTracks")
            .Where(t => t.Text("baseUrl") is not null && t.Text("languageCode") is not null)
            .Select(t => new CaptionTrack(t.Text("baseUrl")!, t.Text("languageCode")!, t.Text("kind") == "asr")).ToList();
        return (facts, tracks);
    }

    /// <summary>What the captions say. Throws <c>access_denied</c> where YouTube keeps them for its own player.</summary>
    public async Task<IReadOnlyList<Cue>> CuesAsync(string? gateway, CaptionTrack track, CancellationToken ct)
    {
        // An address that the page names is followed on YouTube's own host, and nowhere else.
        if (!Uri.TryCreate(new Uri("https://www.youtube.com"), track.Place, out var place) || place.AbsolutePath != "/api/timedtext")
            throw new IngestionException(ErrorCodes.BadContent, "The page names a place of captions that is none of YouTube's.");
        var query = string.Join('&', place.Query.TrimStart('?').Split('&').Where(p => !p.StartsWith("fmt=", StringComparison.Ordinal)).Append("fmt=json3"));
        var answer = await GetAsync(gateway, $"/api/timedtext?{query}", "the captions are not given to this program", ct);
        if (answer.Truncated) throw new IngestionException(ErrorCodes.TooLarge, "The captions are larger than any that can be read.");
        if (answer.Body.Length == 0) throw new IngestionException(ErrorCodes.AccessDenied, "YouTube gives the captions of this video to its own player alone. The owner of the video can connect with OAuth.");
        return CaptionFormats.Json(answer.Body);
    }

    private async Task<SafeResponse> GetAsync(string? gateway, string path, string missing, CancellationToken ct)
    {
        var url = new Uri((gateway ?? "https://www.youtube.com") + path);
        var host = HostBudgets.KeyOf(url);
        if (await hosts.TakeAsync(host, acquire.CurrentValue.RequestsPerMinutePerHost, ct) is { } wait)
            throw new IngestionException(ErrorCodes.Throttled, $"{url.IdnHost} asked us to stay away for a while.") { RetryAfter = wait };
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept-Language", "en");
        var answer = await http.SendAsync(request, Limits, ct);
        if (answer.StatusCode is >= 300 and < 400) throw new IngestionException(ErrorCodes.AccessDenied, "YouTube sends visitors from here to another page first, where they are asked for their consent.");
        if (answer is { StatusCode: 429, RetryAfter: { } pause }) await hosts.PauseAsync(host, pause, ct);
        JsonApi.Require(answer, url.IdnHost, missing);
        return answer;
    }

    private static void RequirePlayable(JsonElement status)
    {
        var reason = status.Text("reason") ?? "";
        var word = status.Text("status");
        if (word is "OK" or null) return;
        if (word == "LOGIN_REQUIRED" && reason.Contains("bot", StringComparison.OrdinalIgnoreCase)) throw Asks("YouTube asks for a proof that a person is looking.");
        throw word == "ERROR"
            ? reason.Contains("removed", StringComparison.OrdinalIgnoreCase) || reason.Contains("terminated", StringComparison.OrdinalIgnoreCase)
                ? new IngestionException(ErrorCodes.Gone, "The video was removed from YouTube.")
                : new IngestionException(ErrorCodes.NotFound, "There is no such video on YouTube.")
            : word == "LIVE_STREAM_OFFLINE" ? new(ErrorCodes.NoCaptions, "The broadcast has not begun: it has no captions yet.")
            : reason.Contains("private", StringComparison.OrdinalIgnoreCase) ? new(ErrorCodes.AccessDenied, "The video is private.")
            : new(ErrorCodes.AccessDenied, "YouTube shows the video only to those who sign in, are of age, pay, or are elsewhere.");
    }

    // The first whole object that the page gives the player; a placeholder may come before it.
    private static JsonElement Player(ReadOnlySpan<byte> page)
    {
        var name = "ytInitialPlayerResponse"u8;
        while (page.IndexOf(name) is >= 0 and var at)
        {
            page = page[(at + name.Length)..];
            var value = page.TrimStart(" \"]"u8);
            if (!value.StartsWith("="u8)) continue;
            value = value[1..].TrimStart(" "u8);
            if (!value.StartsWith("{"u8)) continue;
            try
            {
                var reader = new Utf8JsonReader(value);
                if (!JsonDocument.TryParseValue(ref reader, out var document)) continue;
                using (document) return document.RootElement.Clone();
            }
            catch (JsonException)
            {
                // Script that only looks like it; the page may hold another.
                continue;
            }
        }
        return default;
    }

    private static IngestionException Asks(string message) => new(ErrorCodes.Throttled, message);
}

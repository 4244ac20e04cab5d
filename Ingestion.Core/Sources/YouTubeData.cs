using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// The YouTube Data API v3: playlists and videos by an API key or as a person, captions as the person that owns the video. Each page of videos
/// costs 1 unit of the daily quota, the list of a video's captions 50, the captions themselves 200.
/// </summary>
internal sealed class YouTubeData(SafeHttp http, TimeProvider time)
{
    /// <summary>Most videos that one request answers for.</summary>
    public const int Together = 50;

    private const int MaxCaptions = 64 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly GoogleTokens _tokens = new(http, time, "https://www.googleapis.com/auth/youtube.force-ssl");

    /// <summary>What proves a connection to the interface; null where it has neither a key nor a person's token.</summary>
    public async Task<YouTubeProof?> ProofAsync(OpenConnection? connection, CancellationToken ct)
    {
        if (connection is null) return null;
        var gateway = connection.Settings.Text("endpoint") is { Length: > 0 } own ? own.TrimEnd('/') : null;
        var address = $"{gateway ?? "https://www.googleapis.com"}/youtube/v3";
        if (await connection.SecretAsync("refresh_token", ct) is not null) return new(address, await _tokens.HeadersAsync(connection, ct, gateway), IsOwner: true);
        return await connection.SecretAsync("api_key", ct) is { } key ? new(address, new Dictionary<string, string> { ["X-Goog-Api-Key"] = key }, IsOwner: false) : null;
    }

    /// <summary>Some videos of a playlist, and the token of those after them; null after the last. What is private or deleted is among them.</summary>
    /// <param name="token">Null for the first.</param>
    public async Task<(IReadOnlyList<string> Ids, string? Next)> PlaylistAsync(YouTubeProof proof, string playlist, string? token, CancellationToken ct)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"playlistItems?part=contentDetails&maxResults={Together}&playlistId={Uri.EscapeDataString(playlist)}{(string.IsNullOrEmpty(token) ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}");
        var json = await GetAsync(proof, query, $"the playlist {playlist} is not there, is private, or the API key is not allowed to use the YouTube Data API", ct);
        var ids = json.Elements("items").Select(i => i.Member("contentDetails").Text("videoId")).OfType<string>().ToList();
        return (ids, json.Text("nextPageToken") is { Length: > 0 } next ? next : null);
    }

    /// <summary>What is known of videos; those that are private to others, or deleted, are not among them.</summary>
    public async Task<IReadOnlyDictionary<string, VideoFacts>> VideosAsync(YouTubeProof proof, IReadOnlyList<string> ids, CancellationToken ct)
    {
        if (ids.Count == 0) return new Dictionary<string, VideoFacts>();
        var json = await GetAsync(proof, $"videos?part=snippet,contentDetails&id={string.Join(',', ids.Select(Uri.EscapeDataString))}", "the API key is not allowed to use the YouTube Data API", ct);
        return json.Elements("items").Where(v => v.Text("id") is not null).Select(Facts).DistinctBy(v => v.Id).ToDictionary(v => v.Id);
    }

    /// <summary>The captions of a video that are served. Throws <c>access_denied</c> where the account may not see them.</summary>
    public async Task<IReadOnlyList<CaptionTrack>> TracksAsync(YouTubeProof proof, string video, CancellationToken ct)
    {
        var json = await GetAsync(proof, $"captions?part=snippet&videoId={Uri.EscapeDataString(video)}", "there is no such video, or the account does not own it", ct);
        return [.. from track in json.Elements("items")
                   let snippet = track.Member("snippet")
                   where track.Text("id") is not null && snippet.Text("language") is not null && snippet.Text("status") is null or "serving"
                   where snippet.Member("isDraft").ValueKind != JsonValueKind.True && !Is(snippet, "forced")
                   select new CaptionTrack(track.Text("id")!, snippet.Text("language")!, Is(snippet, "asr"), snippet.Text("lastUpdated"))];
    }

    /// <summary>What the captions say.</summary>
    public async Task<IReadOnlyList<Cue>> CuesAsync(YouTubeProof proof, CaptionTrack track, CancellationToken ct)
    {
        using var request = Request(proof, $"captions/{Uri.EscapeDataString(track.Place)}?tfmt=vtt");
        var host = request.RequestUri!.IdnHost;
        var answer = await http.SendAsync(request, new(MaxCaptions, Patience), ct);
        JsonApi.Require(answer, host, "the account may not edit the video, and only who may can have its captions");
        if (answer.Truncated) throw new IngestionException(ErrorCodes.TooLarge, "The captions are larger than any that can be read.");
        return CaptionFormats.Vtt(Encoding.UTF8.GetString(answer.Body));
    }

    private async Task<JsonElement> GetAsync(YouTubeProof proof, string query, string missing, CancellationToken ct)
    {
        using var request = Request(proof, query);
        return await JsonApi.SendAsync(http, request, missing, ct);
    }

    private static HttpRequestMessage Request(YouTubeProof proof, string query)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"{proof.Address}/{query}");
        foreach (var (name, value) in proof.Headers) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static VideoFacts Facts(JsonElement video)
    {
        var snippet = video.Member("snippet");
        return new(video.Text("id")!, snippet.Text("title") ?? video.Text("id")!, snippet.Text("channelTitle"), Duration(video.Member("contentDetails").Text("duration")), Day(snippet.Text("publishedAt"))) { Tag = video.Text("etag") };
    }

    // PT1H2M3S; a live stream that runs has P0D.
    private static TimeSpan? Duration(string? text)
    {
        try
        {
            return text is null or "P0D" ? null : XmlConvert.ToTimeSpan(text);
        }
        catch (FormatException)
        {
            // A form that is not documented: the length is left out, the transcript is not.
            return null;
        }
    }

    /// <summary>The day of a time stamp; null where there is none.</summary>
    internal static string? Day(string? text) => text is { Length: >= 10 } && DateOnly.TryParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? text[..10] : null;

    private static bool Is(JsonElement snippet, string kind) => string.Equals(snippet.Text("trackKind"), kind, StringComparison.OrdinalIgnoreCase);
}

/// <summary>What proves a connection to the Data API.</summary>
/// <param name="Address">Of the interface, without a slash at its end.</param>
/// <param name="IsOwner">True where a person allowed it: then captions are asked of the interface too.</param>
internal sealed record YouTubeProof(string Address, IReadOnlyDictionary<string, string> Headers, bool IsOwner);

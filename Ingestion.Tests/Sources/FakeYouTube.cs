using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

/// <summary>Captions of the fake; a line is a cue of two seconds.</summary>
internal sealed record FakeCaptions(string Language, string Text, bool Automatic = false, int Revision = 1);

/// <summary>A video of the fake.</summary>
internal sealed record FakeVideo(string Title, params FakeCaptions[] Captions)
{
    public string Channel { get; init; } = "The channel";

    /// <summary>False: listed by its playlist, and shown to nobody.</summary>
    public bool Public { get; init; } = true;

    /// <summary>False: captions of it are refused to the account.</summary>
    public bool Owned { get; init; } = true;

    /// <summary>What the page says of playing it: a status and a reason.</summary>
    public (string Status, string Reason) Playability { get; init; } = ("OK", "");
}

/// <summary>
/// The YouTube Data API v3 with its quota, the token endpoint for a person, and the public page of a video with its timed text, on loopback
/// under one address.
/// </summary>
internal sealed class FakeYouTube
{
    public const string Key = "AIzaSyFakeKey";
    public const string Playlist = "PLaaaaaaaaaaaaaaaa";

    private readonly ConcurrentDictionary<string, bool> _tokens = new();

    public ConcurrentDictionary<string, FakeVideo> Videos { get; } = new();

    /// <summary>Ids of the playlist, in its order.</summary>
    public List<string> Listed { get; } = [];

    public int PageSize { get; set; } = 50;

    /// <summary>Units left of the day's quota.</summary>
    public int Quota { get; set; } = 10_000;

    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    /// <summary>Where a page says that the captions are; <c>{0}</c> is the rest of the query.</summary>
    public string TimedText { get; set; } = "https://www.youtube.com/api/timedtext?{0}";

    /// <summary>Answers the page instead; null leaves it to the video.</summary>
    public RequestDelegate? Page { get; set; }

    /// <summary>True: timed text is given to the player alone, and others get nothing.</summary>
    public bool Withholds { get; set; }

    public int PagesShown { get; private set; }

    public static async Task<(FixtureHost Host, FakeYouTube Tube)> StartAsync()
    {
        var tube = new FakeYouTube();
        var host = await FixtureHost.StartAsync();
        host.Otherwise = tube.AnswerAsync;
        return (host, tube);
    }

    /// <summary>A connection with a key, to the playlist and these videos.</summary>
    public static object Settings(FixtureHost server, params string[] videos) =>
        new { videos, playlists = new[] { Playlist }, languages = new[] { "en", "de" }, api_key = Key, endpoint = $"http://{server.Target}" };

    /// <summary>A connection of the person whose videos they are, to the playlist.</summary>
    public static object OwnSettings(FixtureHost server) =>
        new { playlists = new[] { Playlist }, client_id = "client", client_secret = "secret", refresh_token = "1//refresh", endpoint = $"http://{server.Target}" };

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == "/token") await TokenAsync(context);
        else if (await Trouble(context) is > 0 and var status)
        {
            context.Response.StatusCode = status;
            if (status == 429) context.Response.Headers.RetryAfter = "1";
        }
        else if (path == "/watch") await (Page ?? WatchAsync)(context);
        else if (path == "/api/timedtext") await TimedTextAsync(context);
        else if (path.StartsWith("/youtube/v3/", StringComparison.Ordinal)) await DataAsync(context, path[12..]);
        else context.Response.StatusCode = 404;
    }

    private async Task TokenAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        if (form["grant_type"] != "refresh_token" || form["client_id"] != "client" || form["client_secret"] != "secret" || form["refresh_token"] != "1//refresh")
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new { error = "invalid_grant" });
            return;
        }
        var token = $"ya29.{Guid.NewGuid():n}";
        _tokens[token] = true;
        await context.Response.WriteAsJsonAsync(new { access_token = token, expires_in = 3599, token_type = "Bearer", scope = "https://www.googleapis.com/auth/youtube.force-ssl" });
    }

    private Task DataAsync(HttpContext context, string method)
    {
        var isOwner = _tokens.ContainsKey(context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal));
        if (context.Request.Headers.TryGetValue("X-Goog-Api-Key", out var key) && key != Key)
            return RefuseAsync(context, 400, "badRequest", new { code = 400, message = "API key not valid.", status = "INVALID_ARGUMENT", errors = new[] { new { reason = "badRequest" } }, details = new[] { new { reason = "API_KEY_INVALID" } } });
        if (!isOwner && key != Key) return RefuseAsync(context, 403, "forbidden");
        if (!isOwner && method.StartsWith("captions", StringComparison.Ordinal)) return RefuseAsync(context, 401, "required");
        var cost = method == "captions" ? 50 : method.StartsWith("captions/", StringComparison.Ordinal) ? 200 : 1;
        if (Quota < cost) return RefuseAsync(context, 403, "quotaExceeded");
        Quota -= cost;
        return method switch
        {
            "playlistItems" => PlaylistAsync(context),
            "videos" => context.Response.WriteAsJsonAsync(new { kind = "youtube#videoListResponse", items = context.Request.Query["id"].ToString().Split(',').Where(id => Videos.TryGetValue(id, out var v) && v.Public).Select(id => Describe(id, Videos[id])) }),
            "captions" => CaptionsAsync(context),
            _ when method.StartsWith("captions/", StringComparison.Ordinal) => DownloadAsync(context, method[9..]),
            _ => RefuseAsync(context, 404, "notFound"),
        };
    }

    private Task PlaylistAsync(HttpContext context)
    {
        if (context.Request.Query["playlistId"] != Playlist) return RefuseAsync(context, 404, "playlistNotFound");
        var from = context.Request.Query["pageToken"].ToString() is { Length: > 0 } token ? int.Parse(token[4..], CultureInfo.InvariantCulture) : 0;
        var page = Listed.Skip(from).Take(Math.Min(PageSize, int.Parse(context.Request.Query["maxResults"].ToString(), CultureInfo.InvariantCulture))).ToList();
        var answer = new Dictionary<string, object> { ["kind"] = "youtube#playlistItemListResponse", ["items"] = page.Select(id => new { kind = "youtube#playlistItem", contentDetails = new { videoId = id } }) };
        if (from + page.Count < Listed.Count) answer["nextPageToken"] = string.Create(CultureInfo.InvariantCulture, $"CAUQ{from + page.Count}");
        return context.Response.WriteAsJsonAsync(answer);
    }

    private Task CaptionsAsync(HttpContext context)
    {
        var id = context.Request.Query["videoId"].ToString();
        if (!Videos.TryGetValue(id, out var video)) return RefuseAsync(context, 404, "videoNotFound");
        if (!video.Owned) return RefuseAsync(context, 403, "forbidden");
        return context.Response.WriteAsJsonAsync(new
        {
            kind = "youtube#captionListResponse",
            items = video.Captions.Select((c, n) => new
            {
                kind = "youtube#caption", id = $"{id}.{n}",
                snippet = new { videoId = id, lastUpdated = $"2024-05-01T00:00:{c.Revision:00}.000Z", trackKind = c.Automatic ? "asr" : "standard", language = c.Language, name = "", isDraft = false, status = "serving" },
            }),
        });
    }

    private Task DownloadAsync(HttpContext context, string track)
    {
        var parts = track.Split('.');
        if (!Videos.TryGetValue(parts[0], out var video)) return RefuseAsync(context, 404, "captionNotFound");
        if (!video.Owned) return RefuseAsync(context, 403, "forbidden");
        var captions = video.Captions[int.Parse(parts[1], CultureInfo.InvariantCulture)];
        var vtt = new StringBuilder("WEBVTT\nKind: captions\nLanguage: ").Append(captions.Language).Append("\n\n");
        foreach (var (text, second) in Cues(captions)) vtt.Append(CultureInfo.InvariantCulture, $"{Stamp(second)} --> {Stamp(second + 2)} align:start\n{WebUtility.HtmlEncode(text)}\n\n");
        context.Response.ContentType = "application/octet-stream";
        return context.Request.Query["tfmt"] == "vtt" ? context.Response.WriteAsync(vtt.ToString()) : RefuseAsync(context, 400, "couldNotConvert");
    }

    private Task WatchAsync(HttpContext context)
    {
        PagesShown++;
        var id = context.Request.Query["v"].ToString();
        var video = Videos.GetValueOrDefault(id);
        var (status, reason) = video is null ? ("ERROR", "Video unavailable") : video.Public ? video.Playability : ("LOGIN_REQUIRED", "This video is private");
        var player = new Dictionary<string, object> { ["playabilityStatus"] = new { status, reason } };
        if (status == "OK")
        {
            player["videoDetails"] = new { videoId = id, title = video!.Title, lengthSeconds = "754", author = video.Channel };
            player["microformat"] = new { playerMicroformatRenderer = new { publishDate = "2024-05-01T07:00:00-07:00" } };
            if (video.Captions.Length > 0) player["captions"] = new
            {
                playerCaptionsTracklistRenderer = new
                {
                    captionTracks = video.Captions.Select((c, n) =>
                    {
                        var query = $"v={id}&ei=x&signature=S{n}&lang={c.Language}{(c.Automatic ? "&kind=asr" : "")}";
                        var track = new Dictionary<string, object> { ["baseUrl"] = string.Format(CultureInfo.InvariantCulture, TimedText, query), ["languageCode"] = c.Language, ["vssId"] = (c.Automatic ? "a." : ".") + c.Language };
                        if (c.Automatic) track["kind"] = "asr";
                        return track;
                    }),
                },
            };
        }
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync($"<!DOCTYPE html><html><head><script>window['ytInitialPlayerResponse'] = null;</script></head><body><script nonce=\"x\">var ytInitialPlayerResponse = {JsonSerializer.Serialize(player)};var meta = document.createElement('meta');</script></body></html>");
    }

    private Task TimedTextAsync(HttpContext context)
    {
        var query = context.Request.Query;
        if (Withholds || !Videos.TryGetValue(query["v"].ToString(), out var video)) return Task.CompletedTask;
        var captions = video.Captions.FirstOrDefault(c => c.Language == query["lang"] && c.Automatic == (query["kind"] == "asr"));
        if (captions is null || query["fmt"] != "json3" || !query["signature"].ToString().StartsWith('S')) return Task.CompletedTask;
        return context.Response.WriteAsJsonAsync(new
        {
            wireMagic = "pb3", pens = new[] { new { } },
            events = Cues(captions).Select(c => new { tStartMs = c.Second * 1000, dDurationMs = 2000, segs = c.Text.Split(' ').Select((word, n) => new { utf8 = n == 0 ? word : $" {word}" }) }),
        });
    }

    private static Dictionary<string, object> Describe(string id, FakeVideo video) => new()
    {
        ["kind"] = "youtube#video", ["id"] = id, ["etag"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{video.Title}\n{video.Channel}\n{video.Captions.Any(c => !c.Automatic)}")))[..27],
        ["snippet"] = new { title = video.Title, channelTitle = video.Channel, publishedAt = "2024-05-01T14:00:00Z", liveBroadcastContent = "none" },
        ["contentDetails"] = new { duration = "PT12M34S", caption = video.Captions.Any(c => !c.Automatic) ? "true" : "false" },
    };

    private static IEnumerable<(string Text, int Second)> Cues(FakeCaptions captions) => captions.Text.Split('\n').Select((text, n) => (text, n * 2));

    private static string Stamp(int second) => TimeSpan.FromSeconds(second).ToString(@"hh\:mm\:ss\.fff", CultureInfo.InvariantCulture);

    private static Task RefuseAsync(HttpContext context, int status, string reason, object? error = null)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new { error = error ?? new { code = status, message = "Refused.", errors = new[] { new { domain = "youtube", reason } } } });
    }
}

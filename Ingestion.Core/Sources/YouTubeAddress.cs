using System.Text.RegularExpressions;
using System.Web;

namespace Ingestion.Core.Sources;

/// <summary>Addresses of videos and playlists, in the spellings that YouTube has for them.</summary>
internal static partial class YouTubeAddress
{
    private static readonly HashSet<string> Hosts = new(StringComparer.OrdinalIgnoreCase) { "youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "www.youtube-nocookie.com", "youtu.be" };
    private static readonly HashSet<string> Forms = new(StringComparer.Ordinal) { "shorts", "live", "embed", "v" };

    /// <summary>The id of a video, given as such or by its address; null where it is neither.</summary>
    public static string? VideoOf(string text)
    {
        if (Video().IsMatch(text)) return text;
        if (Read(text) is not { } url) return null;
        var segments = url.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var id = url.IdnHost == "youtu.be" ? segments.FirstOrDefault()
            : segments is ["watch"] ? Query(url, "v")
            : segments is [var form, var own, ..] && Forms.Contains(form) ? own : null;
        return id is not null && Video().IsMatch(id) ? id : null;
    }

    /// <summary>The id of a playlist, given as such or by its address; null where it is neither.</summary>
    public static string? PlaylistOf(string text)
    {
        if (Playlist().IsMatch(text)) return text;
        return Read(text) is { AbsolutePath: "/playlist" } url && Query(url, "list") is { } id && Playlist().IsMatch(id) ? id : null;
    }

    /// <summary>The page of a video.</summary>
    public static Uri PageOf(string video) => new($"https://www.youtube.com/watch?v={video}");

    private static Uri? Read(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && Hosts.Contains(url.IdnHost) ? url : null;

    private static string? Query(Uri url, string name) => HttpUtility.ParseQueryString(url.Query)[name];

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{11}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex Video();

    [GeneratedRegex(@"\A(?:PL|UU|UL|FL|LL|OL|RD|EC)[A-Za-z0-9_-]{8,80}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex Playlist();
}

using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Transcripts of YouTube videos, named one by one or by playlists; a document's key is the video's id. With a person's token captions come from the
/// documented interface, as only owners get them there; else from where the public player has them.
/// </summary>
public sealed class YouTubeConnector(
    NpgsqlDataSource worker, SafeHttp http, SourceConnections connections, HostBudgets hosts, IOptionsMonitor<AcquireOptions> acquire, TimeProvider time) : ISourceConnector, IConnectionTest
{
    private readonly YouTubeData _data = new(http, time);
    private readonly YouTubePage _page = new(http, hosts, acquire);

    public string SourceType => SourceTypes.YouTube;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var place = await OpenAsync(input.TenantId, input.ConnectionId, spec, ct);
        var (videos, playlists) = Named(spec, place.Connection);
        var (list, from, token) = Place(input.Cursor);
        if (list < 0)
            for (; from < videos.Count; from += YouTubeData.Together)
                yield return new(await ItemsAsync(place, [.. videos.Skip(from).Take(YouTubeData.Together)], named: true, ct), Cursor(-1, from + YouTubeData.Together, ""));
        for (list = Math.Max(list, 0); list < playlists.Count; list++, token = "")
        {
            string? next = token;
            do
            {
                if (place.Proof is null) throw new IngestionException(ErrorCodes.SourceNotConfigured, "A playlist is listed with an API key: name a connection that has one.");
                var page = await _data.PlaylistAsync(place.Proof, playlists[list], next, ct);
                next = page.Next;
                yield return new(await ItemsAsync(place, page.Ids, named: false, ct), next is null ? Cursor(list + 1, 0, "") : Cursor(list, 0, next));
            }
            while (next is not null);
        }
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var id = YouTubeAddress.VideoOf(item.SourceKey) ?? throw new IngestionException(ErrorCodes.InvalidUrl, "It is neither the id nor the address of a video.");
        var place = await OpenAsync(item.TenantId, item.ConnectionId, await SpecAsync(item, ct), ct);
        target.Report(0, null, $"Looking up {item.Name}");
        var (video, tracks) = place.Proof is { IsOwner: true } proof
            ? ((await _data.VideosAsync(proof, [id], ct)).GetValueOrDefault(id) ?? throw new IngestionException(ErrorCodes.NotFound, "There is no such video, or it is private to others."), await _data.TracksAsync(proof, id, ct))
            : await _page.ReadAsync(place.Gateway, id, ct);
        var track = place.Wish.Require(tracks);
        target.Report(0, null, $"Reading the captions ({track.Language}) of {video.Title}");
        var cues = place.Proof is { IsOwner: true } owner ? await _data.CuesAsync(owner, track, ct) : await _page.CuesAsync(place.Gateway, track, ct);
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(Transcript.Write(video, track, cues)));
        var (length, sha256) = await LocalCopy.ToAsync(content, target, content.Length, ct);
        return new(length, sha256, "text/markdown", "utf-8", YouTubeAddress.PageOf(id)) { Metadata = Transcript.Metadata(video, track) };
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        var place = await OpenAsync(connection, new(), ct);
        var (videos, playlists) = Named(new(), connection);
        if (playlists.Count > 0 && place.Proof is null) throw new IngestionException(ErrorCodes.SecretMissing, "A playlist is listed with an API key, which is not set.");
        foreach (var playlist in playlists) await _data.PlaylistAsync(place.Proof!, playlist, null, ct);
        if (videos.Count == 0) return;
        if (place.Proof is null) await _page.ReadAsync(place.Gateway, videos[0], ct);
        else if (videos.Take(YouTubeData.Together).Except((await _data.VideosAsync(place.Proof, [.. videos.Take(YouTubeData.Together)], ct)).Keys).FirstOrDefault() is { } lost)
            throw new IngestionException(ErrorCodes.NotFound, $"The video {lost} is not there, or is private to others.");
    }

    // What is named one by one is an item whatever became of it; what a playlist still names but nobody can see is no document.
    private async Task<IReadOnlyList<ListedItem>> ItemsAsync(YouTubePlace place, IReadOnlyList<string> ids, bool named, CancellationToken ct)
    {
        var known = place.Proof is null ? null : await _data.VideosAsync(place.Proof, ids, ct);
        var items = new List<ListedItem>(ids.Count);
        foreach (var id in ids)
        {
            var video = known?.GetValueOrDefault(id);
            if (video is null && !named) continue;
            items.Add(new(id, 0, video?.Title ?? id, place.Metadata) { Fingerprint = video is null ? null : await FingerprintAsync(place, video, ct) });
        }
        return items;
    }

    // An owner is told when captions changed; others only that something about the video did.
    private async Task<string?> FingerprintAsync(YouTubePlace place, VideoFacts video, CancellationToken ct)
    {
        var state = place.Proof!.IsOwner ? await StateAsync(place, video, ct) : video.Tag;
        return state is null ? null : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{state}\n{string.Join(',', place.Wish.Languages)}\n{place.Wish.Automatic}")))[..32];
    }

    private async Task<string?> StateAsync(YouTubePlace place, VideoFacts video, CancellationToken ct)
    {
        try
        {
            return place.Wish.Choose(await _data.TracksAsync(place.Proof!, video.Id, ct)) is { } track ? $"{track.Place}\n{track.Changed}\n{video.Title}" : null;
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.AccessDenied || e.Code == ErrorCodes.NotFound)
        {
            // Somebody else's video: it is an item, which says so itself, and no end of the list.
            return null;
        }
    }

    private async Task<YouTubePlace> OpenAsync(string tenantId, string? key, SourceSpec spec, CancellationToken ct) =>
        await OpenAsync(key is null ? null : await connections.OpenAsync(tenantId, key, ct), spec, ct);

    private async Task<YouTubePlace> OpenAsync(OpenConnection? connection, SourceSpec spec, CancellationToken ct)
    {
        var chosen = spec.OptionsOf(SourceKinds.Require(SourceType));
        var languages = chosen.Lines("languages") is { Count: > 0 } own ? own : connection?.Settings.Lines("languages") ?? [];
        var gateway = connection?.Settings.Text("endpoint") is { Length: > 0 } endpoint ? endpoint.TrimEnd('/') : null;
        return new(connection, await _data.ProofAsync(connection, ct), gateway, new(languages, chosen.Flag("automatic") || connection?.Settings.Flag("automatic") == true), spec.Metadata);
    }

    private static (IReadOnlyList<string> Videos, IReadOnlyList<string> Playlists) Named(SourceSpec spec, OpenConnection? connection)
    {
        if (spec.Address is { } address) return YouTubeAddress.PlaylistOf(address) is { } one ? ([], [one]) : ([YouTubeAddress.VideoOf(address) ?? address], []);
        if (connection is null) throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind YouTube transcripts is configured.");
        IReadOnlyList<string> videos = [.. connection.Settings.Lines("videos").Select(v => YouTubeAddress.VideoOf(v) ?? v).Distinct(StringComparer.Ordinal)];
        IReadOnlyList<string> playlists = [.. connection.Settings.Lines("playlists").Select(p => YouTubeAddress.PlaylistOf(p) ?? p).Distinct(StringComparer.Ordinal)];
        return videos.Count + playlists.Count > 0 ? (videos, playlists) : throw new IngestionException(ErrorCodes.InvalidOption, "The connection names neither videos nor playlists.");
    }

    // An item named in a submission has the options of its input; it is fetched long after.
    private async Task<SourceSpec> SpecAsync(WorkItem item, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT n.spec::text FROM ingestion.import_item i JOIN ingestion.import_input n ON n.id = i.input_id WHERE i.id = $1 AND i.tenant_id = $2");
        command.Parameters.Add(new() { Value = item.ItemId });
        command.Parameters.Add(new() { Value = item.TenantId });
        return await command.ExecuteScalarAsync(ct) is string spec ? SourceSpec.Parse(spec) : new();
    }

    // The list that comes next (-1 for the videos named one by one), how many of it are done, and the token of its next page.
    private static string Cursor(int list, int from, string token) => string.Create(CultureInfo.InvariantCulture, $"{list} {from} {token}");

    private static (int List, int From, string Token) Place(string? cursor) =>
        cursor?.Split(' ', 3) is [var list, var from, var token] ? (int.Parse(list, CultureInfo.InvariantCulture), int.Parse(from, CultureInfo.InvariantCulture), token) : (-1, 0, "");
}

/// <summary>From where, as whom and in which words.</summary>
/// <param name="Proof">For the documented interface; null where there is none.</param>
/// <param name="Gateway">Stands before YouTube, without a slash at its end; null for YouTube itself.</param>
internal sealed record YouTubePlace(OpenConnection? Connection, YouTubeProof? Proof, string? Gateway, CaptionWish Wish, IReadOnlyDictionary<string, string> Metadata);

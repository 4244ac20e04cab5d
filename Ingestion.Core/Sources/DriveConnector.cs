using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Files of Google Drive, in folders and shared drives or all that the account sees; a document's key is the file's id. Documents of Google's
/// own are exported, shortcuts lead to their target.
/// </summary>
public sealed class DriveConnector(SafeHttp http, SourceConnections connections, TimeProvider time) : ISourceConnector, IConnectionTest
{
    private const string Folder = "application/vnd.google-apps.folder";
    private const string Shortcut = "application/vnd.google-apps.shortcut";
    private const string Fields = "id,name,mimeType,md5Checksum,modifiedTime,size,trashed,driveId,shortcutDetails";
    private const int MaxFolders = 100_000;

    private static readonly Dictionary<string, string> Exports = new()
    {
        ["application/vnd.google-apps.document"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ["application/vnd.google-apps.spreadsheet"] = "text/csv",
        ["application/vnd.google-apps.presentation"] = "application/pdf",
    };

    private readonly GoogleTokens _tokens = new(http, time, "https://www.googleapis.com/auth/drive.readonly");

    public string SourceType => SourceTypes.GoogleDrive;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var chosen = spec.OptionsOf(SourceKinds.Require(SourceType));
        var wanted = Glob.Filter(chosen.Lines("include"), chosen.Lines("exclude"));
        var connection = await connections.OpenAsync(input.TenantId, Key(input.ConnectionId), ct);
        // Of other folders, or seen by another account, the feed tells nothing.
        var mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(connection.Settings.Json)))[..16];
        if (input.Feed?.Split(' ') is [var since, var of] && of == mark && await StillAsync(connection, since, ct) is { } now)
        {
            yield return new([], "") { Unchanged = true, Feed = $"{now} {mark}" };
            yield break;
        }
        var folders = new Queue<string?>(connection.Settings.Lines("folders"));
        if (folders.Count == 0) folders.Enqueue(null);
        var seen = folders.ToHashSet();
        // Asked before anything is listed, so that what changes meanwhile comes after it.
        var feed = await FeedAsync(connection, ct);
        while (folders.TryDequeue(out var folder))
        {
            string? token = null;
            do
            {
                var page = await FilesAsync(connection, folder, token, 1000, ct);
                var items = new List<ListedItem>();
                // The account's feed tells of its own drive and what is shared with it; shared drives have feeds of their own.
                if (page.Elements("files").Any(f => f.Text("driveId") is not null)) feed = null;
                foreach (var file in page.Elements("files").Select(Target))
                    if (file.MimeType != Folder) Add(items, file);
                    else if (folder is not null && seen.Count < MaxFolders && seen.Add(file.Id)) folders.Enqueue(file.Id);
                token = page.Text("nextPageToken");
                yield return new(items, "") { Gap = page.Member("incompleteSearch").ValueKind == JsonValueKind.True ? "Google Drive says that its list is incomplete." : null };
            }
            while (!string.IsNullOrEmpty(token));
        }
        yield return new([], "") { Feed = feed is null ? null : $"{feed} {mark}" };

        void Add(List<ListedItem> items, DriveFile file)
        {
            if (wanted(file.Name)) items.Add(new(file.Id, 0, file.Name, spec.Metadata) { Fingerprint = file.Fingerprint, Size = file.Size });
        }
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var connection = await connections.OpenAsync(item.TenantId, Key(item.ConnectionId), ct);
        var headers = await _tokens.HeadersAsync(connection, ct);
        const string missing = "there is no such file, or it is not shared with the account";
        var json = await JsonApi.GetAsync(http, Url(connection, Path(item.SourceKey), $"fields={Fields}&supportsAllDrives=true"), headers, missing, ct);
        if (json.Member("trashed").ValueKind == JsonValueKind.True) throw new IngestionException(ErrorCodes.Gone, "The file is in the bin of Google Drive.");
        var file = Target(json);
        if (file.MimeType == Folder) return FetchedDocument.None("It is a folder: take it as the folder of a connection.");
        var isNative = file.MimeType.StartsWith("application/vnd.google-apps.", StringComparison.Ordinal);
        if (isNative && !Exports.ContainsKey(file.MimeType)) return FetchedDocument.None($"Google Drive exports nothing of a file of the kind {file.MimeType[(file.MimeType.LastIndexOf('.') + 1)..]}.");
        if (file.Size > target.MaxBytes) throw new IngestionException(ErrorCodes.TooLarge, $"The file has {file.Size:N0} bytes; {target.MaxBytes:N0} are allowed.");
        var media = isNative ? Exports[file.MimeType] : file.MimeType;
        var url = isNative ? Url(connection, $"{Path(file.Id)}/export", $"mimeType={Uri.EscapeDataString(media)}") : Url(connection, Path(file.Id), "alt=media&supportsAllDrives=true");
        target.Report(0, file.Size, $"Downloading {file.Name}");
        var result = await http.FetchAsync(new FetchRequest(url, target.Path, new(target.MaxBytes, target.Timeout)) { Headers = headers, Progress = target.Report }, ct);
        if (result.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
        return new(result.Length, result.Sha256, media == "application/octet-stream" ? null : media);
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        var folders = connection.Settings.Lines("folders");
        if (folders.Count == 0) await FilesAsync(connection, null, null, 1, ct);
        foreach (var folder in folders)
        {
            var json = await JsonApi.GetAsync(http, Url(connection, Path(folder), $"fields={Fields}&supportsAllDrives=true"), await _tokens.HeadersAsync(connection, ct), $"the folder {folder} is not there, or is not shared with the account", ct);
            if (json.Text("mimeType") != Folder) throw new IngestionException(ErrorCodes.InvalidOption, $"{folder} is a file, not a folder.");
        }
    }

    private async Task<string?> FeedAsync(OpenConnection connection, CancellationToken ct) =>
        (await JsonApi.GetAsync(http, Url(connection, "changes/startPageToken", "supportsAllDrives=true"), await _tokens.HeadersAsync(connection, ct), "the account may not see changes", ct)).Text("startPageToken");

    // Where the feed stands now, if it tells of no change since; null where something changed, anywhere, or it cannot be told.
    private async Task<string?> StillAsync(OpenConnection connection, string feed, CancellationToken ct)
    {
        var query = $"pageToken={Uri.EscapeDataString(feed)}&pageSize=1&fields=nextPageToken,newStartPageToken,changes(fileId)&includeRemoved=true&supportsAllDrives=true&includeItemsFromAllDrives=true";
        try
        {
            var json = await JsonApi.GetAsync(http, Url(connection, "changes", query), await _tokens.HeadersAsync(connection, ct), "the position in the feed is not known any more", ct);
            return json.Elements("changes").Any() ? null : json.Text("newStartPageToken");
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.NotFound || e.Code == ErrorCodes.Gone || e.Code == ErrorCodes.HttpClientError)
        {
            // It is listed as a whole then.
            return null;
        }
    }

    private async Task<JsonElement> FilesAsync(OpenConnection connection, string? folder, string? token, int most, CancellationToken ct)
    {
        var question = folder is null ? "trashed = false" : $"'{folder.Replace("\\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}' in parents and trashed = false";
        var query = string.Create(CultureInfo.InvariantCulture, $"q={Uri.EscapeDataString(question)}&pageSize={most}&fields=nextPageToken,incompleteSearch,files({Fields})&supportsAllDrives=true&includeItemsFromAllDrives=true{(token is null ? "" : $"&pageToken={Uri.EscapeDataString(token)}")}");
        return await JsonApi.GetAsync(http, Url(connection, "files", query), await _tokens.HeadersAsync(connection, ct), folder is null ? "the account may not list files" : $"the folder {folder} is not there, or is not shared with the account", ct);
    }

    private static string Path(string id) => "files/" + Uri.EscapeDataString(id);

    private static Uri Url(OpenConnection connection, string path, string query) =>
        new($"{(connection.Settings.Text("endpoint") is { Length: > 0 } own ? own.TrimEnd('/') : "https://www.googleapis.com")}/drive/v3/{path}?{query}");

    // What a shortcut leads to, under its own name.
    private static DriveFile Target(JsonElement json)
    {
        var details = json.Member("shortcutDetails");
        var isShortcut = json.Text("mimeType") == Shortcut && details.Text("targetId") is not null;
        return new((isShortcut ? details.Text("targetId") : json.Text("id")) ?? "", json.Text("name") ?? json.Text("id") ?? "", (isShortcut ? details.Text("targetMimeType") : json.Text("mimeType")) ?? "",
            isShortcut ? null : json.Text("md5Checksum") ?? json.Text("modifiedTime"), long.TryParse(json.Text("size"), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : null);
    }

    private static string Key(string? connection) => connection ?? throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind Google Drive is configured.");

    private sealed record DriveFile(string Id, string Name, string MimeType, string? Fingerprint, long? Size);
}

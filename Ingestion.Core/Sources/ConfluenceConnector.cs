using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Pages, blog posts and attachments of Confluence, Cloud and Data Center; a document's key is the content's id. Only what is current is
/// listed, and a version that is known is not fetched again.
/// </summary>
public sealed class ConfluenceConnector(SafeHttp http, SourceConnections connections) : ISourceConnector, IConnectionTest
{
    private const int PageSize = 100;
    private const string Missing = "user or token are wrong, or the right to view is missing";

    public string SourceType => SourceTypes.Confluence;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var chosen = spec.OptionsOf(SourceKinds.Require(SourceType));
        var wanted = Glob.Filter(chosen.Lines("include"), chosen.Lines("exclude"));
        var connection = await connections.OpenAsync(input.TenantId, Key(input.ConnectionId), ct);
        var headers = await HeadersAsync(connection, ct);
        // The site's own continuation: an interrupted listing goes on behind the page that was kept.
        var next = string.IsNullOrEmpty(input.Cursor) ? Search(connection, chosen, PageSize) : input.Cursor;
        while (next is not null)
        {
            var json = await JsonApi.GetAsync(http, Url(connection, next), headers, Missing, ct);
            var items = json.Elements("results").Select(r => Item(r, spec)).OfType<ListedItem>().Where(i => wanted(i.Name)).ToList();
            next = json.Member("_links").Text("next");
            yield return new(items, next ?? "");
        }
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var connection = await connections.OpenAsync(item.TenantId, Key(item.ConnectionId), ct);
        var headers = await HeadersAsync(connection, ct);
        var json = await JsonApi.GetAsync(http, Url(connection, $"/rest/api/content/{Uri.EscapeDataString(item.SourceKey)}?expand=body.storage,version,space"), headers, "there is no such page, or the user may not view it", ct);
        if (json.Text("status") is { } status and not "current") throw new IngestionException(ErrorCodes.Gone, $"The page is {status} in Confluence.");
        target.Report(0, null, $"Downloading {json.Text("title")}");
        return json.Text("type") == "attachment" ? await AttachmentAsync(connection, headers, json, target, ct) : await PageAsync(connection, json, target, ct);
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        var headers = await HeadersAsync(connection, ct);
        foreach (var space in connection.Settings.Lines("spaces"))
            await JsonApi.GetAsync(http, Url(connection, $"/rest/api/space/{Uri.EscapeDataString(space)}"), headers, $"the space {space} is not there, or the user may not view it", ct);
        await JsonApi.GetAsync(http, Url(connection, Search(connection, SourceValues.Read("options", SourceKinds.Require(SourceType).Options, null), 1)), headers, Missing, ct);
    }

    private async Task<FetchedDocument> PageAsync(OpenConnection connection, JsonElement json, FetchTarget target, CancellationToken ct)
    {
        var html = ConfluenceStorage.ToHtml(json.Text("title") ?? "", json.Member("body").Member("storage").Text("value") ?? "", Base(connection));
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(html));
        var (length, sha256) = await LocalCopy.ToAsync(content, target, content.Length, ct);
        return new(length, sha256, "text/html", "utf-8", Link(connection, json));
    }

    private async Task<FetchedDocument> AttachmentAsync(OpenConnection connection, IReadOnlyDictionary<string, string> headers, JsonElement json, FetchTarget target, CancellationToken ct)
    {
        var download = json.Member("_links").Text("download") ?? throw new IngestionException(ErrorCodes.BadContent, "Confluence tells no address for the attachment.");
        var result = await http.FetchAsync(new FetchRequest(Url(connection, download), target.Path, new(target.MaxBytes, target.Timeout)) { Headers = headers, Progress = target.Report }, ct);
        if (result.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The attachment is empty: it has zero bytes.");
        return new(result.Length, result.Sha256, result.MediaType is "application/octet-stream" ? null : result.MediaType, result.Charset, Link(connection, json));
    }

    private static ListedItem? Item(JsonElement json, SourceSpec spec)
    {
        if (json.Text("id") is not { } id || json.Text("status") is { } status and not "current") return null;
        var version = json.Member("version").Member("number") is { ValueKind: JsonValueKind.Number } number ? number.GetRawText() : null;
        var metadata = new Dictionary<string, string>(spec.Metadata);
        if (json.Member("space").Text("key") is { } space) metadata["Space"] = space;
        var labels = string.Join(", ", json.Member("metadata").Member("labels").Elements("results").Select(l => l.Text("name")).OfType<string>());
        if (labels.Length > 0) metadata["Labels"] = labels;
        return new(id, 0, json.Text("title") ?? id, metadata) { Fingerprint = version is null ? null : $"{version}:{json.Text("title")}" };
    }

    private static string Search(OpenConnection connection, SourceValues options, int most)
    {
        var parts = new List<string> { options.Flag("attachments") ? "type in (page, blogpost, attachment)" : "type in (page, blogpost)" };
        var spaces = connection.Settings.Lines("spaces");
        if (spaces.Count > 0) parts.Add($"space in ({string.Join(", ", spaces.Select(Quoted))})");
        if (options.Text("cql") is { Length: > 0 } cql) parts.Add($"({cql})");
        return string.Create(CultureInfo.InvariantCulture, $"/rest/api/content/search?cql={Uri.EscapeDataString(string.Join(" and ", parts) + " order by id")}&limit={most}&expand=version,space,metadata.labels");
    }

    private static string Quoted(string text) => $"\"{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Base(OpenConnection connection) => connection.Settings.Text("address").TrimEnd('/');

    // A path of the site, with or without what it itself lies under; a whole address elsewhere is not followed.
    private static Uri Url(OpenConnection connection, string path)
    {
        var start = new Uri(Base(connection) + "/");
        var context = start.AbsolutePath.TrimEnd('/');
        if (!path.StartsWith('/')) throw new IngestionException(ErrorCodes.BadContent, "Confluence names an address that is none of its own.");
        return new Uri(start.GetLeftPart(UriPartial.Authority) + (context.Length > 0 && path.StartsWith(context + "/", StringComparison.Ordinal) ? path : context + path));
    }

    private static Uri? Link(OpenConnection connection, JsonElement json) => json.Member("_links").Text("webui") is { } path && path.StartsWith('/') ? Url(connection, path) : null;

    private static async Task<Dictionary<string, string>> HeadersAsync(OpenConnection connection, CancellationToken ct)
    {
        var token = await connection.SecretAsync("token", ct) ?? throw new IngestionException(ErrorCodes.SecretMissing, "The API token of the connection is not set.");
        var user = connection.Settings.Text("user");
        return new() { ["Authorization"] = user.Length == 0 ? $"Bearer {token}" : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{token}")), ["Accept"] = "application/json" };
    }

    private static string Key(string? connection) => connection ?? throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind Confluence is configured.");
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

/// <summary>A file of the fake drive; a shortcut's content is the id it leads to.</summary>
internal sealed record FakeFile(string Name, string MimeType, string Parent, byte[] Content)
{
    public bool Trashed { get; init; }

    /// <summary>The shared drive it is in; null in the account's own.</summary>
    public string? Drive { get; init; }
}

/// <summary>
/// Google's token endpoint and Drive API v3 on loopback: checks the assertion's signature and claims, lists by folder and page token, exports
/// documents of its own, answers for shortcuts and the bin.
/// </summary>
internal sealed partial class FakeDrive
{
    private readonly RSA _key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, bool> _tokens = new();
    private readonly List<string> _changes = [];
    private readonly Dictionary<string, FakeFile> _seen = [];
    private string _address = "";

    public ConcurrentDictionary<string, FakeFile> Files { get; } = new();

    public int PageSize { get; set; } = 100;

    public bool Incomplete { get; set; }

    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    /// <summary>Lists of files that were asked for.</summary>
    public int Lists { get; private set; }

    public int TokensGiven => _tokens.Count;

    public string ServiceAccount => JsonSerializer.Serialize(new { type = "service_account", client_email = "reader@project.iam.gserviceaccount.com", private_key = _key.ExportPkcs8PrivateKeyPem(), token_uri = $"{_address}/token" });

    public static async Task<(FixtureHost Host, FakeDrive Drive)> StartAsync()
    {
        var drive = new FakeDrive();
        var host = await FixtureHost.StartAsync();
        drive._address = $"http://{host.Target}";
        host.Otherwise = drive.AnswerAsync;
        return (host, drive);
    }

    /// <summary>A connection to the folder <c>root</c>.</summary>
    public object Settings => new { service_account = ServiceAccount, folders = new[] { "root" }, endpoint = _address };

    /// <summary>All tokens end now.</summary>
    public void EndTokens() => _tokens.Clear();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (path == "/token")
        {
            await TokenAsync(context);
            return;
        }
        if (await Trouble(context) is > 0 and var status)
        {
            context.Response.StatusCode = status;
            if (status == 429) context.Response.Headers.RetryAfter = "1";
            return;
        }
        if (!_tokens.ContainsKey(context.Request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal))) context.Response.StatusCode = 401;
        else if (path == "/drive/v3/files") await ListAsync(context);
        else if (path == "/drive/v3/changes/startPageToken") await context.Response.WriteAsJsonAsync(new { kind = "drive#startPageToken", startPageToken = Changes().ToString(CultureInfo.InvariantCulture) });
        else if (path == "/drive/v3/changes") await ChangesAsync(context);
        else if (path.Split('/') is ["", "drive", "v3", "files", var id, .. var rest] && Files.TryGetValue(id, out var file)) await FileAsync(context, id, file, rest is ["export"]);
        else context.Response.StatusCode = 404;
    }

    private async Task TokenAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var parts = form["assertion"].ToString().Split('.');
        var good = form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" && parts.Length == 3
            && _key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Bytes(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var claims = good ? JsonDocument.Parse(Bytes(parts[1])) : null;
        if (claims is null || claims.RootElement.GetProperty("aud").GetString() != $"{_address}/token" || claims.RootElement.GetProperty("scope").GetString() != "https://www.googleapis.com/auth/drive.readonly")
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new { error = "invalid_grant" });
            return;
        }
        var token = $"ya29.{Guid.NewGuid():n}";
        _tokens[token] = true;
        await context.Response.WriteAsJsonAsync(new { access_token = token, expires_in = 3600, token_type = "Bearer" });
    }

    // The number of changes so far: what differs from the last look is one.
    private int Changes()
    {
        lock (_changes)
        {
            foreach (var id in Files.Keys.Union(_seen.Keys).Order(StringComparer.Ordinal).Where(id => !ReferenceEquals(Files.GetValueOrDefault(id), _seen.GetValueOrDefault(id))).ToList())
            {
                _changes.Add(id);
                if (Files.TryGetValue(id, out var file)) _seen[id] = file;
                else _seen.Remove(id);
            }
            return _changes.Count;
        }
    }

    private async Task ChangesAsync(HttpContext context)
    {
        var (to, query) = (Changes(), context.Request.Query);
        if (!int.TryParse(query["pageToken"], NumberStyles.None, CultureInfo.InvariantCulture, out var from) || from > to)
        {
            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new { error = new { code = 400, message = "Invalid Value", errors = new[] { new { reason = "invalid", location = "pageToken" } } } });
            return;
        }
        var most = int.Parse(query["pageSize"].ToString(), CultureInfo.InvariantCulture);
        var answer = new Dictionary<string, object?> { ["changes"] = _changes.Skip(from).Take(most).Select(id => new { fileId = id, removed = !Files.ContainsKey(id) }) };
        answer[from + most < to ? "nextPageToken" : "newStartPageToken"] = Math.Min(to, from + most).ToString(CultureInfo.InvariantCulture);
        await context.Response.WriteAsJsonAsync(answer);
    }

    private async Task ListAsync(HttpContext context)
    {
        Lists++;
        var question = context.Request.Query["q"].ToString();
        var folder = Parent().Match(question) is { Success: true } found ? found.Groups[1].Value : null;
        var after = context.Request.Query["pageToken"].ToString();
        var most = Math.Min(PageSize, int.Parse(context.Request.Query["pageSize"].ToString(), CultureInfo.InvariantCulture));
        var ids = Files.Where(f => !f.Value.Trashed && (folder is null || f.Value.Parent == folder)).Select(f => f.Key).Order(StringComparer.Ordinal).Where(id => string.CompareOrdinal(id, after) > 0).ToList();
        var page = ids.Take(most).ToList();
        var answer = new Dictionary<string, object?> { ["files"] = page.Select(id => Describe(id, Files[id])), ["incompleteSearch"] = Incomplete };
        if (ids.Count > most) answer["nextPageToken"] = page[^1];
        await context.Response.WriteAsJsonAsync(answer);
    }

    private async Task FileAsync(HttpContext context, string id, FakeFile file, bool export)
    {
        if (export && file.MimeType.StartsWith("application/vnd.google-apps.", StringComparison.Ordinal))
        {
            context.Response.ContentType = context.Request.Query["mimeType"].ToString();
            await context.Response.Body.WriteAsync(file.Content);
        }
        else if (context.Request.Query["alt"] == "media") await context.Response.Body.WriteAsync(file.Content);
        else await context.Response.WriteAsJsonAsync(Describe(id, file));
    }

    private Dictionary<string, object?> Describe(string id, FakeFile file)
    {
        var isNative = file.MimeType.StartsWith("application/vnd.google-apps.", StringComparison.Ordinal);
        var answer = new Dictionary<string, object?> { ["id"] = id, ["name"] = file.Name, ["mimeType"] = file.MimeType, ["trashed"] = file.Trashed, ["modifiedTime"] = Convert.ToHexStringLower(SHA256.HashData(file.Content))[..16] };
        if (file.Drive is not null) answer["driveId"] = file.Drive;
        if (!isNative) (answer["md5Checksum"], answer["size"]) = (Convert.ToHexStringLower(MD5.HashData(file.Content)), file.Content.Length.ToString(CultureInfo.InvariantCulture));
        if (file.MimeType.EndsWith(".shortcut", StringComparison.Ordinal))
        {
            var target = Encoding.UTF8.GetString(file.Content);
            answer["shortcutDetails"] = new { targetId = target, targetMimeType = Files.TryGetValue(target, out var to) ? to.MimeType : "text/plain" };
        }
        return answer;
    }

    private static byte[] Bytes(string text) => Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/') + new string('=', (4 - (text.Length % 4)) % 4));

    [GeneratedRegex("'([^']*)' in parents", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Parent();
}

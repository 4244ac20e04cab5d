using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

/// <summary>A page or attachment of the fake wiki.</summary>
internal sealed record FakeContent(string Title, string Storage, int Version)
{
    public string Space { get; init; } = "DOC";
    public string Type { get; init; } = "page";
    public string Status { get; init; } = "current";
    public byte[] Bytes { get; init; } = [];
    public IReadOnlyList<string> Labels { get; init; } = [];
}

/// <summary>Confluence's REST interface under <c>/wiki</c> on loopback: content search by spaces and types with its own continuation, content with its body, spaces, downloads.</summary>
internal sealed class FakeWiki
{
    private static readonly string Proof = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("reader@example.org:hush-token"));

    public ConcurrentDictionary<string, FakeContent> Contents { get; } = new();

    public int PageSize { get; set; } = 25;

    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    public ConcurrentQueue<string> Questions { get; } = new();

    public static async Task<(FixtureHost Host, FakeWiki Wiki)> StartAsync()
    {
        var wiki = new FakeWiki();
        var host = await FixtureHost.StartAsync();
        host.Otherwise = wiki.AnswerAsync;
        return (host, wiki);
    }

    /// <summary>A connection to its space.</summary>
    public static object Settings(FixtureHost server) => new { address = $"http://{server.Target}/wiki", user = "reader@example.org", token = "hush-token", spaces = new[] { "DOC" } };

    /// <summary>Makes a page, or a new version of it.</summary>
    public void Put(string id, string title, string storage) => Contents.AddOrUpdate(id, _ => new(title, storage, 1), (_, before) => before with { Title = title, Storage = storage, Version = before.Version + 1 });

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (await Trouble(context) is > 0 and var status)
        {
            context.Response.StatusCode = status;
            if (status == 429) context.Response.Headers.RetryAfter = "1";
        }
        else if (context.Request.Headers.Authorization != Proof) context.Response.StatusCode = 401;
        else if (path == "/wiki/rest/api/content/search") await SearchAsync(context);
        else if (path == "/wiki/rest/api/space/DOC") await context.Response.WriteAsJsonAsync(new { key = "DOC" });
        else if (path.StartsWith("/wiki/rest/api/content/", StringComparison.Ordinal) && Contents.TryGetValue(path["/wiki/rest/api/content/".Length..], out var content)) await context.Response.WriteAsJsonAsync(Describe(path["/wiki/rest/api/content/".Length..], content, body: true));
        else if (path.StartsWith("/wiki/download/", StringComparison.Ordinal) && Contents.TryGetValue(path["/wiki/download/".Length..], out var file)) await context.Response.Body.WriteAsync(file.Bytes);
        else context.Response.StatusCode = 404;
    }

    private async Task SearchAsync(HttpContext context)
    {
        var cql = context.Request.Query["cql"].ToString();
        Questions.Enqueue(cql);
        var start = int.TryParse(context.Request.Query["start"], CultureInfo.InvariantCulture, out var s) ? s : 0;
        var most = Math.Min(PageSize, int.Parse(context.Request.Query["limit"].ToString(), CultureInfo.InvariantCulture));
        var all = Contents.Where(c => c.Value.Status == "current" && (!cql.Contains("space in", StringComparison.Ordinal) || cql.Contains($"\"{c.Value.Space}\"", StringComparison.Ordinal)) && (c.Value.Type != "attachment" || cql.Contains("attachment", StringComparison.Ordinal)))
            .OrderBy(c => c.Key, StringComparer.Ordinal).ToList();
        var links = new Dictionary<string, string> { ["base"] = $"http://{context.Request.Host}/wiki", ["context"] = "/wiki" };
        if (all.Count > start + most) links["next"] = string.Create(CultureInfo.InvariantCulture, $"/rest/api/content/search?cql={Uri.EscapeDataString(cql)}&limit={most}&start={start + most}&expand=version,space,metadata.labels");
        await context.Response.WriteAsJsonAsync(new { results = all.Skip(start).Take(most).Select(c => Describe(c.Key, c.Value, body: false)), start, limit = most, _links = links });
    }

    private static Dictionary<string, object?> Describe(string id, FakeContent content, bool body)
    {
        var answer = new Dictionary<string, object?>
        {
            ["id"] = id, ["type"] = content.Type, ["status"] = content.Status, ["title"] = content.Title, ["space"] = new { key = content.Space }, ["version"] = new { number = content.Version },
            ["metadata"] = new { labels = new { results = content.Labels.Select(l => new { name = l }) } },
            ["_links"] = new Dictionary<string, string> { ["webui"] = $"/spaces/{content.Space}/pages/{id}", ["download"] = $"/download/{id}" },
        };
        if (body) answer["body"] = new { storage = new { value = content.Storage, representation = "storage" } };
        return answer;
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Ingestion.Tests.Sources;

/// <summary>A page as the fake service has read it.</summary>
internal sealed record FakePage(string Url, string Markdown, int Status = 200, string? Title = null, string? Final = null);

/// <summary>
/// Firecrawl's API v2 on loopback: crawls and batches that bring as many pages as the test lets them, with <c>skip</c> and <c>next</c>; map, scrape,
/// errors, cancelling. Every request needs the key.
/// </summary>
internal sealed class FakeFirecrawl
{
    public const string Key = "fc-0123456789abcdef";

    private readonly ConcurrentDictionary<string, Job> _jobs = new();
    private string _address = "";

    /// <summary>What a crawl finds, in its order; scrapes and batches find what they name.</summary>
    public List<FakePage> Pages { get; } = [];

    /// <summary>Addresses that a map tells.</summary>
    public List<string> Map { get; } = [];

    /// <summary>Pages that crawls have read by now; a crawl is completed with its last one.</summary>
    public int Ready { get; set; } = int.MaxValue;

    /// <summary>Documents in one answer.</summary>
    public int PageSize { get; set; } = 100;

    /// <summary>Said of every job instead; null lets it run.</summary>
    public string? State { get; set; }

    /// <summary>What crawls could not read.</summary>
    public List<(string Url, string Error)> Errors { get; } = [];

    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    /// <summary>Method, path and body of each request that was taken.</summary>
    public ConcurrentQueue<(string Call, JsonElement Body)> Calls { get; } = new();

    public IEnumerable<JsonElement> BodiesOf(string call) => Calls.Where(c => c.Call == call).Select(c => c.Body);

    /// <summary>Ids of all jobs.</summary>
    public IEnumerable<string> Jobs => _jobs.Keys;

    public IEnumerable<string> Cancelled => _jobs.Where(j => j.Value.Cancelled).Select(j => j.Key);

    public static async Task<(FixtureHost Host, FakeFirecrawl Crawler)> StartAsync()
    {
        var crawler = new FakeFirecrawl();
        var host = await FixtureHost.StartAsync();
        crawler._address = $"http://{host.Target}";
        host.Otherwise = crawler.AnswerAsync;
        return (host, crawler);
    }

    /// <summary>The signature header of a message.</summary>
    public static string Sign(string secret, string message) => "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(message)));

    /// <summary>It knows of no job any more.</summary>
    public void Forget() => _jobs.Clear();

    private async Task AnswerAsync(HttpContext context)
    {
        if (await Trouble(context) is > 0 and var status)
        {
            context.Response.StatusCode = status;
            if (status is 429 or 502) context.Response.Headers.RetryAfter = "1";
            await context.Response.WriteAsJsonAsync(new { success = false, error = status == 402 ? "Insufficient credits to perform this request." : "Refused." });
            return;
        }
        if (context.Request.Headers.Authorization != $"Bearer {Key}")
        {
            context.Response.StatusCode = 401;
            await context.Response.WriteAsJsonAsync(new { success = false, error = "Unauthorized: Invalid token" });
            return;
        }
        var body = context.Request.Method == "POST" ? await context.Request.ReadFromJsonAsync<JsonElement>() : default;
        var path = context.Request.Path.Value!;
        Calls.Enqueue(($"{context.Request.Method} {path}", body));
        await (path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["v2", "crawl"] => BeginAsync(context, "crawl", Pages),
            ["v2", "batch", "scrape"] => BeginAsync(context, "batch/scrape", [.. body.GetProperty("urls").EnumerateArray().Select(u => Pages.First(p => p.Url == u.GetString()))]),
            ["v2", "map"] => context.Response.WriteAsJsonAsync(new { success = true, links = Map.Select(url => new { url, title = "A title" }) }),
            ["v2", "scrape"] => ScrapeAsync(context, body.GetProperty("url").GetString()!),
            ["v2", "crawl", var id, .. var rest] => JobAsync(context, id, rest),
            ["v2", "batch", "scrape", var id, .. var rest] => JobAsync(context, id, rest),
            _ => MissingAsync(context),
        });
    }

    private Task BeginAsync(HttpContext context, string kind, List<FakePage> pages)
    {
        var id = Guid.NewGuid().ToString("d");
        _jobs[id] = new(kind, pages);
        return context.Response.WriteAsJsonAsync(new { success = true, id, url = $"{_address}/v2/{kind}/{id}" });
    }

    private Task JobAsync(HttpContext context, string id, string[] rest)
    {
        if (!_jobs.TryGetValue(id, out var job)) return MissingAsync(context);
        if (rest is ["errors"]) return context.Response.WriteAsJsonAsync(new { errors = Errors.Select(e => new { id = Guid.NewGuid(), timestamp = "2024-05-01T00:00:00Z", url = e.Url, error = e.Error }), robotsBlocked = Array.Empty<string>() });
        if (context.Request.Method == "DELETE")
        {
            job.Cancelled = true;
            return context.Response.WriteAsJsonAsync(new { status = "cancelled" });
        }
        var skip = context.Request.Query["skip"].ToString() is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var done = Math.Min(Ready, job.Pages.Count);
        var data = job.Pages.Take(done).Skip(skip).Take(PageSize).ToList();
        var state = State ?? (job.Cancelled ? "cancelled" : done < job.Pages.Count ? "scraping" : "completed");
        var answer = new Dictionary<string, object> { ["success"] = true, ["status"] = state, ["total"] = job.Pages.Count, ["completed"] = done, ["creditsUsed"] = done, ["expiresAt"] = "2030-01-01T00:00:00Z", ["data"] = data.Select(Describe) };
        // To a host that must not be asked: what follows is asked of the service itself.
        if (job.Pages.Count > skip + data.Count) answer["next"] = $"https://10.0.0.9/v2/{job.Kind}/{id}?skip={skip + data.Count}";
        return context.Response.WriteAsJsonAsync(answer);
    }

    private Task ScrapeAsync(HttpContext context, string url)
    {
        var page = Pages.FirstOrDefault(p => p.Url == url);
        if (page is { Status: 408 or 500 })
        {
            context.Response.StatusCode = page.Status;
            return context.Response.WriteAsJsonAsync(new { success = false, code = page.Status == 408 ? "SCRAPE_TIMEOUT" : "SCRAPE_ALL_ENGINES_FAILED", error = "The page could not be read." });
        }
        return context.Response.WriteAsJsonAsync(new { success = true, data = Describe(page ?? new(url, "Not found", 404)) });
    }

    private static Dictionary<string, object> Describe(FakePage page)
    {
        var about = new Dictionary<string, object> { ["sourceURL"] = page.Url, ["url"] = page.Final ?? page.Url, ["statusCode"] = page.Status, ["contentType"] = "text/html", ["scrapeId"] = Guid.NewGuid() };
        if (page.Title is { } title) about["title"] = title;
        return new() { ["markdown"] = page.Markdown, ["metadata"] = about };
    }

    private static Task MissingAsync(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return context.Response.WriteAsJsonAsync(new { success = false, error = "Job not found" });
    }

    private sealed record Job(string Kind, List<FakePage> Pages)
    {
        public bool Cancelled { get; set; }
    }
}

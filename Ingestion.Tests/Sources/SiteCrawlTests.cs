using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>Crawls of sites on loopback, through the pipeline.</summary>
public sealed class SiteCrawlTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Pages_that_are_linked_become_documents_each_once()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Page("/", "a.html", "b.html?y=2&x=1", "b.html?x=1&y=2#part", "/dir/", "https://elsewhere.example/", "mailto:x@y.example", "pic.png")
            .Page("/a.html", "/", "b.html?x=1&y=2", "/%63.html").Page("/b.html", "c.html").Page("/c.html").Page("/dir/", "../a.html", "deep.html").Page("/dir/deep.html", "/");
        await using var host = await StartAsync(site);
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).Keys.Order(StringComparer.Ordinal).ShouldBe(new[] { "/", "/a.html", "/b.html?x=1&y=2", "/c.html", "/dir/", "/dir/deep.html" }.Select(p => site.Url(p).AbsoluteUri));
        foreach (var page in new[] { "/a.html", "/b.html", "/c.html", "/dir/", "/dir/deep.html" }) site.Requests(page).ShouldBe(1, page);
        site.Requests("/pic.png").ShouldBe(0);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Robots_sitemaps_canonical_base_and_noindex_are_kept_to()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Text("/robots.txt", $"User-agent: *\nDisallow: /private\nAllow: /private/open\nSitemap: {site.Url("/map.xml")}\n", "text/plain")
            .Text("/map.xml", $"<sitemapindex><sitemap><loc>{site.Url("/more.xml")}</loc></sitemap><sitemap><loc>http://127.0.0.1:9/evil.xml</loc></sitemap></sitemapindex>", "application/xml")
            .Text("/more.xml", $"<urlset><url><loc>{site.Url("/lonely.html")}</loc></url><url><loc>http://127.0.0.1:9/evil.html</loc></url></urlset>", "application/xml")
            .Page("/", "/private/x.html", "/private/open.html", "/print.html", "/based.html", "/hidden.html", "/list.html")
            .Page("/private/open.html").Page("/lonely.html").Page("/real.html").Page("/from/base.html").Page("/behind.html")
            .Text("/print.html", "<link rel=canonical href=/real.html><p>The printed form of it.</p>")
            .Text("/based.html", "<base href=/from/><a href=base.html>x</a><p>A page with a base.</p>")
            .Text("/hidden.html", "<meta name=robots content=noindex><a href=/behind.html>x</a><p>Not to be taken.</p>")
            .Text("/list.html", "<meta name=robots content='noindex,nofollow'><a href=/never.html>x</a><p>Neither.</p>");
        await using var host = await StartAsync(site);
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri));
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).Keys.Select(k => new Uri(k).AbsolutePath).Order(StringComparer.Ordinal)
            .ShouldBe(["/", "/based.html", "/behind.html", "/from/base.html", "/lonely.html", "/private/open.html", "/real.html"]);
        (site.Requests("/private/x.html"), site.Requests("/never.html"), site.Requests("/robots.txt")).ShouldBe((0, 0, 1));
        (await host.QueryAsync<string>("SELECT code FROM ingestion.crawl_page WHERE url LIKE '%/private/x.html'")).ShouldBe(["robots"]);
    }

    [Fact]
    public async Task Site_whose_robots_file_fails_is_not_asked_for_anything_else()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Status("/robots.txt", 503);
        await using var host = await StartAsync(site);
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri) with { Options = new() { MaxRetries = 1 } });
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        site.AllRequests.ShouldBe(site.Requests("/robots.txt"));
        (await host.QueryAsync<string>("SELECT error_message FROM ingestion.import_input")).Single().ShouldContain("robots.txt");
    }

    [Fact]
    public async Task Dead_links_are_listed_with_their_page_and_failures_that_pass_are_tried_again()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Page("/", "/gone.html", "/missing.html", "/locked.html", "/flaky.html", "/broken.html", "/inside.html", "/empty.html")
            .Status("/gone.html", 410).Status("/missing.html", 404).Status("/locked.html", 403).FailsFirst("/flaky.html", 1).Status("/broken.html", 500)
            .Redirect("/inside.html", "http://169.254.169.254/latest/").Text("/empty.html", "");
        await using var host = await StartAsync(site);
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        var dead = await host.Get<Syncs>().DeadLinksAsync(PipelineHost.Actor.TenantId, batch.BatchId, 100, Ct);
        dead.ShouldAllBe(d => d.FoundOn == site.Url("/").AbsoluteUri);
        dead.ToDictionary(d => new Uri(d.Url).AbsolutePath, d => d.Code).ShouldBe(new Dictionary<string, string>
        {
            ["/gone.html"] = "gone", ["/missing.html"] = "not_found", ["/locked.html"] = "access_denied", ["/broken.html"] = "http_server_error", ["/inside.html"] = "blocked_url", ["/empty.html"] = "empty",
        }, ignoreOrder: true);
        (site.Requests("/flaky.html"), site.Requests("/broken.html"), site.Requests("/missing.html")).ShouldBe((2, 3, 1));
        (await host.EndsAsync(batch)).Keys.Select(k => new Uri(k).AbsolutePath).ShouldBe(["/", "/flaky.html"], ignoreOrder: true);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Traps_end_at_their_limits_with_a_sentence()
    {
        await using var site = await FixtureHost.StartAsync();
        // A calendar without an end, a chain without an end, and relative links that grow.
        site.Otherwise = context => Write(context, context.Request.Path.Value switch
        {
            "/calendar" => $"<a href='?month={int.Parse(context.Request.Query["month"].ToString() is { Length: > 0 } m ? m : "0", CultureInfo.InvariantCulture) + 1}'>next</a>",
            "/" => "<a href=/calendar>calendar</a><a href=/chain/1>chain</a><a href=grow/here/>grow</a>",
            var path when path!.StartsWith("/chain/", StringComparison.Ordinal) => $"<a href=/chain/{int.Parse(path[7..], CultureInfo.InvariantCulture) + 1}>next</a>",
            _ => "<a href=grow/here/>grow</a>",
        });
        site.Status("/robots.txt", 404).Status("/sitemap.xml", 404);
        await using var host = await StartAsync(site, ("Ingestion:Sources:CrawlMaxVariants", "20"));
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri, options: new { max_depth = 40, max_pages = 500 }));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        var run = (await host.QueryAsync<string>("SELECT note FROM ingestion.sync_run")).Single();
        Console.WriteLine($"traps: {site.AllRequests} requests; {run}");
        run.ShouldContain("trap");
        run.ShouldContain("deeper than 40 links");
        site.AllRequests.ShouldBeLessThan(100);

        var small = await host.SubmitAsync(Taking("site", source: site.Url("/chain/1").AbsoluteUri, options: new { max_pages = 7 }));
        await host.EndedAsync(small);
        (await host.QueryAsync<string>("SELECT note FROM ingestion.sync_run ORDER BY id DESC LIMIT 1")).Single().ShouldContain("stopped at 7 pages");
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE batch_id = $1", small.BatchId)).ShouldBe([7]);
    }

    [Fact]
    public async Task Signed_in_site_gets_its_headers_and_nobody_else_does()
    {
        await using var other = await FixtureHost.StartAsync();
        await using var site = await FixtureHost.StartAsync();
        var seen = new ConcurrentBag<string>();
        site.Otherwise = context =>
        {
            if (context.Request.Headers.Authorization != "Basic " + Convert.ToBase64String("reader:hush"u8.ToArray()) || context.Request.Headers.Cookie != "session=abc" || context.Request.Headers["X-Team"] != "docs")
            {
                context.Response.StatusCode = context.Request.Path == "/robots.txt" ? 404 : 401;
                return Task.CompletedTask;
            }
            return Write(context, $"<a href=/inner.html>x</a><a href={other.Url("/")}>y</a><p>Behind the door {context.Request.Path}.</p>");
        };
        other.Otherwise = context =>
        {
            seen.Add(string.Join(',', context.Request.Headers.Keys));
            return Write(context, "x");
        };
        await using var host = await StartAsync(site);
        await host.ConnectAsync("site", "intern", new { address = site.Url("/").AbsoluteUri, user = "reader", password = "hush", cookie = "session=abc", headers = "X-Team: docs" });
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "intern", Ct))!.ShouldBe(new ControlResult(true, "The connection works."));
        var batch = await host.SubmitAsync(Taking("site", "intern"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).Count.ShouldBe(2);
        seen.ShouldBeEmpty();
        await host.Get<SourceConnections>().ChangeAsync(PipelineHost.Actor, "intern", new(Settings: Json(new { address = site.Url("/").AbsoluteUri, user = "reader", password = "wrong" })), Ct);
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "intern", Ct))!.Message.ShouldContain("status 401");
    }

    [Fact]
    public async Task Second_crawl_of_an_unchanged_site_fetches_no_body_and_one_change_makes_one_version()
    {
        await using var site = await FixtureHost.StartAsync();
        var (bodies, version, withheld) = (0, 1, false);
        string[] pages = ["/", "/a.html", "/b.html", "/c.html", "/d.html", "/e.html"];
        site.Otherwise = context =>
        {
            var path = context.Request.Path.Value!;
            if (!pages.Contains(path) || (withheld && path == "/e.html"))
            {
                context.Response.StatusCode = 404;
                return Task.CompletedTask;
            }
            var tag = $"\"{path}-{(path == "/b.html" ? version : 1)}\"";
            context.Response.Headers.ETag = tag;
            if (context.Request.Headers.IfNoneMatch == tag)
            {
                context.Response.StatusCode = 304;
                return Task.CompletedTask;
            }
            Interlocked.Increment(ref bodies);
            var links = path == "/" ? string.Concat(pages.Where(p => !withheld || p != "/e.html").Select(p => $"<a href={p}>x</a>")) : "";
            return Write(context, $"{links}<p>The text of {tag.Trim('"')}.</p>");
        };
        await using var host = await StartAsync(site);
        await host.ConnectAsync("site", "docs", new { address = site.Url("/").AbsoluteUri });

        await SyncAsync(host);
        (bodies, await CountsAsync(host)).ShouldBe((6, (6, 6, 0, 0, 0, 0)));
        await SyncAsync(host);
        (bodies, await CountsAsync(host)).ShouldBe((6, (6, 0, 0, 6, 0, 0)));
        version = 2;
        await SyncAsync(host);
        (bodies, await CountsAsync(host)).ShouldBe((7, (6, 0, 1, 5, 0, 0)));
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.source_version")).ShouldBe([7]);
        // Absent once: marked. Twice: a candidate, which people decide on.
        withheld = true;
        await SyncAsync(host);
        (await CountsAsync(host)).ShouldBe((5, 0, 0, 5, 1, 0));
        await SyncAsync(host);
        (await CountsAsync(host)).ShouldBe((5, 0, 0, 5, 1, 1));
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.publication WHERE revoked_at IS NOT NULL")).ShouldBe([0]);
        (await host.Get<Syncs>().GoneAsync(PipelineHost.Actor.TenantId, "docs", 10, Ct)).ShouldHaveSingleItem().SourceKey.ShouldEndWith("/e.html");
        (await host.Get<Syncs>().RemoveGoneAsync(PipelineHost.Actor, "docs", Ct)).ShouldBe(1);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.publication WHERE revoked_at IS NOT NULL")).ShouldBe([1]);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Half_a_listing_marks_nothing_and_says_so()
    {
        await using var site = await FixtureHost.StartAsync();
        var half = false;
        site.Otherwise = context => context.Request.Path == "/" ? Write(context, string.Concat(Enumerable.Range(0, half ? 10 : 20).Select(i => $"<a href=/p{i}.html>x</a>")) + "<p>All of them.</p>")
            : context.Request.Path.Value!.EndsWith(".html", StringComparison.Ordinal) ? Write(context, $"<p>Page {context.Request.Path}.</p>") : Missing(context);
        await using var host = await StartAsync(site);
        await host.ConnectAsync("site", "docs", new { address = site.Url("/").AbsoluteUri });
        await SyncAsync(host);
        half = true;
        await SyncAsync(host);
        var run = await host.LastRunAsync("docs");
        (run.Gone, run.Candidates).ShouldBe((0, 0));
        run.Note!.ShouldContain("10 of 21 documents are missing");
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.source_sync_state WHERE absent_runs > 0")).ShouldBe([0]);
        // Nor does one that stopped early.
        await SyncAsync(host, new { max_pages = 3 });
        (await host.LastRunAsync("docs")).Note!.ShouldContain("stopped at 3 pages");
    }

    [Fact]
    public async Task Crawl_delay_and_the_rate_of_the_host_are_kept()
    {
        await using var site = await FixtureHost.StartAsync();
        var times = new ConcurrentQueue<long>();
        site.Text("/robots.txt", "User-agent: *\nCrawl-delay: 0.3\n", "text/plain").Status("/sitemap.xml", 404);
        site.Otherwise = context =>
        {
            times.Enqueue(Stopwatch.GetTimestamp());
            return Write(context, context.Request.Path == "/" ? string.Concat(Enumerable.Range(0, 6).Select(i => $"<a href=/p{i}>x</a>")) : "<p>x</p>");
        };
        await using var host = await StartAsync(site);
        await host.EndedAsync(await host.SubmitAsync(Taking("site", source: site.Url("/").AbsoluteUri, options: new { sitemaps = false })));
        var pauses = times.Zip(times.Skip(1), Stopwatch.GetElapsedTime).Select(p => p.TotalSeconds).ToList();
        Console.WriteLine($"crawl delay 0.3 s: pauses between requests {string.Join(", ", pauses.Select(p => p.ToString("0.00", CultureInfo.InvariantCulture)))}");
        times.Count.ShouldBe(7);
        pauses.Average().ShouldBeGreaterThan(0.25);
    }

    [PostgresManualFact]
    public async Task Manual_of_a_database_is_1169_documents_and_nothing_else_is_asked()
    {
        await using var site = await FixtureHost.StartAsync();
        var foreign = 0;
        site.Otherwise = context =>
        {
            if (context.Request.Host.Value != site.Target) Interlocked.Increment(ref foreign);
            var file = Path.GetFullPath(Path.Combine(PostgresManualFactAttribute.Folder, context.Request.Path.Value!.TrimStart('/')));
            if (!File.Exists(file)) return Missing(context);
            context.Response.ContentType = file.EndsWith(".html", StringComparison.Ordinal) ? "text/html; charset=utf-8" : "application/octet-stream";
            return context.Response.SendFileAsync(file);
        };
        await using var host = await StartAsync(site, ("Ingestion:Pipeline:Stages:0", "Discover"), ("Ingestion:Acquire:ConnectionsPerHost", "8"));
        var begun = Stopwatch.GetTimestamp();
        await host.SubmitAsync(Taking("site", source: site.Url("/index.html").AbsoluteUri));
        await host.UntilAsync("SELECT state <> 'open' FROM ingestion.import_input");
        var took = Stopwatch.GetElapsedTime(begun);
        (await host.QueryAsync<string>("SELECT coalesce(error_message, state) FROM ingestion.import_input")).ShouldBe(["done"]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe([1169]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE source_version_id IS NULL")).ShouldBe([0]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.crawl_page WHERE state = 'failed'")).ShouldBe([0]);
        foreign.ShouldBe(0);

        var addresses = await host.QueryAsync<string>("SELECT source_key FROM ingestion.import_item");
        begun = Stopwatch.GetTimestamp();
        var http = host.Get<SafeHttp>();
        await Parallel.ForEachAsync(addresses, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (address, ct) =>
        {
            var scratch = host.Get<WorkFolder>().NewFile();
            await http.FetchAsync(new Uri(address), scratch, new(1 << 30, TimeSpan.FromMinutes(1)), ct: ct);
            File.Delete(scratch);
        });
        var bare = Stopwatch.GetElapsedTime(begun);
        Console.WriteLine($"manual: 1,169 documents in {took.TotalSeconds:0.0} s ({1169 / took.TotalSeconds:0}/s), {site.AllRequests - 1169} requests in all, {foreign} to other hosts; the same addresses alone in {bare.TotalSeconds:0.0} s ({1169 / bare.TotalSeconds:0}/s)");
    }

    private static async Task<PipelineHost> StartAsync(FixtureHost site, params (string, string)[] settings) =>
        await PipelineHost.StartAsync([("Ingestion:Acquire:AllowedTargets:0", site.Target), .. settings]);

    private static async Task SyncAsync(PipelineHost host, object? options = null) =>
        await host.EndedAsync(await host.SubmitAsync(Taking("site", "docs", options: options)));

    private static async Task<(int Listed, int Added, int Changed, int Unchanged, int Gone, int Candidates)> CountsAsync(PipelineHost host)
    {
        var run = await host.LastRunAsync("docs");
        return (run.Listed, run.Added, run.Changed, run.Unchanged, run.Gone, run.Candidates);
    }

    private static Task Write(HttpContext context, string body)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync($"<html><head><title>{context.Request.Path}</title></head><body>{body}</body></html>", context.RequestAborted);
    }

    private static Task Missing(HttpContext context)
    {
        context.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}

/// <summary>Runs where Debian's package postgresql-doc-15 is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresManualFactAttribute : FactAttribute
{
    public const string Folder = "/usr/share/doc/postgresql-doc-15/html";

    public PostgresManualFactAttribute()
    {
        if (!Directory.Exists(Folder)) Skip = "The package postgresql-doc-15 is not installed.";
    }
}

internal static class Pages
{
    /// <summary>A page of its own text that links to others.</summary>
    public static FixtureHost Page(this FixtureHost site, string path, params string[] links) =>
        site.Text(path, $"<html><head><title>Page {path}</title></head><body>{string.Concat(links.Select(l => $"<a href=\"{l}\">link</a> "))}<p>{FixtureHost.SentenceOf(path)}</p></body></html>");
}

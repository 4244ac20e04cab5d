using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>Sites and addresses that Firecrawl reads: one crawl whatever happens, each page an item, nothing that this program would not have asked for.</summary>
public sealed class FirecrawlTests
{
    private const string Site = "https://docs.example.org/";
    private const string Secret = "whsec-of-the-tests";
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Pages_are_items_while_the_crawl_runs_and_what_must_not_be_is_refused()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        crawler.PageSize = 2;
        crawler.Pages.AddRange(
        [
            new(Site, "# Home\n\nThe first page.", Title: "Home"), new($"{Site}a?utm_source=x", "# A\n\nAbout quinces.", Title: "All of A"),
            new("http://10.0.0.5/secret", "Of an inner network."), new($"{Site}moved", "Moved.", Final: "http://169.254.169.254/latest/"), new($"{Site}dead", "Not found", 404),
            new("https://other.example.org/", "Somebody else's."), new($"{Site}b", "# B\n\nThe last page."), new($"{Site}drafts/x", "# X\n\nNot wanted."), new($"{Site}empty", " "),
        ]);
        crawler.Errors.Add(($"{Site}broken", "net::ERR_TIMED_OUT"));
        crawler.Ready = 2;
        await using var host = await StartAsync(server, FirecrawlSites.Crawl);
        await host.ConnectAsync("site", "docs", new { address = Site });
        var batch = await host.SubmitAsync(Taking("site", "docs", options: new { max_pages = 50, max_depth = 4, exclude = new[] { "drafts/**" } }));
        await host.UntilAsync("SELECT count(*) = 2 FROM ingestion.import_item WHERE state = 'done'");
        (await host.FindAsync(batch)).State.ShouldBe(BatchState.Running);
        crawler.Ready = int.MaxValue;
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string>
        {
            [Site] = "done", [$"{Site}a"] = "done", ["http://10.0.0.5/secret"] = "blocked_url", ["http://169.254.169.254/latest/"] = "blocked_url", [$"{Site}b"] = "done",
        }, ignoreOrder: true);
        (await host.SearchAsync("quinces")).ShouldHaveSingleItem().SourceKey.ShouldBe($"{Site}a");
        (await host.Get<Syncs>().DeadLinksAsync(PipelineHost.Actor.TenantId, batch.BatchId, 10, Ct)).Select(d => $"{d.Url} {d.Code}").ShouldBe([$"{Site}dead not_found", $"{Site}empty empty", $"{Site}broken http_server_error"]);
        (await host.LastRunAsync("docs")).Note!.ShouldContain("2 addresses could not be read.");

        // Looked at again and again, and begun once.
        var begun = crawler.BodiesOf("POST /v2/crawl").ShouldHaveSingleItem();
        JsonSerializer.Serialize(begun).ShouldBe("""{"url":"https://docs.example.org/","limit":50,"maxDiscoveryDepth":4,"sitemap":"include","crawlEntireDomain":true,"allowExternalLinks":false,"allowSubdomains":false,"excludePaths":["^/?drafts/.*$"],"scrapeOptions":{"formats":["markdown"],"onlyMainContent":true,"maxAge":0}}""");
        crawler.Pages.RemoveAll(p => p.Url.Contains("//10.", StringComparison.Ordinal) || p.Final is not null);
        await host.EndedAsync(await host.SubmitAsync(Taking("site", "docs", options: new { max_pages = 50, max_depth = 4, exclude = new[] { "drafts/**" } })));
        var run = await host.LastRunAsync("docs");
        (run.Unchanged, run.Added, run.Changed).ShouldBe((3, 0, 0));
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Crawl_that_was_interrupted_goes_on_and_is_not_begun_again()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        for (var n = 0; n < 30; n++) crawler.Pages.Add(new($"{Site}p{n}", $"Page {n}."));
        await using var host = await StartAsync(server, FirecrawlSites.Crawl);
        var (cursor, keys) = ((string?)null, new List<string>());
        // Each time all that is left is what was kept with the last page.
        for (var life = 0; life < 10 && cursor != ""; life++)
        {
            var seen = 0;
            await foreach (var page in ListAsync(host, cursor))
            {
                (cursor, var some) = (page.Cursor, page.Items.Select(i => i.SourceKey));
                keys.AddRange(some);
                if (++seen == 1) break;
            }
            if (seen == 0 || (life > 0 && keys.Count == 30)) break;
        }
        keys.ShouldBe(Enumerable.Range(0, 30).Select(n => $"{Site}p{n}"));
        crawler.BodiesOf("POST /v2/crawl").Count().ShouldBe(1);
        // Forgotten there, or failed there: said, and the next attempt begins anew.
        crawler.Forget();
        (await FailAsync(host, cursor)).ShouldBe(("not_found", ""));
        crawler.State = "failed";
        (await FailAsync(host, null)).ShouldBe(("http_server_error", ""));
        crawler.State = "cancelled";
        (await ListAsync(host, null).ToListAsync()).Last().Gap!.ShouldContain("cancelled at Firecrawl");
        // Longer than it may take: ended there, and what was read is kept.
        crawler.State = null;
        var begun = (await ListAsync(host, null).FirstAsync()).Cursor;
        var late = await ListAsync(host, begun[..begun.LastIndexOf(' ')] + " 0").ToListAsync();
        (late.Sum(p => p.Items.Count), late[^1].Gap).ShouldBe((30, "The crawl stopped after 240 minutes."));
        crawler.Cancelled.Count().ShouldBe(1);
        // What needs a sign-in is never Firecrawl's.
        (await host.Get<FirecrawlCrawls>().TakesAsync(Input(null), signsIn: true, Ct)).ShouldBeFalse();
        (await host.Get<FirecrawlCrawls>().TakesAsync(Input(null), signsIn: false, Ct)).ShouldBeTrue();
    }

    [Fact]
    public async Task Refusals_of_the_service_have_their_codes_and_its_own_faults_are_waited_for()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        crawler.Pages.Add(new(Site, "# Home\n\nThe first page."));
        await using var host = await StartAsync(server, FirecrawlSites.Crawl);
        foreach (var (status, code) in new[] { (402, ErrorCodes.SourceQuota), (401, ErrorCodes.AccessDenied), (408, ErrorCodes.FetchTimeout), (429, ErrorCodes.CrawlerThrottled), (503, ErrorCodes.CrawlerUnavailable) })
        {
            crawler.Trouble = _ => Task.FromResult(status);
            (await Should.ThrowAsync<IngestionException>(async () => await ListAsync(host, null).ToListAsync())).Code.ShouldBe(code, $"{status}");
        }
        // Throttled twice and down once, with no retry to spare: it waits, and completes.
        var answers = new Queue<int>([429, 502, 429]);
        crawler.Trouble = _ => Task.FromResult(answers.TryDequeue(out var status) ? status : 0);
        var batch = await host.SubmitAsync(Taking("site", source: Site) with { Options = new() { MaxRetries = 0 } });
        await host.UntilAsync("SELECT count(*) > 0 FROM ingestion.import_task_run WHERE wait_reason = 'crawler' AND failures = 0");
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        crawler.Trouble = _ => Task.FromResult(402);
        batch = await host.SubmitAsync(Taking("site", source: Site));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        (await host.QueryAsync<string>("SELECT error_code FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).ShouldBe(["source_quota"]);
    }

    [Fact]
    public async Task Map_asks_for_what_is_wanted_alone()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        crawler.Pages.AddRange([new($"{Site}guide/a", "# A\n\nOf the guide."), new($"{Site}guide/b", "# B\n\nOf the guide too.")]);
        crawler.Map.AddRange([Site, $"{Site}guide/a", $"{Site}guide/a#top", $"{Site}guide/b", "https://other.example.org/guide/c", "http://[::1]/guide/d", $"{Site}guide/e.png"]);
        await using var host = await StartAsync(server, FirecrawlSites.Map);
        var batch = await host.SubmitAsync(Taking("site", source: Site, options: new { include = new[] { "guide/**" } }));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { [$"{Site}guide/a"] = "done", [$"{Site}guide/b"] = "done", ["http://[::1]/guide/d"] = "blocked_url" }, ignoreOrder: true);
        crawler.BodiesOf("POST /v2/batch/scrape").ShouldHaveSingleItem().GetProperty("urls").EnumerateArray().Select(u => u.GetString()).ShouldBe([$"{Site}guide/a", $"{Site}guide/b"]);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Addresses_are_scraped_and_guarded_before_and_after()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        crawler.Pages.AddRange(
        [
            new($"{Site}good.pdf", "# Good\n\nAbout medlars."), new($"{Site}slow", "", 408), new($"{Site}unreadable", "", 500), new($"{Site}denied", "No.", 403),
            new($"{Site}leads-inside", "Secret.", Final: "http://127.0.0.1:9/"),
        ]);
        await using var host = await StartAsync(server, FirecrawlSites.Off, ("Ingestion:Firecrawl:Urls", "true"));
        string[] addresses = [$"{Site}good.pdf", $"{Site}slow", $"{Site}unreadable", $"{Site}denied", $"{Site}missing", $"{Site}leads-inside", "http://10.1.2.3/", "file:///etc/passwd"];
        var batch = await host.SubmitAsync(new("Addresses") { Urls = [.. addresses.Select(a => new UrlEntry(a))], Options = new() { MaxRetries = 0 } });
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string>
        {
            [$"{Site}good.pdf"] = "done", [$"{Site}slow"] = "fetch_timeout", [$"{Site}unreadable"] = "http_server_error", [$"{Site}denied"] = "access_denied", [$"{Site}missing"] = "not_found",
            [$"{Site}leads-inside"] = "blocked_url", ["http://10.1.2.3/"] = "blocked_url", ["file:///etc/passwd"] = "blocked_url",
        }, ignoreOrder: true);
        crawler.BodiesOf("POST /v2/scrape").Select(b => b.GetProperty("url").GetString()!).ShouldBe(addresses[..6], ignoreOrder: true);
        (await host.SearchAsync("medlars")).ShouldHaveSingleItem().Title.ShouldBe("Good");
    }

    [Fact]
    public async Task Signed_message_makes_it_look_at_once_and_a_cancelled_batch_ends_the_crawl()
    {
        var (server, crawler) = await FakeFirecrawl.StartAsync();
        await using var _ = server;
        crawler.Pages.AddRange([new($"{Site}dead", "", 404), new(Site, "# Home\n\nThe first page."), new($"{Site}a", "# A\n\nAnother.")]);
        crawler.Ready = 1;
        // It would not look by itself while the test runs.
        await using var host = await StartAsync(server, FirecrawlSites.Crawl, ("Ingestion:Firecrawl:Poll", "01:00:00"), ("Ingestion:Firecrawl:CallbackAddress", "https://ingestion.example.org/"), ("Ingestion:Firecrawl:WebhookSecret", Secret));
        var batch = await host.SubmitAsync(Taking("site", source: Site));
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_task_run WHERE state = 'ready' AND wait_reason = 'crawler' AND scheduled_at > ingestion.clock() + interval '30 minutes'");
        crawler.BodiesOf("POST /v2/crawl").ShouldHaveSingleItem().GetProperty("webhook").GetRawText().ShouldBe("""{"url":"https://ingestion.example.org/api/v1/firecrawl/events","events":["page","completed","failed"]}""");
        crawler.Ready = int.MaxValue;
        var message = $$"""{"success":true,"type":"crawl.completed","id":"{{crawler.Jobs.Single()}}","webhookId":"w","data":[{"markdown":"{{new string('x', 200_000)}}"}]}""";
        (await SendAsync(host, message, FakeFirecrawl.Sign("somebody's", message))).ShouldBeFalse();
        (await SendAsync(host, message, null)).ShouldBeFalse();
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE wait_reason = 'crawler'")).ShouldBe([1]);
        (await SendAsync(host, message, FakeFirecrawl.Sign(Secret, message))).ShouldBeTrue();
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        foreach (var strange in new[] { "", "[]", """{"id":7}""", """{"data":{"id":"x"}}""", "no json" }) (await SendAsync(host, strange, FakeFirecrawl.Sign(Secret, strange))).ShouldBeTrue();

        crawler.Ready = 1;
        var second = await host.SubmitAsync(Taking("site", source: Site, options: new { max_pages = 7 }));
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_task_run WHERE state = 'ready' AND wait_reason = 'crawler' AND scheduled_at > ingestion.clock() + interval '30 minutes'");
        await host.Get<BatchControl>().CancelAsync(PipelineHost.Actor, second.BatchId, Ct);
        await Eventually.IsAsync(() => Task.FromResult(crawler.Cancelled.Count() == 1), "the crawl is cancelled", 30);
        await host.UntilAsync("SELECT cursor IS NULL FROM ingestion.import_input WHERE batch_id = $1", second.BatchId);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.crawl_page WHERE batch_id = $1", second.BatchId)).ShouldBe([0]);
    }

    private static Task<PipelineHost> StartAsync(FixtureHost server, FirecrawlSites sites, params (string, string)[] settings) => PipelineHost.StartAsync(
    [
        .. settings, ("Ingestion:Acquire:AllowedTargets:0", server.Target), ("Ingestion:Firecrawl:Address", $"http://{server.Target}"), ("Ingestion:Firecrawl:ApiKey", FakeFirecrawl.Key),
        ("Ingestion:Firecrawl:Sites", sites.ToString()), .. settings.Any(s => s.Item1.EndsWith(":Poll", StringComparison.Ordinal)) ? Array.Empty<(string, string)>() : [("Ingestion:Firecrawl:Poll", "00:00:00.100")],
    ]);

    private static WorkInput Input(string? cursor) => new(1, 1, "default", "site", null, new SourceSpec { Address = Site }.ToJson(), cursor, 1);

    private static IAsyncEnumerable<ListedPage> ListAsync(PipelineHost host, string? cursor) => host.Get<IEnumerable<ISourceConnector>>().Single(c => c.SourceType == "site").ListAsync(Input(cursor), Ct);

    // The code, and the cursor that is left.
    private static async Task<(string Code, string? Cursor)> FailAsync(PipelineHost host, string? cursor)
    {
        var left = cursor;
        var failure = await Should.ThrowAsync<IngestionException>(async () =>
        {
            await foreach (var page in ListAsync(host, cursor)) left = page.Cursor;
        });
        return (failure.Code.Code, left);
    }

    private static Task<bool> SendAsync(PipelineHost host, string message, string? signature) => host.Get<FirecrawlSignals>().TakeAsync(new MemoryStream(Encoding.UTF8.GetBytes(message)), signature, Ct);
}

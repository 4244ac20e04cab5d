using System.Collections.Concurrent;
using System.Diagnostics;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>What is written down of requests to hosts, and rates that people change while batches run.</summary>
public sealed class HostLedgerTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task What_was_asked_is_told_with_counts_bytes_the_last_answer_and_the_waits()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Status("/gone.html", 410);
        await using var host = await StartAsync(site, perMinute: 600);
        var urls = Enumerable.Range(0, 25).Select(i => site.Url($"/{i}.html?token=hush{i}").AbsoluteUri).Append(site.Url("/gone.html").AbsoluteUri);
        await host.RunAsync(new("Pages") { Urls = [.. urls.Select(u => new UrlEntry(u))] });
        await host.UntilAsync("SELECT coalesce(sum(requests), 0) = 26 FROM ingestion.host_minute");

        var details = (await host.Get<HostQueries>().DetailsAsync("default", site.Target, Ct))!;
        (details.Host.Requests, details.Host.PerMinute, details.Host.Binding, details.Host.Waiting).ShouldBe((26, 600, HostRule.Rate, 0));
        details.Host.Bytes.ShouldBeGreaterThan(25 * 100);
        details.Minutes.Sum(m => m.Failed).ShouldBe(1);
        details.Waits.ShouldContain(w => w.Rule == HostRule.Rate && w.Waits > 10);
        details.Recent.Count.ShouldBe(HostLedger.Recent);
        details.Recent.ShouldAllBe(r => r.Path.StartsWith('/') && !r.Path.Contains("hush"));
        details.Recent.Select(r => r.At).ShouldBeInOrder(SortDirection.Descending);
        (await host.Get<HostQueries>().FindAsync("other", site.Target, Ct)).ShouldBeNull();
        (await host.Get<HostQueries>().FindAsync(new Scope("default", "somebody", new([1], null, OwnBatches: false)), site.Target, Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task Rate_that_is_raised_holds_at_once_for_what_waits_and_is_taken_back()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var host = await StartAsync(site, perMinute: 2);
        var batch = await host.SubmitAsync(new("Pages") { Urls = [.. Enumerable.Range(0, 20).Select(i => new UrlEntry(site.Url($"/{i}.html").AbsoluteUri))] });
        // One was asked for; the others have turns half a minute apart.
        await host.UntilAsync("SELECT count(*) >= 15 FROM ingestion.import_task_run WHERE wait_reason = 'host_pacing' AND scheduled_at > ingestion.clock()");
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.host_use");
        (await host.Get<HostQueries>().FindAsync("default", site.Target, Ct))!.Waiting.ShouldBeGreaterThanOrEqualTo(15);

        var begun = Stopwatch.GetTimestamp();
        (await host.Get<HostDesk>().SetAsync(PipelineHost.Actor, site.Target, 6000, Ct)).ShouldBeTrue();
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        Stopwatch.GetElapsedTime(begun).ShouldBeLessThan(TimeSpan.FromSeconds(25), "at the old rate it takes ten minutes");
        Console.WriteLine($"20 pages at 2 a minute: the rest came {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s after the rate was raised");
        (await host.QueryAsync<string>("SELECT data->>'after' FROM ingestion.audit_entry WHERE action = 'change_host_rate'")).ShouldBe(["6000"]);

        (await host.Get<HostDesk>().SetAsync(PipelineHost.Actor, site.Target, null, Ct)).ShouldBeTrue();
        (await host.Get<HostQueries>().FindAsync("default", site.Target, Ct))!.PerMinute.ShouldBe(2);
        (await host.Get<HostDesk>().SetAsync(PipelineHost.Actor, "nobody.example:443", 5, Ct)).ShouldBeFalse();
        (await host.Get<HostDesk>().SetAsync(new Actor("other", "stranger"), site.Target, 5, Ct)).ShouldBeFalse();
    }

    [Fact]
    public async Task Rate_that_is_lowered_or_raised_holds_at_once_in_a_crawl()
    {
        await using var site = await FixtureHost.StartAsync();
        var asked = new ConcurrentQueue<long>();
        site.Otherwise = context =>
        {
            asked.Enqueue(Stopwatch.GetTimestamp());
            var n = int.TryParse(context.Request.Path.Value!.Trim('/').Split('.')[0], out var own) ? own : 0;
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync($"<p>Page {n} of the crawl.</p>" + string.Concat(Enumerable.Range(1, 4).Where(i => n * 4 + i < 60).Select(i => $"<a href=/{n * 4 + i}.html>x</a>")));
        };
        site.Text("/robots.txt", "User-agent: *\nDisallow:\n", "text/plain").Status("/sitemap.xml", 404);
        await using var host = await StartAsync(site, perMinute: 1200);
        var batch = await host.SubmitAsync(Taking("site", source: site.Url("/0.html").AbsoluteUri));
        await Eventually.IsAsync(() => Task.FromResult(asked.Count >= 12), "the crawl runs");
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.host_use");
        await host.Get<HostDesk>().SetAsync(PipelineHost.Actor, site.Target, 60, Ct);
        // What was under way comes to its end; then a second lies between requests.
        await Eventually.IsAsync(() => Task.FromResult(Stopwatch.GetElapsedTime(asked.Last()) > TimeSpan.FromSeconds(0.7)), "it slows down");
        var before = asked.Count;
        await Eventually.IsAsync(() => Task.FromResult(asked.Count >= before + 3), "it goes on");
        var slow = asked.Skip(before).Take(3).ToList();
        slow.Zip(slow.Skip(1), Stopwatch.GetElapsedTime).ShouldAllBe(gap => gap > TimeSpan.FromSeconds(0.8));

        await host.Get<HostDesk>().SetAsync(PipelineHost.Actor, site.Target, 30_000, Ct);
        var left = 60 - asked.Count;
        var begun = Stopwatch.GetTimestamp();
        await host.EndedAsync(batch);
        Stopwatch.GetElapsedTime(begun).TotalSeconds.ShouldBeLessThan(left * 0.5, "at a second a page it takes longer");
        Console.WriteLine($"crawl: {slow.Zip(slow.Skip(1), Stopwatch.GetElapsedTime).Average(g => g.TotalSeconds):0.00} s a page at 60 a minute; {left} pages in {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s at 30,000");
    }

    [Fact]
    public async Task Pause_of_robots_txt_is_kept_whatever_rate_the_host_has_and_is_told()
    {
        await using var site = await FixtureHost.StartAsync();
        var asked = new ConcurrentQueue<long>();
        site.Otherwise = context =>
        {
            asked.Enqueue(Stopwatch.GetTimestamp());
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync(context.Request.Path == "/" ? "<p>Start.</p><a href=/a.html>x</a><a href=/b.html>x</a>" : $"<p>The page {context.Request.Path}.</p>");
        };
        site.Text("/robots.txt", "User-agent: *\nCrawl-delay: 0.6\n", "text/plain").Status("/sitemap.xml", 404);
        await using var host = await StartAsync(site, perMinute: 0);
        await host.QueryAsync<string>("INSERT INTO ingestion.host_budget (host, requests_per_minute, next_at) VALUES ($1, 30000, now()) RETURNING host", site.Target);
        await host.RunAsync(Taking("site", source: site.Url("/").AbsoluteUri));
        var times = asked.ToList();
        times.Count.ShouldBe(3);
        times.Zip(times.Skip(1), Stopwatch.GetElapsedTime).ShouldAllBe(gap => gap > TimeSpan.FromSeconds(0.5));
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.host_use WHERE crawl_delay = interval '0.6 s'");
        (await host.Get<HostQueries>().FindAsync("default", site.Target, Ct))!.Binding.ShouldBe(HostRule.CrawlDelay);
    }

    private static Task<PipelineHost> StartAsync(FixtureHost site, int perMinute) =>
        PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", $"{perMinute}"));
}

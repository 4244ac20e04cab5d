using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>A crawl whose program is killed goes on where it stood.</summary>
[Collection(RunningProgram.Name)]
public sealed class SiteKillTests
{
    private const int PageCount = 150;
    private const int AtOnce = 16;
    private const int Kills = 3;

    [Fact]
    [Trait("Category", "Long")]
    public async Task Killed_crawl_asks_again_for_what_was_under_way_and_for_nothing_else()
    {
        await using var site = await FixtureHost.StartAsync();
        site.Status("/robots.txt", 404).Status("/sitemap.xml", 404);
        // A tree: each page links to three further ones.
        site.Otherwise = context =>
        {
            var n = int.Parse(context.Request.Path.Value![2..], CultureInfo.InvariantCulture);
            var links = string.Concat(Enumerable.Range(3 * n + 1, 3).Where(k => k < PageCount).Select(k => $"<a href=/p{k}>x</a>"));
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync($"<html><body><p>{FixtureHost.SentenceOf(context.Request.Path)}</p>{links}</body></html>");
        };
        using var data = new TemporaryDirectory("site-kill-").Traversable();
        // Three kills of one listing: each time it had come further, or the third would quarantine it.
        (string, string)[] settings = [("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "1200"), ("Ingestion:Pipeline:Lease", "00:00:10"), ("Ingestion:Pipeline:Heartbeat", "00:00:01"), ("Ingestion:Pipeline:Sweep", "00:00:01")];
        var app = await AppProcess.StartAsync(data.Path, settings);
        try
        {
            using var answer = await app.Client.PostAsJsonAsync("/api/v1/batches", new { name = "Crawl", sources = new[] { new { source_type = "site", source = site.Url("/p0").AbsoluteUri } } });
            var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
            for (var kill = 1; kill <= Kills; kill++)
            {
                var until = PageCount * kill / (Kills + 1);
                await Eventually.IsAsync(() => Task.FromResult(Enumerable.Range(0, PageCount).Count(n => site.Requests($"/p{n}") > 0) >= until), $"{until} pages", 60);
                await app.KillAsync();
                await app.DisposeAsync();
                app = await AppProcess.StartAsync(data.Path, settings);
            }
            var end = await app.EndedAsync(id, TimeSpan.FromMinutes(2));
            end.GetProperty("counts").GetProperty("total").GetInt32().ShouldBe(PageCount, $"{end}\n{app.Output}");
            end.GetProperty("counts").GetProperty("failed").GetInt32().ShouldBe(0);
            var repeated = Enumerable.Range(0, PageCount).Sum(n => site.Requests($"/p{n}") - 1);
            Console.WriteLine($"crawl killed {Kills} times: {PageCount} pages, {repeated} asked for again, at most {Kills * AtOnce} were under way or had just come");
            repeated.ShouldBeLessThanOrEqualTo(Kills * AtOnce);
        }
        finally
        {
            await app.DisposeAsync();
        }
        await AppProcess.VerifyAsync(data.Path);
    }
}

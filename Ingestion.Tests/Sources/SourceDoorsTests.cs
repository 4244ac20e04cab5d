using System.Security.Cryptography;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>Every way by which a source can name an address: none of them leads to a listener that nobody allowed.</summary>
public sealed class SourceDoorsTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Listener_that_nobody_allowed_stays_silent_through_every_door()
    {
        await using var silent = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
        await using var site = await FixtureHost.StartAsync();
        var inner = silent.Url.AbsoluteUri;
        using var rsa = RSA.Create(2048);
        site.Text("/crawl/", $"<base href=\"{inner}\"><a href=\"x.html\">base</a>")
            .Text("/links/", $"<a href=\"{inner}a\">link</a><iframe src=\"{inner}b\"></iframe><link rel=canonical href=\"{inner}c\"><link rel=next href=\"{inner}d\"><meta http-equiv=refresh content=\"0;url={inner}e\"><p>x</p>")
            .Redirect("/away/", inner).Redirect("/hop.html", inner).Text("/hops/", "<a href=/hop.html>x</a>")
            .Text("/feed.xml", $"<rss><channel><item><link>{inner}entry</link></item><item><link>/hop.html</link></item></channel></rss>").Redirect("/feed-away.xml", inner)
            .Redirect("/robots.txt", inner).Text("/sitemap.xml", $"<sitemapindex><sitemap><loc>{inner}map.xml</loc></sitemap></sitemapindex>")
            .On("/wiki/rest/api/content/search", c => c.Response.WriteAsJsonAsync(new { results = new[] { new { id = "1", title = "x" } }, _links = new { next = $"{inner}next" } }))
            .Text("/watch", $"<script>var ytInitialPlayerResponse = {{\"playabilityStatus\":{{\"status\":\"OK\"}},\"captions\":{{\"playerCaptionsTracklistRenderer\":{{\"captionTracks\":[{{\"baseUrl\":\"{inner}api/timedtext?v=x\",\"languageCode\":\"en\"}}]}}}}}};</script>");
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Pipeline:Retry:InitialDelay", "00:00:00.010"));

        foreach (var (door, selection) in new (string, SourceSelection)[]
        {
            ("site at the listener", new("site", Source: inner)),
            ("base of a page", new("site", Source: site.Url("/crawl/").AbsoluteUri)),
            ("links of a page", new("site", Source: site.Url("/links/").AbsoluteUri)),
            ("redirect of the first page", new("site", Source: site.Url("/away/").AbsoluteUri)),
            ("redirect of a page", new("site", Source: site.Url("/hops/").AbsoluteUri)),
            ("entries of a feed", new("feed", Source: site.Url("/feed.xml").AbsoluteUri)),
            ("redirect of a feed", new("feed", Source: site.Url("/feed-away.xml").AbsoluteUri)),
            ("feed at the listener", new("feed", Source: inner)),
            ("metadata service", new("site", Source: "http://169.254.169.254/latest/meta-data/")),
            ("number as a host", new("site", Source: "http://2130706433/")),
            ("mapped address", new("feed", Source: "http://[::ffff:127.0.0.1]/")),
        })
        {
            var batch = await host.SubmitAsync(new("b") { Sources = [selection], Options = new() { MaxRetries = 0 } });
            await host.EndedAsync(batch);
            var ends = await host.EndsAsync(batch);
            var input = (await host.QueryAsync<string>("SELECT coalesce(error_code, state) FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).Single();
            Console.WriteLine($"door: {door} → input {input}, {(ends.Count == 0 ? "no item" : string.Join(", ", ends.Values))}, {silent.Connections} connections");
            silent.Connections.ShouldBe(0, door);
        }

        var account = System.Text.Json.JsonSerializer.Serialize(new { client_email = "a@b.example", private_key = rsa.ExportPkcs8PrivateKeyPem(), token_uri = $"{inner}token" });
        foreach (var (door, kind, settings) in new (string, string, object)[]
        {
            ("endpoint of a bucket", "s3", new { endpoint = inner, bucket = "docs", access_key = "a", secret_key = "b" }),
            ("address of a wiki", "confluence", new { address = inner, token = "t" }),
            ("continuation of a wiki", "confluence", new { address = site.Url("/wiki").AbsoluteUri, token = "t" }),
            ("interface of a drive", "google_drive", new { service_account = account.Replace(inner, site.Url("/").AbsoluteUri, StringComparison.Ordinal), endpoint = inner }),
            ("token address of a drive", "google_drive", new { service_account = account, endpoint = site.Url("/").AbsoluteUri }),
            ("address of videos", "youtube", new { endpoint = inner, videos = new[] { "aaaaaaaaaaa" } }),
            ("address of playlists", "youtube", new { endpoint = inner, playlists = new[] { FakeYouTube.Playlist }, api_key = "k" }),
            ("captions of a video's page", "youtube", new { endpoint = site.Url("").AbsoluteUri, videos = new[] { "aaaaaaaaaaa" } }),
            ("address of a feed with a password", "feed", new { address = inner, user = "u", password = "p" }),
            ("address of a site with a password", "site", new { address = inner, user = "u", password = "p" }),
        })
        {
            var key = "c" + Guid.NewGuid().ToString("n")[..8];
            await host.ConnectAsync(kind, key, settings);
            var test = (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, key, Ct))!;
            await host.EndedAsync(await host.SubmitAsync(Taking(kind, key) with { Options = new() { MaxRetries = 0 } }));
            Console.WriteLine($"door: {door} → {test.Message}, {silent.Connections} connections");
            silent.Connections.ShouldBe(0, door);
        }
    }
}

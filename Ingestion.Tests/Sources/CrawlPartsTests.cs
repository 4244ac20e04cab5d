using System.IO.Compression;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Addresses, links, sitemaps and patterns: what a crawl reads, without a network.</summary>
public sealed class CrawlPartsTests
{
    [Theory]
    [InlineData("HTTP://Example.ORG:80/a/../b/./c", "http://example.org/b/c")]
    [InlineData("https://example.org:443", "https://example.org/")]
    [InlineData("https://example.org/a#part", "https://example.org/a")]
    [InlineData("https://example.org/a?", "https://example.org/a")]
    [InlineData("https://example.org/a?b=2&a=1", "https://example.org/a?a=1&b=2")]
    [InlineData("https://example.org/a?utm_source=x&id=7&fbclid=1&PHPSESSID=abc", "https://example.org/a?id=7")]
    [InlineData("https://example.org/%7ejoe/%41%c3%a9%2f", "https://example.org/~joe/A%C3%A9%2F")]
    [InlineData("https://example.org/a?x=%e4", "https://example.org/a?x=%E4")]
    [InlineData("https://example.org:8443/a", "https://example.org:8443/a")]
    public void Address_has_one_spelling(string written, string normal) => CrawlUrl.Normalize(new Uri(written)).AbsoluteUri.ShouldBe(normal);

    [Theory]
    [InlineData("https://a.example/a/b/c/d/e/f/g/h/i/j", false)]
    [InlineData("https://a.example/a/b/a/b/a/b/a/b/a", true)]
    [InlineData("https://a.example/2024/01/01", false)]
    public void Path_that_repeats_itself_is_seen(string url, bool repeats) => CrawlUrl.IsRepeating(new Uri(url)).ShouldBe(repeats);

    [Fact]
    public void Links_are_read_out_of_what_is_written()
    {
        var facts = PageLinks.Read("""
            <!DOCTYPE html><html><head><title> The  &amp; title </title><base href="/base/"><link rel="canonical" href="/own"><link rel=stylesheet href=style.css>
            <meta name="robots" content="max-snippet:5"></head><body>
            <!-- <a href="commented">no</a> --><script>var x = '<a href="scripted">no</a>';</script><style>a { content: '<a href="styled">' }</style>
            <a href="one.html">1</a><A HREF='two.html'>2</A><a href=three.html>3</a><a title="a>b" href="four.html?a=1&amp;b=2">4</a>
            <a href="one.html">again</a><a href="#here">fragment</a><a rel="nofollow external" href="not">no</a><area href="area.html"><iframe src="frame.html"></iframe>
            <a href="broken
            """);
        facts.Title.ShouldBe("The & title");
        facts.Base.ShouldBe("/base/");
        facts.Canonical.ShouldBe("/own");
        facts.Links.ShouldBe(["one.html", "two.html", "three.html", "four.html?a=1&b=2", "area.html", "frame.html", "broken"]);
        (facts.Index, facts.Follow).ShouldBe((true, true));
        var none = PageLinks.Read("<meta content='NOINDEX, nofollow' name=robots><a href=x>");
        (none.Index, none.Follow).ShouldBe((false, false));
    }

    [Theory]
    [InlineData("<div>", 200_000)]
    [InlineData("<a href=\"", 200_000)]
    [InlineData("<a ", 200_000)]
    [InlineData("<!--", 200_000)]
    [InlineData("<a =", 200_000)]
    [InlineData("<script>", 100_000)]
    public void Hostile_pages_are_read_in_linear_time(string part, int times)
    {
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        PageLinks.Read(string.Concat(Enumerable.Repeat(part, times)));
        var took = System.Diagnostics.Stopwatch.GetElapsedTime(begun);
        Console.WriteLine($"links: {times:N0} × {part} in {took.TotalMilliseconds:0} ms");
        took.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void Fifty_thousand_links_are_followed_and_no_more() =>
        PageLinks.Read(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"<a href='/p{i}'>{i}</a>"))).Links.Count.ShouldBe(50_000);

    [Fact]
    public void Crawl_stays_on_its_host_and_in_its_patterns()
    {
        var scope = new CrawlScope(new("http://a.example/docs/"), false, ["docs/**"], ["**/private/**"]);
        string? Found(string target) => scope.Resolve(new("http://a.example/docs/x.html"), null, target)?.AbsoluteUri;
        Found("y.html").ShouldBe("http://a.example/docs/y.html");
        Found("/other").ShouldBe("http://a.example/other");
        scope.Takes(new("http://a.example/other")).ShouldBeFalse();
        scope.Takes(new("http://a.example/docs/y.html")).ShouldBeTrue();
        foreach (var no in new[]
        {
            "http://b.example/", "//b.example/", "https://a.example:8443/", "http://sub.a.example/", "mailto:x@a.example", "javascript:alert(1)", "ftp://a.example/x", "data:text/html,x", "file:///etc/passwd",
            "http://user:pw@a.example/", "pic.PNG", "style.css", "/docs/private/x", "http://a.example.evil.example/", "http://127.0.0.1/",
        })
            Found(no).ShouldBeNull(no);
        new CrawlScope(new("http://a.example/"), true, [], []).IsHere(new("http://sub.a.example/")).ShouldBeTrue();
        new CrawlScope(new("http://a.example/"), true, [], []).IsHere(new("http://nota.example/")).ShouldBeFalse();
        new CrawlScope(new("http://a.example/"), false, [], []).IsHere(new("https://a.example/")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("*.pdf", "a/b/c.pdf", true)]
    [InlineData("*.pdf", "c.pdfx", false)]
    [InlineData("a/*.txt", "a/b/c.txt", false)]
    [InlineData("a/**", "a/b/c.txt", true)]
    [InlineData("**/c.txt", "c.txt", true)]
    [InlineData("a/**/c.txt", "a/c.txt", true)]
    [InlineData("?.txt", "a.txt", true)]
    [InlineData("?.txt", "ab.txt", false)]
    [InlineData("a+(b).txt", "a+(b).txt", true)]
    [InlineData("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false)]
    public void Pattern_matches_or_not(string pattern, string text, bool matches) => Glob.Of(pattern).Matches(text).ShouldBe(matches);

    [Fact]
    public void Sitemaps_are_read_packed_or_not_and_no_document_type_is()
    {
        const string map = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc> https://a.example/1 </loc><lastmod>2024-01-01</lastmod></url><url><loc><![CDATA[https://a.example/2]]></loc></url></urlset>""";
        SitemapReader.Read(Of(map)).ShouldBe([("https://a.example/1", false), ("https://a.example/2", false)]);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(map));
        packed.Position = 0;
        SitemapReader.Read(packed).Count().ShouldBe(2);
        SitemapReader.Read(Of("<sitemapindex><sitemap><loc>https://a.example/s.xml</loc></sitemap></sitemapindex>")).ShouldBe([("https://a.example/s.xml", true)]);
        foreach (var hostile in new[] { "<!DOCTYPE x [<!ENTITY a 'b'>]><urlset><url><loc>&a;</loc></url></urlset>", "<urlset><url><loc>x", "no xml at all" })
            Should.Throw<IngestionException>(() => SitemapReader.Read(Of(hostile)).Count()).Code.ShouldBe(ErrorCodes.BadContent);
        var many = Of("<urlset>" + string.Concat(Enumerable.Range(0, SitemapReader.MaxEntries + 1).Select(i => $"<url><loc>https://a.example/{i}</loc></url>")) + "</urlset>");
        Should.Throw<IngestionException>(() => SitemapReader.Read(many).Count()).Code.ShouldBe(ErrorCodes.LimitExceeded);
    }

    private static MemoryStream Of(string text) => new(Encoding.UTF8.GetBytes(text));
}

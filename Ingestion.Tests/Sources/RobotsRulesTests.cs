using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class RobotsRulesTests
{
    [Theory]
    // the longest match decides, the allowing one where two are equally long
    [InlineData("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true)]
    [InlineData("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b/c", false)]
    [InlineData("User-agent: *\nDisallow: /page\nAllow: /page", "/page", true)]
    [InlineData("User-agent: *\nDisallow: /", "/robots.txt", true)]
    [InlineData("User-agent: *\nDisallow:", "/a", true)]
    // groups: the one that names us, all that name us together, else that for all
    [InlineData("User-agent: *\nDisallow: /\n\nUser-agent: Ingestion\nDisallow: /private", "/open", true)]
    [InlineData("User-agent: *\nDisallow: /\n\nUser-agent: ingestion\nDisallow: /private", "/private/x", false)]
    [InlineData("User-agent: other\nUser-agent: INGESTION\nDisallow: /a", "/a", false)]
    [InlineData("User-agent: ingestion\nDisallow: /a\n\nUser-agent: x\nDisallow: /c\n\nUser-agent: ingestion\nDisallow: /b", "/b", false)]
    [InlineData("User-agent: ingestion\nDisallow: /a\n\nUser-agent: x\nDisallow: /c\n\nUser-agent: ingestion\nDisallow: /b", "/c", true)]
    [InlineData("User-agent: ingestionbot\nDisallow: /", "/a", true)]
    // wildcards and ends
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", false)]
    [InlineData("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x=1", true)]
    [InlineData("User-agent: *\nDisallow: /*?sort=", "/list?sort=name", false)]
    [InlineData("User-agent: *\nDisallow: /a*b*c", "/aXbYc/more", false)]
    [InlineData("User-agent: *\nDisallow: /fish*", "/Fish", true)]
    // escapes are one spelling
    [InlineData("User-agent: *\nDisallow: /%7Ejoe/", "/~joe/x", false)]
    [InlineData("User-agent: *\nDisallow: /caf%c3%a9", "/caf%C3%A9", false)]
    // what is no rule
    [InlineData("Disallow: /\nUser-agent: *\nAllow: /", "/a", true)]
    [InlineData("\uFEFFUser-agent: * # all\n\n# a comment\nDisallow: /a # here", "/a", false)]
    [InlineData("<html><body>Not found</body></html>", "/a", true)]
    [InlineData("", "/a", true)]
    public void The_file_says_what_may_be_asked(string file, string path, bool allowed) => RobotsRules.Parse(file, "Ingestion").Allows(path).ShouldBe(allowed);

    [Fact]
    public void Delay_and_sitemaps_are_read()
    {
        var rules = RobotsRules.Parse("User-agent: *\nCrawl-delay: 2.5\nSitemap: https://a.example/s1.xml\n\nUser-agent: x\nSitemap: /s2.xml\n", "Ingestion");
        rules.CrawlDelay.ShouldBe(TimeSpan.FromSeconds(2.5));
        rules.Sitemaps.ShouldBe(["https://a.example/s1.xml", "/s2.xml"]);
    }

    [Fact]
    public void Hostile_patterns_take_no_time()
    {
        var rules = RobotsRules.Parse("User-agent: *\nDisallow: /" + string.Concat(Enumerable.Repeat("a*", 500)) + "c$\n", "Ingestion");
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        rules.Allows("/" + new string('a', 5000) + "b").ShouldBeTrue();
        System.Diagnostics.Stopwatch.GetElapsedTime(begun).ShouldBeLessThan(TimeSpan.FromSeconds(2));
    }
}

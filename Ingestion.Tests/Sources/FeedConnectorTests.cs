using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class FeedConnectorTests
{
    private const string Rss = """
        <?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>{0}/</link>
        <item><title>One &amp; only</title><link>{0}/one.html</link><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate></item>
        <item><title>Two</title><link><![CDATA[{0}/two.html]]></link><description>&lt;p&gt;x&lt;/p&gt;</description><pubDate>{1}</pubDate></item>
        <item><title>By its id</title><guid isPermaLink="true">{0}/three.html</guid></item>
        <item><title>Without a link</title><guid isPermaLink="false">urn:x</guid></item>
        </channel></rss>
        """;

    [Fact]
    public async Task Entries_become_documents_and_only_changed_ones_are_fetched_again()
    {
        await using var site = await FixtureHost.StartAsync();
        var changed = "Tue, 02 Jan 2024 00:00:00 GMT";
        site.On("/feed.xml", context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, string.Format(System.Globalization.CultureInfo.InvariantCulture, Rss, $"http://{site.Target}", changed)));
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target));
        await host.ConnectAsync("feed", "news", new { address = site.Url("/feed.xml").AbsoluteUri });
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "news", CancellationToken.None))!.Done.ShouldBeTrue();
        var first = await host.SubmitAsync(Taking("feed", "news"));
        (await host.EndedAsync(first)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(first)).ShouldBe(new[] { "/one.html", "/two.html", "/three.html" }.ToDictionary(p => site.Url(p).AbsoluteUri, _ => "done"), ignoreOrder: true);

        changed = "Wed, 03 Jan 2024 00:00:00 GMT";
        await host.EndedAsync(await host.SubmitAsync(Taking("feed", "news")));
        var run = await host.LastRunAsync("news");
        // The one that says nothing of its changes is asked each time.
        (run.Added, run.Changed, run.Unchanged, run.Gone).ShouldBe((0, 2, 1, 0));
        (site.Requests("/one.html"), site.Requests("/two.html")).ShouldBe((1, 2));
        await host.VerifiedAsync();
    }

    [Theory]
    [InlineData("<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a.example/x/'><entry><title type='html'>T</title><link rel='self' href='no'/><link href='y.html'/><updated>2024</updated></entry></feed>", 1)]
    [InlineData("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><item><link>http://a.example/z</link></item></rdf:RDF>", 1)]
    [InlineData("<rss><channel></channel></rss>", 0)]
    public void Feeds_of_all_kinds_are_read(string feed, int entries) => FeedReader.Read(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(feed)), new("http://a.example/")).Count.ShouldBe(entries);

    [Theory]
    [InlineData("<html><body>x</body></html>")]
    [InlineData("<!DOCTYPE rss [<!ENTITY a 'b'>]><rss><channel><item><link>&a;</link></item></channel></rss>")]
    [InlineData("<rss><channel><item>")]
    [InlineData("not xml")]
    [InlineData("")]
    public void What_is_no_feed_is_refused_in_words(string feed) =>
        Should.Throw<IngestionException>(() => FeedReader.Read(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(feed)), new("http://a.example/"))).Code.ShouldBe(ErrorCodes.BadContent);
}

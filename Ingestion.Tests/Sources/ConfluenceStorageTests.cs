using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class ConfluenceStorageTests
{
    [Theory]
    [InlineData("<p>One&nbsp;<strong>two</strong> &amp; three &lt;x&gt; &eacute;</p>", "<p>One\u00a0<strong>two</strong> &amp; three &lt;x&gt; \u00e9</p>")]
    [InlineData("<table><tbody><tr><td colspan=\"2\" class=\"x\">a</td><th rowspan=\"3\">b</th></tr></tbody></table>", "<table><tbody><tr><td colspan=\"2\">a</td><th rowspan=\"3\">b</th></tr></tbody></table>")]
    [InlineData("<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"language\">sql</ac:parameter><ac:plain-text-body><![CDATA[SELECT a &nbsp; < b]]></ac:plain-text-body></ac:structured-macro>", "<pre><code class=\"language-sql\">SELECT a &amp;nbsp; &lt; b</code></pre>")]
    [InlineData("<ac:structured-macro ac:name=\"info\"><ac:parameter ac:name=\"title\">Mind</ac:parameter><ac:rich-text-body><p>the gap</p></ac:rich-text-body></ac:structured-macro>", "<blockquote><p><strong>Mind</strong></p><p>the gap</p></blockquote>")]
    [InlineData("<ac:structured-macro ac:name=\"toc\" /><p>x</p>", "<p>x</p>")]
    [InlineData("<ac:structured-macro ac:name=\"unknown\"><ac:parameter ac:name=\"a\">b</ac:parameter><ac:rich-text-body><p>x</p></ac:rich-text-body></ac:structured-macro>", "<p>x</p>")]
    [InlineData("<ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">DONE</ac:parameter></ac:structured-macro>", "DONE")]
    [InlineData("<p>See <ac:link><ri:page ri:content-title=\"A & B\" ri:space-key=\"DOC\" /></ac:link>.</p>", null)]
    [InlineData("<ac:link ac:anchor=\"top\"><ri:page ri:content-title=\"Home\" /><ac:plain-text-link-body><![CDATA[the start]]></ac:plain-text-link-body></ac:link>", "<a href=\"https://wiki.example.org/wiki/pages/viewpage.action?title=Home#top\">the start</a>")]
    [InlineData("<ac:link><ri:attachment ri:filename=\"plan.pdf\" /></ac:link><ac:image><ri:url ri:value=\"http://10.0.0.1/x.png\" /></ac:image>", "plan.pdf")]
    [InlineData("<a href=\"/wiki/x\">x</a><a href=\"https://a.example/?b=1&amp;c=2\">y</a>", "<a href=\"https://wiki.example.org/wiki/x\">x</a><a href=\"https://a.example/?b=1&amp;c=2\">y</a>")]
    [InlineData("<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body>buy milk</ac:task-body></ac:task></ac:task-list>", "<ul><li>[x] buy milk</li></ul>")]
    [InlineData("<ac:layout><ac:layout-section><ac:layout-cell><p>in a cell</p></ac:layout-cell></ac:layout-section></ac:layout>", "<p>in a cell</p>")]
    [InlineData("<p>a<br />b</p><hr/><p><time datetime=\"2024-01-15\" /></p><script>x()</script><iframe src=\"http://10.0.0.1/\"></iframe>", "<p>a<br>b</p><hr><p>2024-01-15</p>")]
    public void Storage_format_becomes_a_plain_page(string storage, string? body)
    {
        if (body is null)
        {
            Should.Throw<IngestionException>(() => ConfluenceStorage.ToHtml("T", storage, "https://wiki.example.org/wiki")).Code.ShouldBe(ErrorCodes.Corrupt, "a bare ampersand is none");
            return;
        }
        var html = ConfluenceStorage.ToHtml("T <1>", storage, "https://wiki.example.org/wiki");
        html.ShouldStartWith("<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>T &lt;1&gt;</title></head><body><main><h1>T &lt;1&gt;</h1>");
        System.Net.WebUtility.HtmlDecode(html[(html.IndexOf("</h1>", StringComparison.Ordinal) + 5)..html.IndexOf("</main>", StringComparison.Ordinal)]).ShouldBe(System.Net.WebUtility.HtmlDecode(body));
    }

    [Fact]
    public void Hostile_pages_end_in_words()
    {
        Should.Throw<IngestionException>(() => ConfluenceStorage.ToHtml("T", string.Concat(Enumerable.Repeat("<p>", 5000)) + string.Concat(Enumerable.Repeat("</p>", 5000)), "https://a.example")).Code.ShouldBe(ErrorCodes.LimitExceeded);
        Should.Throw<IngestionException>(() => ConfluenceStorage.ToHtml("T", "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;", "https://a.example")).Code.ShouldBe(ErrorCodes.Corrupt);
        Should.Throw<IngestionException>(() => ConfluenceStorage.ToHtml("T", "<p>open", "https://a.example")).Code.ShouldBe(ErrorCodes.Corrupt);
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        ConfluenceStorage.ToHtml("T", "<p>" + new string('&', 0) + string.Concat(Enumerable.Repeat("&nbsp;", 300_000)) + "</p>", "https://a.example");
        System.Diagnostics.Stopwatch.GetElapsedTime(begun).ShouldBeLessThan(TimeSpan.FromSeconds(3));
    }
}

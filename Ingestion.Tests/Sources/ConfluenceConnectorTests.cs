using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class ConfluenceConnectorTests
{
    [Fact]
    public async Task Pages_and_attachments_of_the_spaces_become_documents_and_only_new_versions_are_fetched()
    {
        var (server, wiki) = await FakeWiki.StartAsync();
        await using var _ = server;
        wiki.PageSize = 2;
        for (var i = 0; i < 4; i++) wiki.Put($"10{i}", $"Page {i}", $"<p>The text of page {i}.</p><ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[SELECT {i};]]></ac:plain-text-body></ac:structured-macro>");
        wiki.Contents["att1"] = new("notes.txt", "", 1) { Type = "attachment", Bytes = "Notes beside the page."u8.ToArray() };
        wiki.Contents["200"] = new("Elsewhere", "<p>x</p>", 1) { Space = "OTHER" };
        wiki.Contents["300"] = new("Old", "<p>x</p>", 1) { Status = "trashed" };
        wiki.Contents["101"] = wiki.Contents["101"] with { Labels = ["public", "howto"] };
        await using var host = await StartAsync(server);
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "wiki", CancellationToken.None))!.ShouldBe(new ControlResult(true, "The connection works."));
        var batch = await host.SubmitAsync(Taking("confluence", "wiki", options: new { cql = "label != \"draft\"" }));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new[] { "100", "101", "102", "103", "att1" }.ToDictionary(k => k, _ => "done"), ignoreOrder: true);
        wiki.Questions.ShouldContain("type in (page, blogpost, attachment) and space in (\"DOC\") and (label != \"draft\") order by id");
        (await host.ItemsAsync(batch)).Single(i => i.SourceKey == "101").Metadata.ShouldContain("public, howto");
        (await host.QueryAsync<string>("SELECT v.title FROM ingestion.document_version v ORDER BY v.title")).ShouldContain("Page 2");

        wiki.Put("102", "Page 2", "<p>Another text.</p>");
        await host.EndedAsync(await host.SubmitAsync(Taking("confluence", "wiki", options: new { cql = "label != \"draft\"" })));
        var run = await host.LastRunAsync("wiki");
        (run.Listed, run.Changed, run.Unchanged, run.Gone).ShouldBe((5, 1, 4, 0));
        var named = await host.SubmitAsync(Taking("confluence", "wiki", ["300", "999"]));
        await host.EndedAsync(named);
        (await host.EndsAsync(named)).ShouldBe(new Dictionary<string, string> { ["300"] = "gone", ["999"] = "not_found" }, ignoreOrder: true);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Test_names_the_missing_right()
    {
        var (server, wiki) = await FakeWiki.StartAsync();
        await using var _ = server;
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        async Task<string> TestAsync(string key, object settings)
        {
            await host.ConnectAsync("confluence", key, settings);
            return (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, key, CancellationToken.None))!.Message;
        }
        var address = $"http://{server.Target}/wiki";
        (await TestAsync("a", new { address, user = "reader@example.org" })).ShouldBe("API token is not set.");
        (await TestAsync("b", new { address, user = "reader@example.org", token = "wrong" })).ShouldContain("user or token are wrong");
        (await TestAsync("c", new { address, user = "reader@example.org", token = "hush-token", spaces = new[] { "NOPE" } })).ShouldContain("the space NOPE is not there");
        (await TestAsync("d", new { address = "http://10.0.0.1/wiki", token = "hush-token" })).ShouldContain("private network");
    }

    [Fact]
    public async Task Continuation_to_another_host_is_not_followed()
    {
        await using var silent = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        await using var server = await FixtureHost.StartAsync();
        server.Otherwise = context => Microsoft.AspNetCore.Http.HttpResponseJsonExtensions.WriteAsJsonAsync(context.Response, new { results = Array.Empty<object>(), _links = new { next = $"http://{silent.Target}/steal" } });
        await using var host = await StartAsync(server, silent.Target);
        (await host.EndedAsync(await host.SubmitAsync(Taking("confluence", "wiki")))).State.ShouldBe(BatchState.Failed);
        silent.Connections.ShouldBe(0);
    }

    private static async Task<PipelineHost> StartAsync(FixtureHost server, string? alsoAllowed = null)
    {
        var host = await PipelineHost.StartAsync([("Ingestion:Acquire:AllowedTargets:0", server.Target), .. alsoAllowed is null ? Array.Empty<(string, string)>() : [("Ingestion:Acquire:AllowedTargets:1", alsoAllowed)]]);
        await host.ConnectAsync("confluence", "wiki", FakeWiki.Settings(server));
        return host;
    }
}

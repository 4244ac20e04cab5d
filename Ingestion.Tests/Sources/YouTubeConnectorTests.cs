using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class YouTubeConnectorTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Playlists_and_videos_become_transcripts_and_are_not_asked_again_unchanged()
    {
        var (server, tube) = await FakeYouTube.StartAsync();
        await using var _ = server;
        tube.PageSize = 2;
        tube.Listed.AddRange(["stars-00001", "stars-00002", "private-001", "deleted-001", "silent-0001", "heard-00001"]);
        tube.Videos["stars-00001"] = new("About stars", new FakeCaptions("de", "Sterne sind fern."), new FakeCaptions("en", "Stars are far.\n>> How far is xylophone?"));
        tube.Videos["stars-00002"] = new("More stars", new FakeCaptions("de", "Noch mehr Sterne."));
        tube.Videos["private-001"] = new("Private video") { Public = false };
        tube.Videos["silent-0001"] = new("Silence");
        tube.Videos["heard-00001"] = new("Heard", new FakeCaptions("en", "what a program heard", Automatic: true));
        tube.Videos["named-00001"] = new("Named", new FakeCaptions("en-GB", "Named by its address."));
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await ConnectAsync(host, server, new[] { "https://youtu.be/named-00001", "nowhere-001" });

        var batch = await host.SubmitAsync(Taking("youtube", "talks"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string>
        {
            ["named-00001"] = "done", ["nowhere-001"] = "not_found", ["stars-00001"] = "done", ["stars-00002"] = "done", ["silent-0001"] = "no_captions", ["heard-00001"] = "no_captions",
        }, ignoreOrder: true);
        var found = (await host.SearchAsync("xylophone")).ShouldHaveSingleItem();
        found.Title.ShouldBe("About stars");
        (await host.QueryAsync<string>("SELECT v.metadata::text FROM ingestion.document_version v WHERE v.title = 'About stars'")).ShouldHaveSingleItem()
            .ShouldBe("""{"Video": "stars-00001", "Channel": "The channel", "Duration": "12:34", "Language": "en", "Published": "2024-05-01"}""");
        (await host.QueryAsync<string>("SELECT error_message FROM ingestion.import_item WHERE source_key = 'heard-00001'")).ShouldBe(["The video has no written captions in en, de; there are en (automatic)."]);

        var shown = tube.PagesShown;
        await host.EndedAsync(await host.SubmitAsync(Taking("youtube", "talks")));
        var run = await host.LastRunAsync("talks");
        (run.Unchanged, run.Changed).ShouldBe((3, 3));
        (tube.PagesShown - shown).ShouldBe(3, "only what failed is looked at again");
        // Words of the video changed, and a program's captions are allowed this time: that is another choice, and another listing.
        tube.Videos["stars-00002"] = tube.Videos["stars-00002"] with { Title = "More stars, revised" };
        await host.EndedAsync(await host.SubmitAsync(Taking("youtube", "talks")));
        (await host.LastRunAsync("talks")).Changed.ShouldBe(4);
        var heard = await host.SubmitAsync(Taking("youtube", "talks", ["https://www.youtube.com/watch?v=heard-00001"], new { automatic = true }));
        await host.EndedAsync(heard);
        (await host.EndsAsync(heard)).ShouldBe(new Dictionary<string, string> { ["heard-00001"] = "done" });
        var one = await host.SubmitAsync(Taking("youtube", "talks", options: new { languages = new[] { "de" } }, source: "https://www.youtube.com/watch?v=stars-00001"));
        await host.EndedAsync(one);
        (await host.EndsAsync(one)).ShouldBe(new Dictionary<string, string> { ["stars-00001"] = "done" });
        (await host.SearchAsync("Sterne sind fern")).ShouldContain(h => h.Title == "About stars");
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task What_a_page_refuses_has_its_own_code()
    {
        var (server, tube) = await FakeYouTube.StartAsync();
        await using var _ = server;
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await ConnectAsync(host, server, new[] { "video-00001" });
        var video = new FakeVideo("Video", new FakeCaptions("en", "Said."));
        foreach (var (status, reason, code) in new[]
        {
            ("LOGIN_REQUIRED", "This video is private", ErrorCodes.AccessDenied), ("LOGIN_REQUIRED", "Sign in to confirm you’re not a bot", ErrorCodes.Throttled),
            ("LOGIN_REQUIRED", "Sign in to confirm your age", ErrorCodes.AccessDenied), ("UNPLAYABLE", "The uploader has not made this video available in your country", ErrorCodes.AccessDenied),
            ("ERROR", "This video has been removed by the uploader", ErrorCodes.Gone), ("ERROR", "Video unavailable", ErrorCodes.NotFound), ("LIVE_STREAM_OFFLINE", "Premieres in 2 hours", ErrorCodes.NoCaptions),
        })
        {
            tube.Videos["video-00001"] = video with { Playability = (status, reason) };
            (await FailAsync(host)).Code.ShouldBe(code, reason);
        }
        tube.Videos["video-00001"] = video;
        tube.Withholds = true;
        (await FailAsync(host)).ShouldSatisfyAllConditions(e => e.Code.ShouldBe(ErrorCodes.AccessDenied), e => e.Message.ShouldContain("its own player alone"));
        foreach (var (body, code) in new[] { ("<html>Before you continue</html>", ErrorCodes.BadContent), ("<div class=\"g-recaptcha\">", ErrorCodes.Throttled), ("<script>var ytInitialPlayerResponse = {\"a\":", ErrorCodes.BadContent) })
        {
            tube.Page = c => c.Response.WriteAsync(body);
            (await FailAsync(host)).Code.ShouldBe(code, body);
        }
        tube.Page = c =>
        {
            c.Response.Redirect("https://consent.youtube.com/m");
            return Task.CompletedTask;
        };
        (await FailAsync(host)).Message.ShouldContain("consent");
        // Whoever is asked to wait waits, without asking again.
        tube.Trouble = _ => Task.FromResult(429);
        (await FailAsync(host)).RetryAfter.ShouldBe(TimeSpan.FromSeconds(1));
        var asked = server.AllRequests;
        var throttled = await FailAsync(host);
        throttled.Code.ShouldBe(ErrorCodes.Throttled);
        server.AllRequests.ShouldBe(asked);
    }

    [Fact]
    public async Task Quota_stops_a_listing_with_its_code_and_somebody_elses_video_fails_alone()
    {
        var (server, tube) = await FakeYouTube.StartAsync();
        await using var _ = server;
        tube.Listed.AddRange(["mine-000001", "theirs-0001"]);
        tube.Videos["mine-000001"] = new("Mine", new FakeCaptions("en", "Of my own."));
        tube.Videos["theirs-0001"] = new("Theirs", new FakeCaptions("en", "Of theirs.")) { Owned = false };
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await host.ConnectAsync("youtube", "own", FakeYouTube.OwnSettings(server));
        var batch = await host.SubmitAsync(Taking("youtube", "own"));
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["mine-000001"] = "done", ["theirs-0001"] = "access_denied" }, ignoreOrder: true);
        tube.Quota = 1;
        batch = await host.SubmitAsync(Taking("youtube", "own"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        (await host.QueryAsync<string>("SELECT error_code || ': ' || error_message FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).ShouldHaveSingleItem().ShouldStartWith("source_quota: 127.0.0.1 answers with status 403: the quota");
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Test_and_submission_say_what_is_wrong()
    {
        var (server, tube) = await FakeYouTube.StartAsync();
        await using var _ = server;
        tube.Videos["video-00001"] = new("Video", new FakeCaptions("en", "Said."));
        await using var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        var endpoint = $"http://{server.Target}";
        foreach (var (key, settings, sentence) in new (string, object, string)[]
        {
            ("none", new { endpoint }, "names neither videos nor playlists"),
            ("keyless", new { endpoint, playlists = new[] { FakeYouTube.Playlist } }, "API key, which is not set"),
            ("badkey", new { endpoint, playlists = new[] { FakeYouTube.Playlist }, api_key = "x" }, "the API key is not valid"),
            ("lost", new { endpoint, playlists = new[] { "PLbbbbbbbbbbbbbb" }, api_key = FakeYouTube.Key }, "the playlist PLbbbbbbbbbbbbbb is not there"),
            ("video", new { endpoint, videos = new[] { "video-00001", "nowhere-001" }, api_key = FakeYouTube.Key }, "The video nowhere-001 is not there"),
            ("page", new { endpoint, videos = new[] { "nowhere-001" } }, "There is no such video"),
            ("good", new { endpoint, videos = new[] { "video-00001" } }, "The connection works."),
        })
        {
            await host.ConnectAsync("youtube", key, settings);
            (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, key, Ct))!.Message.ShouldContain(sentence);
        }
        (await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(Taking("youtube", source: "https://example.org/watch?v=video-00001")))).Message.ShouldContain("a video or a playlist");
        // Without a connection an address is taken all the same; one of a playlist needs a key, and says so.
        var batch = await host.SubmitAsync(Taking("youtube", source: "https://www.youtube.com/playlist?list=PLbbbbbbbbbbbbbb"));
        await host.EndedAsync(batch);
        (await host.QueryAsync<string>("SELECT error_code FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).ShouldBe(["source_not_configured"]);
    }

    private static Task<string> ConnectAsync(PipelineHost host, FixtureHost server, string[] videos) =>
        host.ConnectAsync("youtube", "talks", FakeYouTube.Settings(server, videos));

    private static async Task<IngestionException> FailAsync(PipelineHost host)
    {
        var item = new WorkItem(1, 1, "default", 1, null, "youtube", "talks", "video-00001", 0, "x", null, "{}", null, null, null);
        var connector = host.Get<IEnumerable<ISourceConnector>>().Single(c => c.SourceType == "youtube");
        return await Should.ThrowAsync<IngestionException>(() => connector.FetchAsync(item, new("/nowhere", 1 << 20, TimeSpan.FromSeconds(30), null, null, (_, _, _) => { }), Ct));
    }
}

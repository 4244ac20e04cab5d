using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class ConnectionsTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Secrets_are_sealed_apart_and_settings_show_none_of_them()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("site", "wiki", new { address = "https://wiki.example.org/", user = "reader", password = "hush-hush", headers = "X-Team: hush-hush" });
        var view = (await host.Get<SourceConnections>().FindAsync("default", "wiki", Ct)).ShouldNotBeNull();
        view.Settings.ShouldNotContain("hush");
        view.Settings.ShouldContain("reader");
        (await host.QueryAsync<string>("SELECT name FROM ingestion.secret ORDER BY name")).ShouldBe(["connection/wiki/headers", "connection/wiki/password"]);
        (await host.QueryAsync<bool>("SELECT bool_or(c::text LIKE '%hush%') FROM ingestion.connection c")).ShouldBe([false]);
        (await host.QueryAsync<bool>("SELECT bool_or(a::text LIKE '%hush%') FROM ingestion.audit_entry a")).ShouldBe([false]);
        var open = await host.Get<SourceConnections>().OpenAsync("default", "wiki", Ct);
        (await open.SecretAsync("password", Ct)).ShouldBe("hush-hush");
        (await open.SecretAsync("cookie", Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task Change_keeps_the_secrets_it_does_not_name_and_removes_empty_ones()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("site", "wiki", new { address = "https://wiki.example.org/", user = "reader", password = "one", cookie = "two" });
        var connections = host.Get<SourceConnections>();
        (await connections.ChangeAsync(PipelineHost.Actor, "wiki", new(Settings: SourceMaking.Json(new { address = "https://new.example.org/", cookie = "" })), Ct)).ShouldBeTrue();
        var open = await connections.OpenAsync("default", "wiki", Ct);
        open.Settings.Text("address").ShouldBe("https://new.example.org/");
        (await open.SecretAsync("password", Ct)).ShouldBe("one");
        (await open.SecretAsync("cookie", Ct)).ShouldBeNull();
    }

    [Theory]
    [InlineData("site", "wiki", """{"address":"https://a.example/","colour":"red"}""", "settings.colour is not known here")]
    [InlineData("site", "wiki", """{"user":"x"}""", "settings.address is missing")]
    [InlineData("site", "wiki", """{"address":7}""", "settings.address must be a text")]
    [InlineData("site", "Wiki!", """{"address":"https://a.example/"}""", "key must be")]
    [InlineData("site", "", """{"address":"https://a.example/"}""", "key must be")]
    [InlineData("carrier_pigeon", "wiki", "{}", "'carrier_pigeon' is not a source type")]
    [InlineData("upload", "wiki", "{}", "are not made")]
    public async Task Connection_that_makes_no_sense_is_refused_and_nothing_is_kept(string kind, string key, string settings, string sentence)
    {
        await using var host = await PipelineHost.StartAsync();
        var refusal = await Should.ThrowAsync<IngestionException>(() =>
            host.Get<SourceConnections>().CreateAsync(PipelineHost.Actor, new(kind, key, "Name", System.Text.Json.JsonDocument.Parse(settings).RootElement), Ct));
        refusal.Code.ShouldBe(ErrorCodes.InvalidOption);
        refusal.Message.ShouldContain(sentence);
        (await host.Get<SourceConnections>().ListAsync("default", Ct)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Key_is_never_used_again()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("feed", "news", new { address = "https://a.example/", password = "x" });
        (await host.Get<SourceConnections>().DeleteAsync(PipelineHost.Actor, "news", Ct)).ShouldBeTrue();
        (await host.Get<SourceConnections>().FindAsync("default", "news", Ct)).ShouldBeNull();
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.secret")).ShouldBe([0]);
        await Should.ThrowAsync<IngestionException>(() => host.ConnectAsync("feed", "news", new { address = "https://a.example/" }));
    }

    [Fact]
    public async Task Narrowed_member_sees_changes_and_uses_the_connections_in_reach_alone()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("feed", "mine", new { address = "https://a.example/" });
        await host.ConnectAsync("feed", "theirs", new { address = "https://b.example/" });
        var actor = PipelineHost.Actor with { Narrowing = new(Connections: ["mine"]) };
        var connections = host.Get<SourceConnections>();
        (await connections.ListAsync(actor.Scope, Ct)).Select(c => c.Key).ShouldBe(["mine"]);
        (await connections.ChangeAsync(actor, "theirs", new(Name: "Ours"), Ct)).ShouldBeFalse();
        (await connections.DeleteAsync(actor, "theirs", Ct)).ShouldBeFalse();
        (await host.Get<ConnectionTests>().RunAsync(actor, "theirs", Ct)).ShouldBeNull();
        (await host.Get<Syncs>().StartAsync(actor, "theirs", null, Ct)).ShouldBeNull();
        (await host.Get<Schedules>().SetAsync(actor, "theirs", "0 3 * * *", "UTC", "default", Ct)).ShouldBeFalse();
        await Should.ThrowAsync<IngestionException>(() => connections.CreateAsync(actor, new("feed", "more", "More", SourceMaking.Json(new { address = "https://a.example/" })), Ct));
        var foreign = await Should.ThrowAsync<IngestionException>(() => host.Get<Submission>().SubmitAsync(actor, SourceMaking.Taking("feed", "theirs"), null, Ct));
        var unknown = await Should.ThrowAsync<IngestionException>(() => host.Get<Submission>().SubmitAsync(actor, SourceMaking.Taking("feed", "nobodys"), null, Ct));
        foreign.Message.Replace("theirs", "X", StringComparison.Ordinal).ShouldBe(unknown.Message.Replace("nobodys", "X", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Other_tenants_connections_are_as_if_they_did_not_exist()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("feed", "news", new { address = "https://a.example/" });
        await new Make(host.Worker).OtherTenant("other");
        var stranger = new Actor("other", "usr_x");
        (await host.Get<SourceConnections>().ListAsync("other", Ct)).ShouldBeEmpty();
        (await host.Get<SourceConnections>().ChangeAsync(stranger, "news", new(Name: "Mine"), Ct)).ShouldBeFalse();
        await Should.ThrowAsync<IngestionException>(() => host.Get<Submission>().SubmitAsync(stranger, SourceMaking.Taking("feed", "news"), null, Ct));
    }

    [Fact]
    public async Task Test_says_what_is_missing_and_notes_it()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("local_directory", "docs", new { path = "/srv/documents" });
        var result = (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "docs", Ct)).ShouldNotBeNull();
        result.Done.ShouldBeFalse();
        result.Message.ShouldContain("Ingestion:Sources:Roots");
        (await host.Get<SourceConnections>().FindAsync("default", "docs", Ct))!.TestProblem.ShouldBe(result.Message);
    }
}

using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>What a submission may say of sources, and what is created where it says something else.</summary>
public sealed class SourceSubmissionTests
{
    public static TheoryData<string, SourceSelection, string> Malformed => new()
    {
        { "unknown kind", new("carrier_pigeon"), "'carrier_pigeon' is not a source type" },
        { "unknown connection", new("local_directory", "nobodys"), "There is no connection 'nobodys'" },
        { "connection of another kind", new("local_zip", "docs"), "is one of local_directory" },
        { "uploads as a source", new("upload", FileIds: ["a"]), "no source to take from" },
        { "site without an address", new("site"), "needs an address" },
        { "site at a file", new("site", Source: "file:///etc/passwd"), "http or https" },
        { "site at a path", new("site", Source: "/etc/passwd"), "http or https" },
        { "address for a directory", new("local_directory", "docs", Source: "https://a.example/"), "takes no address" },
        { "no file", new("local_directory", "docs", []), "names no file" },
        { "nameless file", new("local_directory", "docs", [""]), "without a name" },
        { "single pages of a site", new("site", FileIds: ["x"], Source: "https://a.example/"), "as a whole" },
        { "unknown option", new("local_directory", "docs", Options: Json(new { colour = "red" })), "options.colour is not known here" },
        { "option of another kind", new("local_directory", "docs", Options: Json(new { max_pages = 3 })), "options.max_pages is not known here" },
        { "option of another type", new("site", Source: "https://a.example/", Options: Json(new { max_pages = "many" })), "options.max_pages must be a whole number" },
        { "option out of range", new("site", Source: "https://a.example/", Options: Json(new { max_pages = 0 })), "options.max_pages must be a whole number from 1" },
        { "options that are no object", new("site", Source: "https://a.example/", Options: Json(new[] { 1 })), "options must be an object" },
    };

    [Fact]
    public async Task Malformed_selection_is_refused_and_creates_nothing()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("local_directory", "docs", new { path = "/srv/documents" });
        foreach (var row in Malformed)
        {
            var (name, selection, sentence) = ((string)row[0], (SourceSelection)row[1], (string)row[2]);
            var refusal = await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(new("b") { Sources = [new("site", Source: "https://a.example/"), selection] }), name);
            refusal.Code.ShouldBe(ErrorCodes.InvalidOption, name);
            refusal.Message.ShouldContain(sentence, Case.Sensitive, name);
        }
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe([0]);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_input")).ShouldBe([0]);
    }

    [Fact]
    public async Task Batch_options_of_sources_are_checked_as_well()
    {
        await using var host = await PipelineHost.StartAsync();
        foreach (var (word, value) in new[] { ("carrier_pigeon", Json(new { })), ("site", Json(new { colour = "red" })) })
            (await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(new("b")
            {
                Urls = [new("https://a.example/")], Options = new() { SourceSpecificOptions = new Dictionary<string, System.Text.Json.JsonElement> { [word] = value } },
            }))).Code.ShouldBe(ErrorCodes.InvalidOption);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe([0]);
    }

    [Fact]
    public async Task Kind_without_a_connection_is_taken_and_its_input_says_so()
    {
        await using var host = await PipelineHost.StartAsync();
        var batch = await host.SubmitAsync(new("b") { Sources = [new("confluence"), new("google_drive", FileIds: ["1Bxi"])] });
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        (await host.QueryAsync<string>("SELECT source_type || ' ' || coalesce(error_code, state) FROM ingestion.import_input ORDER BY ordinal")).ShouldBe(["confluence source_not_configured", "google_drive done"]);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["1Bxi"] = "source_not_configured" });
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Kind_without_a_named_connection_takes_from_every_one_of_it()
    {
        using var files = new TemporaryDirectory();
        foreach (var name in new[] { "a", "b" })
        {
            Directory.CreateDirectory(Path.Combine(files.Path, name));
            File.WriteAllText(Path.Combine(files.Path, name, $"{name}.txt"), $"The text of {name}.");
        }
        await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path));
        foreach (var name in new[] { "a", "b" }) await host.ConnectAsync("local_directory", name, new { path = Path.Combine(files.Path, name) });
        var batch = await host.SubmitAsync(Taking("file_catalog"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.QueryAsync<string>("SELECT source_type || ' ' || connection_id || ' ' || source_key || ' ' || state FROM ingestion.import_item ORDER BY 1"))
            .ShouldBe(["file_catalog a a.txt done", "file_catalog b b.txt done"]);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Tables_of_a_directory_are_manifests_like_uploaded_ones()
    {
        using var files = new TemporaryDirectory();
        await using var site = await FixtureHost.StartAsync();
        File.WriteAllText(Path.Combine(files.Path, "one.csv"), $"Title,Link\nFirst,{site.Url("/1")}\nSecond,{site.Url("/2")}\n");
        File.WriteAllText(Path.Combine(files.Path, "two.csv"), $"Title,Link\nAgain,{site.Url("/1")}\n");
        await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path), ("Ingestion:Acquire:AllowedTargets:0", site.Target));
        await host.ConnectAsync("local_directory", "docs", new { path = files.Path });
        var batch = await host.SubmitAsync(Taking("manifest", "docs", ["one.csv", "two.csv", "../three.csv"], new { url_column = "Link", title_column = "Title" }));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.ItemsAsync(batch)).Select(i => i.Name).Order(StringComparer.Ordinal).ShouldBe(["Again", "First", "Second"]);
        (await host.QueryAsync<string>("SELECT coalesce(error_code, state) FROM ingestion.import_input ORDER BY ordinal")).ShouldBe(["done", "done", "access_denied"]);
        (await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(Taking("manifest", "docs", ["one.csv"])))).Message.ShouldContain("options.url_column is missing");
        (await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(Taking("manifest", "docs", options: new { url_column = "Link" })))).Message.ShouldContain("file_ids");
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Switched_off_connection_is_refused()
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("local_directory", "docs", new { path = "/srv/documents" });
        await host.Get<Core.Sources.SourceConnections>().ChangeAsync(PipelineHost.Actor, "docs", new(Disabled: true), CancellationToken.None);
        (await Should.ThrowAsync<IngestionException>(() => host.SubmitAsync(Taking("local_directory", "docs")))).Message.ShouldContain("switched off");
    }
}

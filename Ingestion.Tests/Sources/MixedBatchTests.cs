using System.Text.Json;
using Ingestion.Tests.Access;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Batches over every kind of source at once, handed in and watched as the clients of <c>/batch</c> do, with what each source says of itself.</summary>
public sealed class MixedBatchTests(MixedApp mixed) : IClassFixture<MixedApp>
{
    [Fact]
    public async Task Every_kind_at_once_is_counted_source_by_source()
    {
        await mixed.ConnectAsync();
        var (person, client) = await mixed.CallerAsync();
        var web = mixed.Sources.Web;
        var created = await client.PostAsync("/batch/jobs", new
        {
            user_id = person.Id, name = "Everything at once",
            processing_options = new
            {
                source_specific_options = new Dictionary<string, object>
                {
                    ["manifest"] = new { url_column = "Link", title_column = "Title" }, ["site"] = new { max_pages = 50 }, ["youtube"] = new { languages = new[] { "en" } },
                },
            },
            file_selections = new object[]
            {
                new { source_type = "upload", file_ids = new[] { await mixed.UploadAsync(person, "notes.md", "# Notes\n\nThe notes praise a wagtail."), await mixed.UploadAsync(person, "more/notes.txt", "More notes on a dipper.") } },
                new { source_type = "url", file_ids = new[] { web.Url("/single.html"), web.Url("/missing.html") } },
                new { source_type = "manifest", file_ids = new[] { await mixed.UploadAsync(person, "rows.csv", mixed.Sources.Table("/row1.html", "/row2.html"), "manifest") } },
                new { source_type = "manifest", connection_id = "tables", file_ids = new[] { "list.csv" } },
                new { source_type = "site", file_ids = new[] { web.Url("/site/") } },
                new { source_type = "feed", connection_id = "news" },
                new { source_type = "local_directory", connection_id = "papers" },
                new { source_type = "local_zip", connection_id = "local_zip_conn_1", file_ids = new[] { "one.txt", "dir/two.md", "absent.txt" } },
                new { source_type = "s3", connection_id = "bucket" },
                new { source_type = "file_catalog", connection_id = "shelf" },
                new { source_type = "google_drive", connection_id = "gdrive_conn_1", file_ids = new[] { "paper", "form", "bin" } },
                new { source_type = "confluence", connection_id = "wiki" },
                new { source_type = "confluence", connection_id = "intranet" },
                new { source_type = "youtube", connection_id = "talks" },
            },
        });
        created.GetProperty("source_progress").GetArrayLength().ShouldBe(14);
        created.Count("total_files").ShouldBe(10, "what is named is known before anything is listed");

        var job = await mixed.RunAsync(client, person, created);

        job.Said("status").ShouldBe("completed", job.GetRawText());
        job.Said("message").ShouldBe("1 source failed.");
        (job.Count("total_files"), job.Count("completed_files"), job.Count("failed_files"), job.Count("skipped_files")).ShouldBe((28, 22, 5, 1));
        Counts(job).ShouldBe(new Dictionary<string, string>
        {
            // total, completed, failed, skipped
            ["upload"] = "2 2 0 0",
            ["url"] = "2 1 1 0",
            ["manifest"] = "2 2 0 0",
            ["manifest tables"] = "2 1 1 0",
            ["site"] = "3 3 0 0",
            ["feed news"] = "2 2 0 0",
            ["local_directory papers"] = "2 2 0 0",
            ["local_zip local_zip_conn_1"] = "3 2 1 0",
            ["s3 bucket"] = "2 2 0 0",
            ["file_catalog shelf"] = "1 1 0 0",
            ["google_drive gdrive_conn_1"] = "3 1 1 1",
            ["confluence wiki"] = "2 2 0 0",
            ["confluence intranet"] = "0 0 0 0 secret_missing",
            ["youtube talks"] = "2 1 1 0",
        }, ignoreOrder: true);
        Failures(job).ShouldBe(new Dictionary<string, string>
        {
            [web.Url("/missing.html").AbsoluteUri] = "not_found", [web.Url("/missing-row.html").AbsoluteUri] = "not_found", ["absent.txt"] = "missing_file", ["bin"] = "gone", ["silent-0001"] = "no_captions",
        }, ignoreOrder: true);
        Source(job, "confluence intranet").Said("error_message").ShouldBe("The API token of the connection is not set.");

        await EveryDocumentIsFoundAndReadAsync(client);
        await TheOtherAccountsAgreeAsync(client, person, job);
        await mixed.VerifiedAsync();
        Console.WriteLine($"mixed batch: {string.Join("; ", Counts(job).Select(c => $"{c.Key} {c.Value}"))}");
    }

    [Fact]
    public async Task Kinds_that_are_not_configured_say_so_and_the_rest_is_taken()
    {
        var (person, client) = await mixed.CallerAsync("bare");
        var created = await client.PostAsync("/batch/jobs", new
        {
            name = "Before anything is configured",
            file_selections = new object[]
            {
                new { source_type = "upload", file_ids = new[] { await mixed.UploadAsync(person, "alone.txt", "All alone, a corncrake.") } },
                new { source_type = "google_drive", file_ids = new[] { "1Bxi" } },
                new { source_type = "google_drive" }, new { source_type = "local_directory" }, new { source_type = "local_zip" }, new { source_type = "s3" },
                new { source_type = "confluence" }, new { source_type = "youtube" }, new { source_type = "file_catalog" },
            },
        });

        var job = await mixed.RunAsync(client, person, created);

        job.Said("status").ShouldBe("completed", job.GetRawText());
        job.Said("message").ShouldBe("7 sources failed.");
        (job.Count("total_files"), job.Count("completed_files"), job.Count("failed_files")).ShouldBe((2, 1, 1));
        var sources = job.GetProperty("source_progress").EnumerateArray().ToList();
        sources[0].Count("completed_files").ShouldBe(1);
        (sources[1].Count("failed_files"), sources[1].GetProperty("files")[0].Said("error_code")).ShouldBe((1, "source_not_configured"));
        sources.Skip(2).Select(s => $"{s.Said("source_type")} {s.Count("total_files")} {s.Said("error_code")}")
            .ShouldBe(new[] { "google_drive", "local_directory", "local_zip", "s3", "confluence", "youtube", "file_catalog" }.Select(k => $"{k} 0 source_not_configured"));
        sources.Skip(2).ShouldAllBe(s => s.Said("error_message")!.EndsWith("is configured.", StringComparison.Ordinal));
        await mixed.VerifiedAsync();
    }

    private static async Task EveryDocumentIsFoundAndReadAsync(FamilyClient client)
    {
        string[] pages = ["/single.html", "/row1.html", "/row2.html", "/row3.html", "/site/", "/site/a.html", "/site/b.html", "/news/1.html", "/news/2.html"];
        string[] birds = ["wagtail", "dipper", "kestrel", "falcon", "plover", "dunlin", "puffin", "guillemot", "curlew", "lapwing", "heron", "egret", "bittern"];
        foreach (var word in pages.Select(FixtureHost.WordOf).Concat(birds))
        {
            var hit = (await client.GetAsync($"/api/v1/search?q={word}&take=1")).GetProperty("hits").EnumerateArray().ShouldHaveSingleItem();
            hit.Said("text")!.ShouldContain(word);
            (await client.TextAsync($"/api/v1/documents/{hit.GetProperty("document_version_id").GetInt64()}/markdown")).ShouldContain(word);
        }
    }

    // The batch as this program's own routes tell it, and the caller's statistics.
    private static async Task TheOtherAccountsAgreeAsync(FamilyClient client, Person person, JsonElement job)
    {
        var counts = (await client.GetAsync($"/api/v1/batches/{job.Said("job_id")}")).GetProperty("counts");
        (counts.Count("total"), counts.Count("done"), counts.Count("failed"), counts.Count("skipped"), counts.Count("failed_inputs")).ShouldBe((28, 22, 5, 1, 1));
        var failures = await client.GetAsync($"/api/v1/batches/{job.Said("job_id")}/failures");
        failures.Count("total").ShouldBe(5);
        failures.GetProperty("inputs").EnumerateArray().ShouldHaveSingleItem().GetProperty("error").Said("code").ShouldBe("secret_missing");
        var statistics = await client.GetAsync($"/batch/statistics?user_id={person.Id}");
        statistics.Count("total_files_processed").ShouldBe(28);
        statistics.GetProperty("by_source_type").EnumerateObject().ToDictionary(t => t.Name, t => t.Value.GetInt32())
            .ShouldBe(job.GetProperty("source_progress").EnumerateArray().GroupBy(s => s.Said("source_type")!, s => s.Count("total_files")).ToDictionary(g => g.Key, g => g.Sum()), ignoreOrder: true);
    }

    private static Dictionary<string, string> Counts(JsonElement job) => job.GetProperty("source_progress").EnumerateArray().ToDictionary(Name, s =>
    {
        s.GetProperty("files").GetArrayLength().ShouldBe(s.Count("total_files"), Name(s));
        s.GetProperty("progress_percentage").GetDouble().ShouldBe(s.Count("total_files") == 0 ? 0 : 100, Name(s));
        return $"{s.Count("total_files")} {s.Count("completed_files")} {s.Count("failed_files")} {s.Count("skipped_files")} {s.Said("error_code")}".TrimEnd();
    });

    private static Dictionary<string, string> Failures(JsonElement job) => job.GetProperty("source_progress").EnumerateArray().SelectMany(s => s.GetProperty("files").EnumerateArray())
        .Where(f => f.Said("status") == "failed").ToDictionary(f => f.Said("file_id")!, f => f.Said("error_code")!);

    private static JsonElement Source(JsonElement job, string name) => job.GetProperty("source_progress").EnumerateArray().Single(s => Name(s) == name);

    private static string Name(JsonElement source) => $"{source.Said("source_type")} {source.Said("connection_id")}".TrimEnd();
}

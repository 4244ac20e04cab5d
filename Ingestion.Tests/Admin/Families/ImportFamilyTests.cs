using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class ImportFamilyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private const string Root = "/v1/admin/bulk-import/batches";

    // Refused by the rules for addresses: the rows end without any network.
    private const string Manifest = "Krithi,Raga,Hyperlink\r\nEndaro,Sri,http://127.0.0.1:1/a\r\n=cmd|' /C calc'!A0,@SUM(1+1),http://127.0.0.1:1/b\r\n";
    private static readonly string[] Own = ["pending", "running", "paused", "retryable", "blocked", "succeeded", "failed", "cancelled"];

    private readonly FamilyClient _client = new(app.Caller(AdminApp.Key));

    [Fact]
    public async Task A_manifest_is_a_batch_with_jobs_tasks_and_events()
    {
        var made = await _client.SendAsync(Root, [("Dikshitar-Krithi-For-Import.csv", Encoding.UTF8.GetBytes(Manifest))], [("name", "Krithis")], HttpStatusCode.Created);
        var id = made.Said("id")!;
        Guid.TryParse(id, out _).ShouldBeTrue();
        made.Said("name").ShouldBe("Krithis");
        made.Said("source_manifest").ShouldBe("Dikshitar-Krithi-For-Import.csv");
        Own.ShouldContain(made.Said("status"));
        (await _client.GetAsync($"{Root}/{id}/tasks?job_type=MANIFEST_INGEST")).GetProperty("tasks").EnumerateArray().Single().Said("title").ShouldBe("Dikshitar-Krithi-For-Import.csv");

        var ended = await EndedAsync(id);
        ended.Said("status").ShouldBe("failed");
        ended.Count("total_tasks").ShouldBe(2);
        ended.Count("failed_tasks").ShouldBe(2);
        ended.GetProperty("progress_percent").GetDouble().ShouldBe(100);

        var jobs = (await _client.GetAsync($"{Root}/{id}/jobs")).GetProperty("jobs").EnumerateArray().ToList();
        jobs.Select(j => j.Said("job_type")).ShouldBe(["MANIFEST_INGEST", "SCRAPE"]);
        jobs.Select(j => j.Said("status")).ShouldBe(["succeeded", "failed"]);
        jobs[1].GetProperty("tasks").Count("failed").ShouldBe(2);

        var tasks = await _client.GetAsync($"{Root}/{id}/tasks");
        tasks.Count("total").ShouldBe(3);
        var rows = tasks.GetProperty("tasks").EnumerateArray().ToList();
        rows[0].Count("tasks_created").ShouldBe(2);
        rows[1].Said("job_type").ShouldBe("SCRAPE");
        rows[1].Count("row").ShouldBe(1);
        rows[1].GetProperty("error").Said("code").ShouldBe("blocked_url");
        rows[1].GetProperty("metadata").Said("Raga").ShouldBe("Sri");
        foreach (var offset in new[] { 0, 1, 2 })
            (await _client.GetAsync($"{Root}/{id}/tasks?limit=1&offset={offset}")).GetProperty("tasks").EnumerateArray().Single().Said("id").ShouldBe(rows[offset].Said("id"));
        (await _client.GetAsync($"{Root}/{id}/tasks?status=failed&job_type=SCRAPE")).Count("total").ShouldBe(2);
        (await _client.GetAsync($"{Root}/{id}/tasks?status=blocked")).Count("total").ShouldBe(0);

        var events = (await _client.GetAsync($"{Root}/{id}/events")).GetProperty("events").EnumerateArray().ToList();
        events.Select(e => e.GetProperty("id").GetInt64()).ShouldBe(Enumerable.Range(1, events.Count).Select(n => (long)n));
        events[^1].Said("event_type").ShouldBe("BATCH_COMPLETED");
        events[^1].Said("status").ShouldBe("failed");
        (await _client.GetAsync($"{Root}/{id}/events?after=2&limit=1")).GetProperty("next").GetInt64().ShouldBe(3);

        (await _client.PostAsync($"{Root}/{id}/retry", new { reason = "once more" })).Said("status").ShouldBe("running");
        await EndedAsync(id);
        (await _client.PostAsync($"{Root}/{id}/pause", null, HttpStatusCode.Conflict)).Said("detail").ShouldNotBeNullOrWhiteSpace();
        (await _client.GetAsync($"{Root}?status=failed&limit=200")).GetProperty("batches").EnumerateArray().Select(b => b.Said("id")).ShouldContain(id);
        (await _client.GetAsync($"{Root}/{made.Said("batch_id")}")).Said("id").ShouldBe(id);
    }

    [Fact]
    public async Task An_export_holds_every_row_and_no_formula()
    {
        var id = (await _client.SendAsync(Root, [("links.csv", Encoding.UTF8.GetBytes(Manifest))], null, HttpStatusCode.Created)).Said("id")!;
        await EndedAsync(id);
        var csv = (await _client.TextAsync($"{Root}/{id}/export")).TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        csv.Length.ShouldBe(3);
        csv[0].ShouldStartWith("id,row,title,source_url,status,job_type,");
        csv[0].ShouldEndWith("metadata.Raga");
        csv[2].ShouldContain("'=cmd|");
        csv[2].ShouldContain("'@SUM(1+1)");

        var json = JsonSerializer.Deserialize<JsonElement>(await _client.TextAsync($"{Root}/{id}/export?format=json"));
        json.GetArrayLength().ShouldBe(2);
        json[1].Said("title").ShouldBe("=cmd|' /C calc'!A0");
        var lines = (await _client.TextAsync($"{Root}/{id}/export?format=jsonl")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Select(l => JsonSerializer.Deserialize<JsonElement>(l).Count("row")).ShouldBe([1, 2]);
        (await _client.GetAsync($"{Root}/{id}/export?format=xlsx", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("format");
    }

    [Fact]
    public async Task A_batch_is_paused_resumed_and_cancelled_in_words_of_its_own()
    {
        // Hosts are asked slowly, and nobody answers here: there is time to steer.
        var rows = string.Concat(Enumerable.Range(0, 2000).Select(n => $"Row {n},http://127.0.0.1:1/{n}\n"));
        var id = (await _client.SendAsync(Root, [("many.csv", Encoding.UTF8.GetBytes("Title,Link\n" + rows))], [("priority", "low"), ("options", """{"max_workers":1}""")], HttpStatusCode.Created)).Said("id")!;
        (await _client.PostAsync($"{Root}/{id}/pause")).Said("status").ShouldBe("paused");
        (await _client.PostAsync($"{Root}/{id}/resume")).Said("status").ShouldBeOneOf("pending", "running");
        (await _client.PostAsync($"{Root}/{id}/cancel", new { reason = "not needed" })).Said("status").ShouldBeOneOf("cancelled", "running", "pending");
        (await EndedAsync(id)).Said("status").ShouldBe("cancelled");
        var statuses = (await _client.GetAsync($"{Root}/{id}/tasks?limit=1000")).GetProperty("tasks").EnumerateArray().Select(t => t.Said("status")!).Distinct().ToList();
        statuses.ShouldBeSubsetOf(Own);
    }

    [Fact]
    public async Task A_manifest_that_was_uploaded_before_is_named_by_its_id()
    {
        using var http = app.Caller(AdminApp.Key);
        using var sent = await http.PostAsync("/api/v1/uploads/file?path=links.csv&purpose=manifest", new ByteArrayContent(Encoding.UTF8.GetBytes(Manifest)));
        var upload = JsonSerializer.Deserialize<JsonElement>(await sent.Content.ReadAsStringAsync()).Said("id");
        var made = await _client.PostAsync(Root, new { upload, url_column = "Hyperlink", title_column = "Krithi" }, HttpStatusCode.Created);
        (await EndedAsync(made.Said("id")!)).Count("total_tasks").ShouldBe(2);
    }

    [Theory]
    [InlineData("""{}""", "upload")]
    [InlineData("""{"upload":"up_a","file":"a.csv"}""", "upload")]
    [InlineData("""{"upload":"up_missing"}""", "up_missing")]
    [InlineData("""{"file":"a.csv"}""", "Ingestion:Import:ManifestFolder")]
    [InlineData("""{"upload":"up_a","colour":"red"}""", "colour")]
    [InlineData("", "form")]
    public async Task What_does_not_fit_is_refused_by_name(string body, string named) => (await _client.PostAsync(Root, body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    [Theory]
    [InlineData("Title,Note\nA,B\n", "Columns found: Title, Note")]
    [InlineData("", "empty")]
    public async Task A_table_without_addresses_creates_nothing(string csv, string said)
    {
        var before = (await _client.GetAsync(Root)).Count("total");
        (await _client.SendAsync(Root, [("table.csv", Encoding.UTF8.GetBytes(csv))], null, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(said);
        (await _client.GetAsync(Root)).Count("total").ShouldBe(before);
    }

    [Fact]
    public async Task One_key_makes_one_batch_whatever_the_form_looks_like()
    {
        var key = Guid.NewGuid().ToString();
        var first = await _client.SendAsync(Root, [("links.csv", Encoding.UTF8.GetBytes(Manifest))], [("name", "Once")], HttpStatusCode.Created, key);
        var second = await _client.SendAsync(Root, [("links.csv", Encoding.UTF8.GetBytes(Manifest))], [("name", "Once")], HttpStatusCode.Created, key);
        second.Said("id").ShouldBe(first.Said("id"));
        await _client.SendAsync(Root, [("links.csv", Encoding.UTF8.GetBytes(Manifest))], [("name", "Twice")], HttpStatusCode.UnprocessableEntity, key);
        await EndedAsync(first.Said("id")!);
    }

    [Fact]
    public async Task A_manifest_of_the_server_is_named_within_its_directory_and_nowhere_else()
    {
        using var folder = new TemporaryDirectory("manifests-");
        using var outside = new TemporaryDirectory("outside-");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "links.csv"), Manifest);
        await File.WriteAllTextAsync(Path.Combine(outside.Path, "secret.csv"), Manifest);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "link.csv"), Path.Combine(outside.Path, "secret.csv"));
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "door"), outside.Path);
        await using var configured = app.WithWebHostBuilder(b => b.UseSetting("Ingestion:Import:ManifestFolder", folder.Path));
        using var http = configured.CreateClient();
        http.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        var client = new FamilyClient(http);
        var made = await client.PostAsync(Root, new { file = "links.csv" }, HttpStatusCode.Created);
        made.Said("source_manifest").ShouldBe("links.csv");
        foreach (var file in new[] { "../" + Path.GetFileName(outside.Path) + "/secret.csv", Path.Combine(outside.Path, "secret.csv"), "link.csv", "door/secret.csv", "missing.csv", ".", "links.csv\0.csv" })
            (await client.PostAsync(Root, new { file }, HttpStatusCode.BadRequest)).Said("detail").ShouldBe("file: there is no such manifest in the configured directory.", file);
        await client.UntilAsync($"{Root}/{made.Said("id")}", b => b.Said("status") is "succeeded" or "failed" or "cancelled");
    }

    private Task<JsonElement> EndedAsync(string id) => _client.UntilAsync($"{Root}/{id}", b => b.Said("status") is "succeeded" or "failed" or "cancelled");
}

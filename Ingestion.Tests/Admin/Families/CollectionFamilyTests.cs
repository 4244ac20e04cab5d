using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class CollectionFamilyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private const string Example = """
        {
          "id": 101,
          "collection_id": 1,
          "original_filename": "report.pdf",
          "status": "processing",
          "progress": { "current": 2, "total": 4, "percentage": 50.0, "message": "Splitting content into chunks..." },
          "processing_started_at": "2025-12-30T10:00:05Z",
          "processing_completed_at": null,
          "error_message": null
        }
        """;

    private readonly FamilyClient _client = new(app.Caller(AdminApp.Key));

    [Fact]
    public async Task A_file_is_a_job_that_is_followed_to_its_end()
    {
        var collection = await CollectionAsync();
        var job = await _client.SendAsync("/ingest-file", [("report.md", "# Report\n\nThe quarter went well."u8.ToArray())], [("collection_id", collection), ("metadata", """{"team":"sales"}""")]);
        Shape.Differences(Example.Replace("\"2025-12-30T10:00:05Z\"", "null", StringComparison.Ordinal), job).ShouldBeEmpty();
        job.Said("original_filename").ShouldBe("report.md");
        job.Said("status").ShouldBeOneOf("pending", "processing", "completed");

        var ended = await EndedAsync(collection, job);
        Shape.Differences(Example, ended).ShouldBeEmpty();
        ended.Said("status").ShouldBe("completed");
        ended.GetProperty("progress").GetProperty("percentage").GetDouble().ShouldBe(100);
        ended.GetProperty("processing_completed_at").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$");
        ended.GetProperty("duration_ms").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        ended.Count("chunk_count").ShouldBe(1);
        ended.GetProperty("error_message").ValueKind.ShouldBe(JsonValueKind.Null);
        ended.GetProperty("error_details").ValueKind.ShouldBe(JsonValueKind.Null);
        ended.GetProperty("metadata").Said("team").ShouldBe("sales");
    }

    [Fact]
    public async Task A_corrupt_file_tells_what_is_wrong_and_runs_again_with_other_parameters()
    {
        var collection = await CollectionAsync();
        var job = await _client.SendAsync("/ingest-file", [("broken.docx", "PK\u0003\u0004 this is no archive"u8.ToArray())], [("collection_id", collection)]);
        var failed = await EndedAsync(collection, job);
        failed.Said("status").ShouldBe("failed");
        failed.Said("error_message").ShouldNotBeNullOrWhiteSpace();
        failed.GetProperty("error_details").Said("remedy").ShouldNotBeNullOrWhiteSpace();
        failed.GetRawText().ShouldNotContain("   at Ingestion.", Case.Sensitive);

        var path = $"/collections/{collection}/ingestion-jobs/{job.GetProperty("id")}";
        (await _client.PostAsync($"{path}/retry", """{"override_params":{"chunk_sise":1}}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("chunk_sise");
        (await _client.PostAsync($"{path}/retry", """{"override_params":{"chunk_size":700}}""")).GetProperty("parameters").Count("chunk_size").ShouldBe(700);
        (await EndedAsync(collection, job)).Said("status").ShouldBe("failed");
        (await _client.PostAsync($"{path}/retry")).Said("status").ShouldNotBe("completed");
        await EndedAsync(collection, job);
        (await _client.PostAsync($"{path}/cancel", null, HttpStatusCode.Conflict)).Said("detail")!.ShouldContain("failed");
    }

    [Fact]
    public async Task A_list_is_filtered_sorted_and_paged_and_summed_up()
    {
        var collection = await CollectionAsync();
        foreach (var name in new[] { "b.md", "a.md", "c.md" })
            await EndedAsync(collection, await _client.SendAsync("/ingest-file", [(name, Encoding.UTF8.GetBytes($"# {name}\n\nText of {name}."))], [("collection_id", collection)]));
        var failed = await _client.PostAsync("/ingest-url", new { collection_id = collection, url = "http://127.0.0.1:1/x" });
        failed.Count("total").ShouldBe(1);
        await EndedAsync(collection, failed.GetProperty("jobs")[0]);

        var page = await _client.GetAsync($"/collections/{collection}/ingestion-jobs?status=completed&sort_by=original_filename&sort_order=asc&limit=2");
        page.Count("total").ShouldBe(3);
        page.GetProperty("has_more").GetBoolean().ShouldBeTrue();
        page.GetProperty("jobs").EnumerateArray().Select(j => j.Said("original_filename")).ShouldBe(["a.md", "b.md"]);
        (await _client.GetAsync($"/collections/{collection}/ingestion-jobs?status=completed&sort_by=original_filename&sort_order=asc&limit=2&offset=2")).GetProperty("jobs")[0].Said("original_filename").ShouldBe("c.md");
        foreach (var order in new[] { "created_at", "updated_at", "status", "file_size" })
            (await _client.GetAsync($"/collections/{collection}/ingestion-jobs?sort_by={order}")).Count("total").ShouldBe(4);
        (await _client.GetAsync($"/collections/{collection}/ingestion-jobs")).GetProperty("jobs")[0].Said("status").ShouldBe("failed");

        var status = await _client.GetAsync($"/collections/{collection}/ingestion-status");
        status.Count("total_jobs").ShouldBe(4);
        status.GetProperty("by_status").EnumerateObject().ToDictionary(w => w.Name, w => w.Value.GetInt32())
            .ShouldBe(new Dictionary<string, int> { ["pending"] = 0, ["processing"] = 0, ["completed"] = 3, ["failed"] = 1, ["cancelled"] = 0 }, ignoreOrder: true);
        status.GetProperty("recent_failures").EnumerateArray().Single().Said("error_code").ShouldBe("blocked_url");
        status.GetProperty("oldest_processing_job").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData("ingestion-jobs?status=done", "status")]
    [InlineData("ingestion-jobs?limit=0", "limit")]
    [InlineData("ingestion-jobs?limit=201", "limit")]
    [InlineData("ingestion-jobs?limit=many", "limit")]
    [InlineData("ingestion-jobs?offset=-1", "offset")]
    [InlineData("ingestion-jobs?sort_by=colour", "sort_by")]
    [InlineData("ingestion-jobs?sort_order=up", "sort_order")]
    public async Task What_does_not_fit_is_refused_by_name(string path, string named) =>
        (await _client.GetAsync($"/collections/default/{path}", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    [Theory]
    [InlineData("""{"collection_id":"default"}""", "url")]
    [InlineData("""{"url":7}""", "url")]
    [InlineData("""{"urls":["https://example.org/",false]}""", "urls[1]")]
    [InlineData("""{"url":"https://example.org/","colour":"red"}""", "colour")]
    [InlineData("""{"url":"https://example.org/","options":{"chunk_size":1}}""", "chunk_size")]
    [InlineData("""{"url":"https://example.org/","metadata":{"a":[1]}}""", "metadata.a")]
    [InlineData("""["https://example.org/"]""", "object")]
    [InlineData("""{"url":""", "JSON")]
    public async Task A_body_that_does_not_fit_creates_nothing(string body, string named)
    {
        var before = (await _client.GetAsync("/collections/default/ingestion-status")).Count("total_jobs");
        (await _client.PostAsync("/ingest-url", body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);
        (await _client.GetAsync("/collections/default/ingestion-status")).Count("total_jobs").ShouldBe(before);
    }

    [Fact]
    public async Task A_job_that_waits_is_pending_and_can_be_cancelled()
    {
        var collection = await CollectionAsync();
        await using var database = new Database(app.ConnectionString);
        var make = new Make(database.Worker);
        var batch = await make.Batch(BatchState.Paused);
        await database.Worker.QueryAsync<object>("UPDATE ingestion.import_batch SET collection_id = (SELECT id FROM ingestion.collection WHERE tenant_id = 'default' AND key = $1) WHERE id = $2", collection, batch);
        var item = (await make.Task(batch)).ItemId;
        var path = $"/collections/{collection}/ingestion-jobs/{item}";
        var job = await _client.GetAsync(path);
        job.Said("status").ShouldBe("pending");
        (await _client.GetAsync($"/collections/{collection}/ingestion-jobs?status=pending")).Count("total").ShouldBe(1);
        (await _client.PostAsync($"{path}/retry", null, HttpStatusCode.Conflict)).Said("detail")!.ShouldContain("pending");
        (await _client.PostAsync($"{path}/cancel")).Said("status").ShouldBe("cancelled");
        (await _client.GetAsync($"/collections/{collection}/ingestion-status")).GetProperty("by_status").Count("cancelled").ShouldBe(1);
    }

    [Fact]
    public async Task Another_collection_and_another_tenant_have_no_such_job()
    {
        var collection = await CollectionAsync();
        var job = await _client.SendAsync("/ingest-file", [("mine.md", "# Mine\n\nAlone."u8.ToArray())], [("collection_id", collection)]);
        await _client.GetAsync($"/collections/{await CollectionAsync()}/ingestion-jobs/{job.GetProperty("id")}", HttpStatusCode.NotFound);
        await _client.GetAsync("/collections/nowhere/ingestion-jobs", HttpStatusCode.NotFound);
        await _client.GetAsync("/collections/999999/ingestion-status", HttpStatusCode.NotFound);
        var people = new People(app.Services);
        await people.TenantAsync("elsewhere");
        var stranger = new FamilyClient(app.Caller((await people.MakeAsync(tenant: "elsewhere")).Key));
        var id = job.GetProperty("collection_id").GetInt64();
        await stranger.GetAsync($"/collections/{id}/ingestion-jobs/{job.GetProperty("id")}", HttpStatusCode.NotFound);
        await stranger.PostAsync($"/collections/{id}/ingestion-jobs/{job.GetProperty("id")}/cancel", null, HttpStatusCode.NotFound);
        await EndedAsync(collection, job);
    }

    [Fact]
    public async Task One_key_makes_one_job_and_refuses_another_file()
    {
        var collection = await CollectionAsync();
        var key = Guid.NewGuid().ToString();
        byte[] content = [.. "# Once\n\nOnly once."u8];
        var first = await _client.SendAsync("/ingest-file", [("once.md", content)], [("collection_id", collection)], idempotencyKey: key);
        var second = await _client.SendAsync("/ingest-file", [("once.md", content)], [("collection_id", collection)], idempotencyKey: key);
        second.GetProperty("id").GetInt64().ShouldBe(first.GetProperty("id").GetInt64());
        (await _client.SendAsync("/ingest-file", [("once.md", "other"u8.ToArray())], [("collection_id", collection)], HttpStatusCode.UnprocessableEntity, key)).Said("detail")!.ShouldContain("Idempotency-Key");
        (await _client.GetAsync($"/collections/{collection}/ingestion-jobs")).Count("total").ShouldBe(1);
        await EndedAsync(collection, first);
    }

    [Fact]
    public async Task The_interval_of_polling_is_told() => (await _client.GetAsync("/config/ingestion")).GetRawText().ShouldBe("""{"refresh_rate":3}""");

    [Theory]
    [InlineData("""{"source_type":"carrier_pigeon"}""", "carrier_pigeon")]
    [InlineData("""{}""", "source_type")]
    public async Task A_source_that_is_none_is_refused(string body, string named) => (await _client.PostAsync("/ingest-base", body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    private async Task<string> CollectionAsync()
    {
        var key = $"family-{Guid.NewGuid():n}";
        await app.Services.GetRequiredService<Database>().Worker.QueryAsync<object>("INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ('default', $1, $1)", key);
        return key;
    }

    private Task<JsonElement> EndedAsync(string collection, JsonElement job) =>
        _client.UntilAsync($"/collections/{collection}/ingestion-jobs/{job.GetProperty("id")}", j => j.Said("status") is "completed" or "failed" or "cancelled");
}

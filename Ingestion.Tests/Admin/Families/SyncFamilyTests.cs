using System.Net;
using System.Text.Json;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class SyncFamilyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private const string Result = """{ "descriptors_listed": 1, "items_fetched": 1, "items_skipped_incremental": 0, "items_ingested": 1, "items_failed": 0 }""";

    private readonly FamilyClient _client = new(app.Caller(AdminApp.Key));

    [Fact]
    public async Task Files_are_a_job_that_ends_with_five_counters()
    {
        var job = await _client.SendAsync("/v1/ingest/files/upload", [("a.md", "# A\n\nAlpha of the sync."u8.ToArray()), ("b.txt", "Beta of the sync."u8.ToArray()), ("c.pdf", "no pdf"u8.ToArray())],
            [("tenant_id", "default")], HttpStatusCode.Accepted);
        job.Said("job_type").ShouldBe("file_upload");
        job.Said("tenant_id").ShouldBe("default");
        job.Said("job_status").ShouldBeOneOf("queued", "processing", "done");
        job.GetProperty("job_payload_json").Said("tenant_id").ShouldBe("default");

        var ended = await EndedAsync(job.Said("job_id")!);
        ended.Said("job_status").ShouldBe("done");
        var result = ended.GetProperty("result_json");
        Shape.Differences(Result, result).ShouldBeEmpty();
        (result.Count("descriptors_listed"), result.Count("items_ingested"), result.Count("items_failed"), result.Count("items_skipped_incremental")).ShouldBe((3, 2, 1, 0));
        result.Count("items_fetched").ShouldBe(3);
        ended.GetProperty("error_message").ValueKind.ShouldBe(JsonValueKind.Null);
        (await _client.GetAsync($"/v1/jobs/{job.Said("job_id")}")).Said("job_id").ShouldBe(job.Said("job_id"));
    }

    [Fact]
    public async Task What_has_not_changed_is_skipped_and_counted_so()
    {
        byte[] content = [.. "# Same\n\nThe same as before, in full."u8];
        await EndedAsync((await _client.SendAsync("/v1/ingest/files/upload", [("same.md", content)], [("tenant_id", "default")], HttpStatusCode.Accepted)).Said("job_id")!);
        var again = await EndedAsync((await _client.SendAsync("/v1/ingest/files/upload", [("same.md", content)], [("tenant_id", "default")], HttpStatusCode.Accepted)).Said("job_id")!);
        again.Said("job_status").ShouldBe("done");
        var result = again.GetProperty("result_json");
        (result.Count("items_skipped_incremental"), result.Count("items_fetched"), result.Count("items_ingested")).ShouldBe((1, 0, 0));
    }

    [Fact]
    public async Task Files_of_which_none_can_be_read_end_in_error()
    {
        var job = await _client.SendAsync("/v1/ingest/files/upload", [("broken.pdf", "%PDF-1.7 and nothing more"u8.ToArray())], null, HttpStatusCode.Accepted);
        var ended = await EndedAsync(job.Said("job_id")!);
        ended.Said("job_status").ShouldBe("error");
        ended.Said("error_message").ShouldNotBeNullOrWhiteSpace();
        ended.GetProperty("result_json").Count("items_failed").ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"source_types":["confluence"]}""", "tenant_id")]
    [InlineData("""{"tenant_id":"default"}""", "source_types")]
    [InlineData("""{"tenant_id":"default","source_types":[]}""", "source_types")]
    [InlineData("""{"tenant_id":"default","source_types":["carrier_pigeon"]}""", "carrier_pigeon")]
    [InlineData("""{"tenant_id":"default","source_types":["upload"]}""", "source_types[0]")]
    [InlineData("""{"tenant_id":"default","source_types":"confluence"}""", "source_types")]
    [InlineData("""{"tenant_id":7,"source_types":["confluence"]}""", "tenant_id")]
    [InlineData("""{"tenant_id":"default","source_types":["confluence"],"colour":"red"}""", "colour")]
    [InlineData("", "tenant_id")]
    public async Task What_does_not_fit_is_refused_by_name(string body, string named) => (await _client.PostAsync("/v1/ingest/sources/sync", body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    [Fact]
    public async Task Another_tenant_is_answered_as_one_that_does_not_exist()
    {
        (await _client.PostAsync("/v1/ingest/sources/sync", new { tenant_id = "elsewhere", source_types = new[] { "confluence" } }, HttpStatusCode.NotFound)).Said("detail")!.ShouldContain("elsewhere");
        await _client.SendAsync("/v1/ingest/files/upload", [("a.md", "# A"u8.ToArray())], [("tenant_id", "elsewhere")], HttpStatusCode.NotFound);
        (await _client.GetAsync("/v1/ingest/jobs/job_aaaaaaaaaaaaaaaa", HttpStatusCode.NotFound)).Said("detail")!.ShouldContain("job_aaaaaaaaaaaaaaaa");
    }

    [Theory]
    [InlineData("confluence")]
    [InlineData("file_catalog")]
    public async Task A_source_that_is_not_configured_is_accepted_and_ends_in_error_saying_so(string type)
    {
        var job = await _client.PostAsync("/v1/ingest/sources/sync", new { tenant_id = "default", source_types = new[] { type } }, HttpStatusCode.Accepted);
        job.Said("job_type").ShouldBe("source_sync");
        job.GetProperty("job_payload_json").GetProperty("source_types").EnumerateArray().Single().GetString().ShouldBe(type);
        var ended = await EndedAsync(job.Said("job_id")!);
        ended.Said("job_status").ShouldBe("error");
        ended.Said("error_message").ShouldNotBeNullOrWhiteSpace();
        var result = ended.GetProperty("result_json");
        result.Count("descriptors_listed").ShouldBe(0);
        result.GetProperty("errors").EnumerateArray().Single().Said("source_type").ShouldBe(type);
    }

    private Task<JsonElement> EndedAsync(string id) => _client.UntilAsync($"/v1/ingest/jobs/{id}", j => j.Said("job_status") is "done" or "error");
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.OpenApi;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class LibraryApiTests(AdminApp app) : IClassFixture<AdminApp>
{
    private readonly HttpClient _http = app.Caller(AdminApp.Key);
    private readonly FamilyClient _client = new(app.Caller(AdminApp.Key));

    [Fact]
    public async Task A_collection_is_made_once_found_and_named_anew()
    {
        var key = $"made-{Guid.NewGuid():n}";
        var made = await _client.PostAsync("/api/v1/collections", new { key, name = "Made", description = "By a program" }, HttpStatusCode.Created);
        Shape.Differences(ApiExamples.Text("collection").Replace("\"text-embedding-3-large\"", "null", StringComparison.Ordinal).Replace("\"2026-01-15T10:31:12Z\"", "null", StringComparison.Ordinal), made).ShouldBeEmpty();
        (await _client.PostAsync("/api/v1/collections", new { key, name = "Made", description = "By a program" }, HttpStatusCode.Conflict)).Said("detail")!.ShouldContain(key);
        using var change = await _http.PatchAsJsonAsync($"/api/v1/collections/{key}", new { name = "Renamed" });
        var renamed = JsonSerializer.Deserialize<JsonElement>(await change.Content.ReadAsStringAsync());
        (renamed.Said("name"), renamed.Said("description")).ShouldBe(("Renamed", "By a program"));
        (await _client.GetAsync($"/api/v1/collections?q={key}&sort=documents")).GetProperty("collections").EnumerateArray().Single().Said("name").ShouldBe("Renamed");
    }

    [Theory]
    [InlineData("""{"key":"a"}""", "name")]
    [InlineData("""{"name":"x","key":"Not A Key"}""", "key")]
    [InlineData("""{"name":"x","colour":"red"}""", "colour")]
    [InlineData("""{"name":7}""", "name")]
    [InlineData("""[]""", "object")]
    public async Task A_collection_that_does_not_fit_is_refused_by_name(string body, string named) =>
        (await _client.PostAsync("/api/v1/collections", body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    [Fact]
    public async Task A_document_is_read_with_its_versions_and_chunks()
    {
        var seed = new LibrarySeed(app.Services.GetRequiredService<Database>());
        var key = $"read-{Guid.NewGuid():n}";
        await seed.CollectionAsync("default", key);
        var old = await seed.DocumentAsync("Old title", ["one"], collection: key);
        var document = await seed.VersionAsync(old, "New title", ["one", "two", "three"], """{"team":"sales"}""");

        var page = await _client.GetAsync($"/api/v1/collections/{key}/documents?sort=title&q=new");
        page.Count("total").ShouldBe(1);
        Shape.Differences(ApiExamples.Text("documents"), page).ShouldBeEmpty();
        var found = await _client.GetAsync($"/api/v1/documents/{document.Document}");
        found.GetProperty("published_version_id").GetInt64().ShouldBe(document.Version);
        found.GetProperty("versions").EnumerateArray().Select(v => v.Said("title")).ShouldBe(["New title", "Old title"]);
        (await _client.GetAsync($"/api/v1/documents/{document.Document}/versions")).GetProperty("versions").GetArrayLength().ShouldBe(2);
        var chunks = await _client.GetAsync($"/api/v1/documents/{document.Version}/chunks?skip=1&take=1");
        chunks.Count("total").ShouldBe(3);
        chunks.GetProperty("chunks").EnumerateArray().Single().Said("text").ShouldBe("two");
        await _client.GetAsync("/api/v1/documents/999999999", HttpStatusCode.NotFound);
        await _client.GetAsync("/api/v1/documents/999999999/chunks", HttpStatusCode.NotFound);
        (await _client.GetAsync($"/api/v1/collections/{key}/documents?sort=colour", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("sort");
    }

    [Fact]
    public async Task One_thing_is_not_sent_again_while_it_is_the_same()
    {
        using var first = await _http.GetAsync("/api/v1/collections/default");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/collections/default");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var same = await _http.SendAsync(request);
        same.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        using var rename = await _http.PatchAsJsonAsync("/api/v1/collections/default", new { description = Guid.NewGuid().ToString() });
        using var again = new HttpRequestMessage(HttpMethod.Get, "/api/v1/collections/default");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var changed = await _http.SendAsync(again);
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_a_batch_waits_for_is_told_in_groups()
    {
        await using var database = new Database(app.ConnectionString);
        var make = new Make(database.Worker);
        // Paused once it has documents: the program that runs ends a batch that has none.
        var batch = await make.Batch(Core.Pipeline.BatchState.Pending, Core.Pipeline.DesiredState.Pause);
        await make.Task(batch);
        await make.Task(batch);
        await database.Worker.QueryAsync<long>("UPDATE ingestion.import_batch SET state = 'paused' WHERE id = $1", batch);
        var id = (await database.Worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single();
        var group = (await _client.GetAsync($"/api/v1/batches/{id}/waiting")).GetProperty("waiting").EnumerateArray().Single();
        (group.Said("reason"), group.Count("count"), group.Said("sentence")).ShouldBe(("batch_paused", 2, "The batch is paused."));
        await _client.GetAsync("/api/v1/batches/job_aaaaaaaaaaaaaaaa/waiting", HttpStatusCode.NotFound);
    }
}

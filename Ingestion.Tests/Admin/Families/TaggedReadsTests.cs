using System.Net;
using System.Net.Http.Headers;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

public sealed class TaggedReadsTests(AdminApp app) : IClassFixture<AdminApp>
{
    private static readonly string[] Families = ["/batch/", "/ingest/", "/config/", "/collections/", "/v1/"];

    // What stays open, and what comes as a file of any length.
    private static readonly string[] Untagged = ["/batch/ws/{user_id}", "/ingest/jobs/{id}/stream", "/v1/admin/bulk-import/batches/{id}/export"];

    [Fact]
    public async Task Every_read_of_the_families_is_tagged_and_not_sent_again_while_it_is_the_same()
    {
        using var http = app.Caller(AdminApp.Key);
        await using var database = new Database(app.ConnectionString);
        var (batch, id) = await HeldBatch.MakeAsync(database.Worker, "somebody", BatchState.Completed);
        var item = await new Make(database.Worker).Item(batch, ItemState.Done);
        var reads = RouteRules.All.Where(r => !r.IsPage && r.Covers("GET") && Families.Any(f => r.Pattern.StartsWith(f, StringComparison.Ordinal)) && !Untagged.Contains(r.Pattern))
            .Select(r => r.Pattern.Replace("{collection_id}", "default").Replace("{job_id:long}", $"{item}").Replace("{job_id}", id).Replace("{id}", id)).ToList();
        reads.Count.ShouldBe(14);

        var tags = new Dictionary<string, EntityTagHeaderValue>();
        foreach (var path in reads)
        {
            using var first = await http.GetAsync(path);
            first.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            tags[path] = first.Headers.ETag.ShouldNotBeNull(path);
            using var same = await AgainAsync(http, path, tags[path]);
            (same.StatusCode, (await same.Content.ReadAsByteArrayAsync()).Length).ShouldBe((HttpStatusCode.NotModified, 0), path);
        }

        await database.Worker.QueryAsync<object>("UPDATE ingestion.import_batch SET name = 'Another' WHERE id = $1", batch);
        using var changed = await AgainAsync(http, $"/batch/jobs/{id}", tags[$"/batch/jobs/{id}"]);
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
        changed.Headers.ETag.ShouldNotBe(tags[$"/batch/jobs/{id}"]);
    }

    private static async Task<HttpResponseMessage> AgainAsync(HttpClient http, string path, EntityTagHeaderValue tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { tag } } };
        return await http.SendAsync(request);
    }
}

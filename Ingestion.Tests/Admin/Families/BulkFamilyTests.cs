using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary><c>/ingest</c> as its clients speak it.</summary>
public sealed class BulkFamilyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private readonly HttpClient _client = app.Caller(AdminApp.Key);

    [Fact]
    public async Task Array_of_items_starts_at_once()
    {
        var upload = await UploadAsync("notes.md", "# Notes\n\nA bare array of a file and an address.");
        using var answer = await PostAsync($$$"""[{"type":"upload","source":"{{{upload}}}","metadata":{"raga":"bhairavi","year":1790}},{"type":"url","source":"http://127.0.0.1:1/","metadata":{"kind":"page"}}]""");
        answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var submitted = await JsonAsync(answer);
        submitted.EnumerateObject().Select(p => p.Name).ShouldBe(["job_id", "status"]);
        submitted.GetProperty("status").GetString().ShouldNotBe("pending");
        var job = await EndedAsync(submitted.GetProperty("job_id").GetString()!);
        job.GetProperty("status").GetString().ShouldBe("completed");
        job.GetProperty("download_status").GetString().ShouldBe("completed");
        job.GetProperty("overall_percent").GetRawText().ShouldBe("100");
        job.GetProperty("download").GetProperty("text").GetString().ShouldBe("Downloading 2/2");
        job.GetProperty("ingestion").GetProperty("text").GetString().ShouldBe("Ingested 2/2");
        var documents = job.GetProperty("documents").EnumerateArray().ToDictionary(d => d.GetProperty("type").GetString()!);
        documents["upload"].GetProperty("status").GetString().ShouldBe("COMPLETED");
        documents["upload"].GetProperty("finished").GetBoolean().ShouldBeTrue();
        documents["upload"].GetProperty("metadata").GetProperty("raga").GetString().ShouldBe("bhairavi");
        documents["upload"].GetProperty("metadata").GetProperty("year").GetString().ShouldBe("1790");
        documents["url"].GetProperty("metadata").GetProperty("kind").GetString().ShouldBe("page");
        var failure = job.GetProperty("failures").EnumerateArray().ShouldHaveSingleItem();
        failure.GetProperty("status").GetString().ShouldBe("FAILED");
        failure.GetProperty("code").GetString().ShouldBe("blocked_url");
        failure.GetProperty("reason").GetString().ShouldNotBeNullOrWhiteSpace();
        failure.GetProperty("remedy").GetString().ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public async Task Object_names_the_job_and_its_options()
    {
        using var answer = await PostAsync("""{"name":"A named job","collection":"default","options":{"chunk_size":300,"chunk_overlap":30},"items":[{"type":"url","source":"http://127.0.0.1:1/"}]}""");
        var id = (await JsonAsync(answer)).GetProperty("job_id").GetString()!;
        (await EndedAsync(id)).GetProperty("name").GetString().ShouldBe("A named job");
        using var own = await _client.GetAsync($"/api/v1/batches/{id}");
        (await JsonAsync(own)).GetProperty("options").GetProperty("chunk_size").GetInt32().ShouldBe(300);
    }

    [Fact]
    public async Task Form_brings_its_files_along()
    {
        using var form = Form("""[{"type":"upload","source":"first"},{"type":"upload","source":"second.md","metadata":{"a":"b"}}]""", ("first", "first.md", "# First"), ("other", "second.md", "# Second"));
        using var answer = await _client.PostAsync("/ingest/bulk", form);
        var job = await EndedAsync((await JsonAsync(answer)).GetProperty("job_id").GetString()!);
        job.GetProperty("documents").EnumerateArray().Select(d => d.GetProperty("source").GetString()).ShouldBe(["first.md", "second.md"], ignoreOrder: true);
        job.GetProperty("documents").EnumerateArray().ShouldAllBe(d => d.GetProperty("status").GetString() == "COMPLETED" || d.GetProperty("status").GetString() == "SKIPPED");
    }

    [Fact]
    public async Task Form_sent_again_with_its_key_is_the_same_job_whatever_its_borders()
    {
        var key = Guid.NewGuid().ToString();
        async Task<HttpResponseMessage> SendAsync(string content)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/ingest/bulk") { Content = Form("""[{"type":"upload","source":"f"}]""", ("f", "same.md", content)) };
            request.Headers.Add("Idempotency-Key", key);
            return await _client.SendAsync(request);
        }
        using var one = await SendAsync("# Same");
        using var two = await SendAsync("# Same");
        (await JsonAsync(one)).GetProperty("job_id").GetString().ShouldBe((await JsonAsync(two)).GetProperty("job_id").GetString());
        using var other = await SendAsync("# Other");
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Theory]
    [InlineData("""[]""", "items")]
    [InlineData("""{"name":"x"}""", "items")]
    [InlineData("""[{"source":"http://a.test/"}]""", "items[0].type")]
    [InlineData("""[{"type":"ftp","source":"a"}]""", "ftp")]
    [InlineData("""[{"type":"url"}]""", "items[0].source")]
    [InlineData("""[{"type":"url","source":"http://a.test/","metadata":{"a":{"b":1}}}]""", "items[0].metadata.a")]
    [InlineData("""[{"type":"url","source":"http://a.test/","colour":"red"}]""", "items[0].colour")]
    [InlineData("""[{"type":"upload","source":"up_missing"}]""", "upload")]
    [InlineData("""{"items":[{"type":"url","source":"http://a.test/"}],"options":{"chunk_size":5}}""", "chunk_size")]
    [InlineData("""{"items":[{"type":"url","source":"http://a.test/"}],"colour":"red"}""", "colour")]
    [InlineData("""7""", "object")]
    [InlineData("", "JSON")]
    public async Task What_does_not_fit_is_refused_by_name(string body, string named)
    {
        using var answer = await PostAsync(body);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await JsonAsync(answer)).GetProperty("detail").GetString()!.ShouldContain(named);
    }

    [Fact]
    public async Task Form_without_items_leaves_no_file_behind()
    {
        using var form = new MultipartFormDataContent { { new StringContent("x"), "f", "left.md" } };
        using var answer = await _client.PostAsync("/ingest/bulk", form);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await JsonAsync(answer)).GetProperty("detail").GetString()!.ShouldContain("items");
        Directory.GetFiles(Path.Combine(app.Data, "work"), "form-*").ShouldBeEmpty();
    }

    [WireExampleFact]
    public async Task Progress_has_the_shape_of_its_example()
    {
        using var answer = await PostAsync("""[{"type":"url","source":"http://127.0.0.1:1/"}]""");
        var example = WireExamples.Json("000", "overall_percent");
        (await EndedAsync((await JsonAsync(answer)).GetProperty("job_id").GetString()!)).ShouldHaveTheShapeOf(example);
        // Of ten documents five fetched and one ingested: the figures are those of the counts.
        var counts = Core.Pipeline.BatchCounts.None with { Total = 10, Open = 9, Done = 1, Acquired = 5 };
        (counts.DownloadPercent, counts.PercentTerminal, counts.OverallPercent).ShouldBe(
            (example.GetProperty("download").GetProperty("percent").GetDouble(), example.GetProperty("ingestion").GetProperty("percent").GetDouble(), example.GetProperty("overall_percent").GetDouble()));
    }

    private static MultipartFormDataContent Form(string items, params (string Name, string File, string Content)[] files)
    {
        var form = new MultipartFormDataContent { { new StringContent(items), "items" } };
        foreach (var (name, file, content) in files) form.Add(new StringContent(content), name, file);
        return form;
    }

    private async Task<string> UploadAsync(string path, string content)
    {
        using var answer = await _client.PostAsync($"/api/v1/uploads/file?path={path}", new ByteArrayContent(Encoding.UTF8.GetBytes(content)));
        return (await JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    private Task<HttpResponseMessage> PostAsync(string json) => _client.PostAsync("/ingest/bulk", new StringContent(json, Encoding.UTF8, "application/json"));

    private async Task<JsonElement> EndedAsync(string id)
    {
        JsonElement job = default;
        await Eventually.IsAsync(async () =>
        {
            using var answer = await _client.GetAsync($"/ingest/jobs/{id}");
            job = await JsonAsync(answer);
            return job.GetProperty("status").GetString() is "completed" or "failed";
        }, "the job has ended", 60);
        return job;
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer) => JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
}

using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Every request and answer that the description of <c>/batch</c> prints: shape, types, and the values that the request determines.</summary>
public sealed class JobExamplesTests : IAsyncLifetime
{
    private const string User = "user123";
    private readonly LiveApp _app = new(("Ingestion:Access:CompatUser", User));
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _client = _app.Anonymous();
        foreach (var (key, kind, settings) in new[]
        {
            ("gdrive_conn_1", "google_drive", "{}"), ("local_zip_conn_1", "local_zip", """{"path":"/nowhere/papers.zip"}"""), ("conn1", "local_directory", """{"path":"/nowhere"}"""),
        })
            await SourceConnections.AddAsync(_app.Worker, key, kind, settings);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [WireExampleFact]
    public async Task Creation_answers_with_the_job_as_printed()
    {
        var request = WireExamples.Json("001", "\"file_selections\"");
        var example = WireExamples.Json("001", "\"estimated_duration_ms\": 150000,\n  \"source_progress\": [\n");
        var job = await PostAsync("/batch/jobs", request);
        job.ShouldHaveTheShapeOf(example);
        foreach (var determined in new[] { "user_id", "name", "description", "status", "priority", "total_files", "completed_files", "failed_files", "skipped_files", "progress_percentage", "estimated_duration_ms" })
            job.GetProperty(determined).GetRawText().ShouldBe(example.GetProperty(determined).GetRawText(), determined);
        var (sources, printed, selected) = (job.GetProperty("source_progress"), example.GetProperty("source_progress"), request.GetProperty("file_selections"));
        sources.GetArrayLength().ShouldBe(2);
        for (var i = 0; i < 2; i++)
        {
            foreach (var determined in new[] { "source_type", "connection_id", "total_files", "completed_files", "failed_files", "skipped_files", "progress_percentage" })
                sources[i].GetProperty(determined).GetRawText().ShouldBe(printed[i].GetProperty(determined).GetRawText(), determined);
            sources[i].GetProperty("files").EnumerateArray().Select(f => f.GetProperty("file_id").GetString()).ShouldBe(selected[i].GetProperty("file_ids").EnumerateArray().Select(f => f.GetString()));
        }
        // What it was asked to do is kept as it was asked.
        using var own = await _client.GetAsync($"/api/v1/batches/{job.GetProperty("job_id").GetString()}");
        var options = JsonSerializer.Deserialize<JsonElement>(await own.Content.ReadAsStringAsync()).GetProperty("options");
        foreach (var option in request.GetProperty("processing_options").EnumerateObject()) options.GetProperty(option.Name).GetRawText().ShouldBe(option.Value.GetRawText(), option.Name);
    }

    [WireExampleFact]
    public async Task Job_is_started_and_shown_as_printed()
    {
        var id = (await PostAsync("/batch/jobs", WireExamples.Json("001", "\"file_selections\""))).GetProperty("job_id").GetString();
        var answer = await PostAsync($"/batch/jobs/{id}/control", WireExamples.Json("001", "\"retry_failed_only\""));
        answer.GetRawText().ShouldBe(JsonSerializer.Serialize(WireExamples.Json("001", "\"Job start successful\"")));
        JsonElement job = default;
        await Eventually.IsAsync(async () =>
        {
            using var shown = await _client.GetAsync($"/batch/jobs/{id}?user_id={User}");
            job = JsonSerializer.Deserialize<JsonElement>(await shown.Content.ReadAsStringAsync());
            return job.GetProperty("started_at").ValueKind == JsonValueKind.String;
        }, "it is at work");
        job.ShouldHaveTheShapeOf(WireExamples.Json("001", "\"started_at\""));
    }

    [WireExampleFact]
    public async Task Lists_and_statistics_are_as_printed()
    {
        var (_, id) = await _app.BatchAsync(User);
        var list = await PostAsync("/batch/jobs/list", WireExamples.Json("001", "\"status_filter\""));
        var example = WireExamples.Json("001", "\"has_more\"");
        list.ShouldHaveTheShapeOf(example);
        list.GetProperty("total_jobs").GetInt32().ShouldBe(1);
        list.GetProperty("jobs")[0].GetProperty("job_id").GetString().ShouldBe(id);

        using var answer = await _client.GetAsync($"/batch/statistics?user_id={User}");
        var statistics = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        // The keys of the maps are those of whoever's jobs are counted.
        foreach (var member in WireExamples.Json("001", "\"active_jobs\"").EnumerateObject()) statistics.GetProperty(member.Name).ValueKind.ShouldBe(member.Value.ValueKind, member.Name);
        statistics.GetProperty("active_jobs").GetInt32().ShouldBe(1);
        statistics.GetProperty("by_status").GetProperty("running").GetInt32().ShouldBe(1);
    }

    [WireExampleFact]
    public async Task Every_option_that_is_printed_is_taken()
    {
        var options = WireExamples.Parse(WireExamples.Blocks("001", "json").Single(b => b.Contains("\"extract_math\"", StringComparison.Ordinal)));
        var job = await PostAsync("/batch/jobs", JsonSerializer.SerializeToElement(new
        {
            name = "options", processing_options = options, file_selections = new[] { new { connection_id = "conn1", source_type = "local_directory", file_ids = new[] { "file1.pdf" } } },
        }));
        job.GetProperty("total_files").GetInt32().ShouldBe(1);
        using var own = await _client.GetAsync($"/api/v1/batches/{job.GetProperty("job_id").GetString()}");
        var kept = JsonSerializer.Deserialize<JsonElement>(await own.Content.ReadAsStringAsync()).GetProperty("options");
        foreach (var option in options.EnumerateObject()) kept.GetProperty(option.Name).GetRawText().ShouldBe(option.Value.GetRawText(), option.Name);
    }

    [WireExampleFact]
    public async Task Errors_hold_a_detail()
    {
        var example = WireExamples.Parse(WireExamples.Blocks("001", "json").Single(b => b.Contains("\"detail\"", StringComparison.Ordinal)));
        foreach (var (path, body, status) in new[]
        {
            ("/batch/jobs", """{"name":"x","file_selections":[{"connection_id":"nowhere","source_type":"local_directory","file_ids":["a.pdf"]}]}""", HttpStatusCode.BadRequest),
            ("/batch/jobs/job_abc123/control", """{"user_id":"user123","action":"start"}""", HttpStatusCode.NotFound),
        })
        {
            using var answer = await _client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
            answer.StatusCode.ShouldBe(status);
            JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).ShouldHaveTheShapeOf(example);
        }
    }

    private async Task<JsonElement> PostAsync(string path, JsonElement body)
    {
        using var answer = await _client.PostAsync(path, new StringContent(body.GetRawText(), Encoding.UTF8, "application/json"));
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }
}

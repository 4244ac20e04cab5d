using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary><c>/batch</c> as its clients speak it.</summary>
public sealed class JobFamilyTests(AdminApp app) : IClassFixture<AdminApp>
{
    // Refused by the rules for addresses: a job of these ends without any network.
    private const string Refused = """{"source_type":"url","file_ids":["http://127.0.0.1:1/a","http://127.0.0.1:1/b"]}""";

    [Fact]
    public async Task Job_is_created_started_watched_listed_and_counted()
    {
        var (person, client) = await CallerAsync();
        var created = await PostAsync(client, "/batch/jobs", $$$"""{"user_id":"{{{person.Id}}}","name":"Two addresses","description":"of this machine","priority":"high","file_selections":[{{{Refused}}}],"processing_options":{"chunk_size":500,"chunk_overlap":50}}""");
        var id = created.GetProperty("job_id").GetString()!;
        id.ShouldStartWith("job_");
        created.GetProperty("status").GetString().ShouldBe("pending", "it waits for its start");
        created.GetProperty("user_id").GetString().ShouldBe(person.Id);
        created.GetProperty("priority").GetString().ShouldBe("high");
        created.GetProperty("total_files").GetInt32().ShouldBe(2);
        created.GetProperty("progress_percentage").GetRawText().ShouldBe("0.0");
        created.GetProperty("created_at").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$");
        created.GetProperty("embedding_model_used").GetString().ShouldNotBeNullOrEmpty();
        var source = created.GetProperty("source_progress").EnumerateArray().ShouldHaveSingleItem();
        source.GetProperty("source_type").GetString().ShouldBe("url");
        source.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("file_id").GetString()).ShouldBe(["http://127.0.0.1:1/a", "http://127.0.0.1:1/b"]);
        source.GetProperty("files")[0].GetProperty("status").GetString().ShouldBe("pending");

        (await ControlAsync(client, id, person.Id, "start")).GetProperty("message").GetString().ShouldBe("Job start successful");
        var ended = await EndedAsync(client, id);
        ended.GetProperty("status").GetString().ShouldBe("failed");
        ended.GetProperty("failed_files").GetInt32().ShouldBe(2);
        ended.GetProperty("progress_percentage").GetRawText().ShouldBe("100.0");
        ended.GetProperty("source_progress")[0].GetProperty("failed_files").GetInt32().ShouldBe(2);
        ended.GetProperty("source_progress")[0].GetProperty("files")[0].GetProperty("error_code").GetString().ShouldBe("blocked_url");
        (await GetAsync(client, $"/batch/jobs/{id}?files_limit=1&files_offset=1")).GetProperty("source_progress")[0].GetProperty("files").EnumerateArray().ShouldHaveSingleItem().GetProperty("file_id").GetString().ShouldEndWith("/b");

        var list = await PostAsync(client, "/batch/jobs/list", $$"""{"user_id":"{{person.Id}}","status_filter":["failed","completed"],"limit":10,"offset":0}""");
        list.GetProperty("jobs").EnumerateArray().ShouldHaveSingleItem().GetProperty("job_id").GetString().ShouldBe(id);
        list.GetProperty("total_jobs").GetInt32().ShouldBe(1);
        list.GetProperty("has_more").GetBoolean().ShouldBeFalse();
        (await PostAsync(client, "/batch/jobs/list", """{"status_filter":["running"]}""")).GetProperty("total_jobs").GetInt32().ShouldBe(0);

        var statistics = await GetAsync(client, $"/batch/statistics?user_id={person.Id}");
        statistics.GetProperty("total_jobs").GetInt32().ShouldBe(1);
        statistics.GetProperty("failed_jobs").GetInt32().ShouldBe(1);
        statistics.GetProperty("total_files_processed").GetInt64().ShouldBe(2);
        statistics.GetProperty("by_source_type").GetProperty("url").GetInt64().ShouldBe(2);
        statistics.GetProperty("success_rate").GetRawText().ShouldBe("0.0");

        (await ControlAsync(client, id, person.Id, "retry")).GetProperty("success").GetBoolean().ShouldBeTrue();
        await EndedAsync(client, id);
    }

    [Fact]
    public async Task Statistics_add_up_over_every_state()
    {
        var (person, client) = await CallerAsync();
        var make = new Make(Worker);
        var expected = new List<string>();
        foreach (var state in Enum.GetValues<BatchState>())
        {
            var (batch, _) = await HeldBatch.MakeAsync(Worker, person.Id, state, state is BatchState.Failed ? Priority.Urgent : Priority.Normal);
            expected.Add(state.ToString().ToLowerInvariant());
            foreach (var ended in state == BatchState.Completed ? [ItemState.Done, ItemState.Done, ItemState.Skipped, ItemState.Failed, ItemState.Cancelled] : Array.Empty<ItemState>()) await make.Item(batch, ended);
        }
        var s = await GetAsync(client, "/batch/statistics");
        s.GetProperty("total_jobs").GetInt32().ShouldBe(8);
        s.GetProperty("active_jobs").GetInt32().ShouldBe(4, "queued, running, paused, retrying");
        // The queued one may have been let in meanwhile.
        var states = s.GetProperty("by_status").EnumerateObject().Select(p => (p.Name, Count: p.Value.GetInt32())).ToList();
        states.Where(p => p.Name is "queued" or "running").Sum(p => p.Count).ShouldBe(2);
        states.Where(p => p.Name is not ("queued" or "running")).ShouldBe(expected.Where(e => e is not ("queued" or "running")).Select(e => (e, 1)), ignoreOrder: true);
        s.GetProperty("by_priority").EnumerateObject().Sum(p => p.Value.GetInt32()).ShouldBe(8);
        s.GetProperty("by_source_type").EnumerateObject().Sum(p => p.Value.GetInt64()).ShouldBe(s.GetProperty("total_files_processed").GetInt64());
        s.GetProperty("success_rate").GetRawText().ShouldBe("80.0");
    }

    [Fact]
    public async Task Every_state_is_told_by_its_own_word()
    {
        var (person, client) = await CallerAsync();
        foreach (var state in Enum.GetValues<BatchState>())
        {
            var (_, id) = await HeldBatch.MakeAsync(Worker, person.Id, state);
            // One that is queued may be let in at any moment.
            string[] words = state == BatchState.Queued ? ["queued", "running"] : [state.ToString().ToLowerInvariant()];
            (await GetAsync(client, $"/batch/jobs/{id}?user_id={person.Id}")).GetProperty("status").GetString().ShouldBeOneOf(words);
            (await GetAsync(client, $"/ingest/jobs/{id}")).GetProperty("status").GetString().ShouldBeOneOf(words);
        }
    }

    [Theory]
    [InlineData("""{"file_selections":[{"source_type":"url","file_ids":["http://a.test/"]}]}""", "name")]
    [InlineData("""{"name":"x"}""", "file_selections")]
    [InlineData("""{"name":"x","file_selections":[]}""", "file_selections")]
    [InlineData("""{"name":"x","file_selections":[{"file_ids":["a"]}]}""", "file_selections[0].source_type")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"gopher","file_ids":["a"]}]}""", "gopher")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":[]}]}""", "file_selections[0].file_ids")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url"}]}""", "file_selections[0].file_ids")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":[7]}]}""", "file_selections[0].file_ids[0]")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":["a"],"colour":1}]}""", "colour")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":["http://a.test/"]}],"processing_options":{"chunk_size":5}}""", "chunk_size")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":["http://a.test/"]}],"processing_options":{"chunk_sise":5}}""", "chunk_sise")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"url","file_ids":["http://a.test/"]}],"priority":"soon"}""", "priority")]
    [InlineData("""{"name":"x","file_selections":[{"source_type":"upload","file_ids":["up_missing"]}]}""", "upload")]
    [InlineData("""{"name":"x","nmae":"y"}""", "nmae")]
    [InlineData("""[]""", "object")]
    [InlineData("""{"name":""", "JSON")]
    public async Task What_does_not_fit_is_400_by_name_and_creates_nothing(string body, string named)
    {
        var (_, client) = await CallerAsync();
        using var answer = await client.PostAsync("/batch/jobs", Body(body));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await DetailAsync(answer)).ShouldContain(named);
        (await PostAsync(client, "/batch/jobs/list", "{}")).GetProperty("total_jobs").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task Foreign_and_unknown_jobs_and_users_are_not_there()
    {
        var (owner, owning) = await CallerAsync();
        var (other, asking) = await CallerAsync();
        var id = (await PostAsync(owning, "/batch/jobs", $$"""{"name":"Mine","file_selections":[{{Refused}}]}""")).GetProperty("job_id").GetString()!;
        foreach (var path in new[] { $"/batch/jobs/{id}?user_id={other.Id}", $"/batch/jobs/{id}?user_id={owner.Id}", $"/batch/jobs/job_aaaaaaaaaaaaaaaa?user_id={other.Id}", $"/batch/statistics?user_id={owner.Id}" })
        {
            using var answer = await asking.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
            (await DetailAsync(answer)).ShouldNotBeNullOrWhiteSpace();
        }
        foreach (var (path, body) in new[]
        {
            ("/batch/jobs", $$"""{"user_id":"{{owner.Id}}","name":"x","file_selections":[{{Refused}}]}"""),
            ("/batch/jobs/list", $$"""{"user_id":"{{owner.Id}}"}"""),
            ($"/batch/jobs/{id}/control", $$"""{"user_id":"{{owner.Id}}","action":"start"}"""),
            ($"/batch/jobs/{id}/control", $$"""{"user_id":"{{other.Id}}","action":"start"}"""),
        })
        {
            using var answer = await asking.PostAsync(path, Body(body));
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }
        (await GetAsync(owning, $"/batch/jobs/{id}?user_id={owner.Id}")).GetProperty("status").GetString().ShouldBe("pending", "nobody started it");
    }

    [Fact]
    public async Task Administrator_acts_for_members_and_for_nobody_else()
    {
        var (person, own) = await CallerAsync();
        var (_, administrator) = await CallerAsync(Role.Administrator);
        var job = await PostAsync(administrator, "/batch/jobs", $$"""{"user_id":"{{person.Id}}","name":"For somebody","file_selections":[{{Refused}}]}""");
        job.GetProperty("user_id").GetString().ShouldBe(person.Id);
        (await GetAsync(own, $"/batch/jobs/{job.GetProperty("job_id").GetString()}?user_id={person.Id}")).GetProperty("name").GetString().ShouldBe("For somebody");
        using var nobody = await administrator.PostAsync("/batch/jobs", Body($$"""{"user_id":"usr_nobody","name":"x","file_selections":[{{Refused}}]}"""));
        nobody.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Control_that_makes_no_sense_is_400_with_the_reason()
    {
        var (person, client) = await CallerAsync();
        var id = (await PostAsync(client, "/batch/jobs", $$"""{"name":"x","file_selections":[{{Refused}}]}""")).GetProperty("job_id").GetString()!;
        foreach (var (action, reason) in new[] { ("resume", "pending"), ("explode", "action"), ("retry", "not been started") })
        {
            using var answer = await client.PostAsync($"/batch/jobs/{id}/control", Body($$"""{"user_id":"{{person.Id}}","action":"{{action}}"}"""));
            answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await DetailAsync(answer)).ShouldContain(reason);
        }
        foreach (var action in new[] { "start", "pause", "resume", "cancel" })
        {
            // It may have ended before it could be steered; then it says so.
            using var answer = await client.PostAsync($"/batch/jobs/{id}/control", Body($$"""{"user_id":"{{person.Id}}","action":"{{action}}"}"""));
            answer.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.BadRequest);
        }
    }

    [Fact]
    public async Task One_key_makes_one_job_and_refuses_another_body()
    {
        var (_, client) = await CallerAsync();
        client.DefaultRequestHeaders.Add("Idempotency-Key", Guid.NewGuid().ToString());
        var jobs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => PostAsync(client, "/batch/jobs", $$"""{"name":"once","file_selections":[{{Refused}}]}""")));
        jobs.Select(j => j.GetProperty("job_id").GetString()).Distinct().ShouldHaveSingleItem();
        using var other = await client.PostAsync("/batch/jobs", Body($$"""{"name":"twice","file_selections":[{{Refused}}]}"""));
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await DetailAsync(other)).ShouldContain("Idempotency-Key");
    }

    [Fact]
    public async Task List_is_in_pages()
    {
        var (_, client) = await CallerAsync();
        for (var i = 0; i < 3; i++) await PostAsync(client, "/batch/jobs", $$"""{"name":"job {{i}}","file_selections":[{{Refused}}]}""");
        var first = await PostAsync(client, "/batch/jobs/list", """{"limit":2}""");
        var second = await PostAsync(client, "/batch/jobs/list", """{"limit":2,"offset":2}""");
        (first.GetProperty("jobs").GetArrayLength(), first.GetProperty("has_more").GetBoolean(), first.GetProperty("total_jobs").GetInt32()).ShouldBe((2, true, 3));
        (second.GetProperty("jobs").GetArrayLength(), second.GetProperty("has_more").GetBoolean()).ShouldBe((1, false));
    }

    [WireExampleFact]
    public async Task Health_has_the_shape_of_its_example()
    {
        using var client = app.CreateClient();
        (await GetAsync(client, "/health")).ShouldHaveTheShapeOf(WireExamples.Json("001", "\"service\""));
    }

    private Npgsql.NpgsqlDataSource Worker => app.Services.GetRequiredService<Database>().Worker;

    private async Task<(Person Person, HttpClient Client)> CallerAsync(Role role = Role.Operator)
    {
        using var warm = app.CreateClient();
        var person = await new People(app.Services).MakeAsync(role);
        return (person, app.Caller(person.Key));
    }

    private static Task<JsonElement> ControlAsync(HttpClient client, string id, string user, string action) =>
        PostAsync(client, $"/batch/jobs/{id}/control", $$"""{"user_id":"{{user}}","action":"{{action}}","retry_failed_only":true}""");

    private static async Task<JsonElement> EndedAsync(HttpClient client, string id)
    {
        JsonElement job = default;
        await Eventually.IsAsync(async () =>
        {
            job = await GetAsync(client, $"/batch/jobs/{id}");
            return job.GetProperty("status").GetString() is "completed" or "failed" or "cancelled";
        }, "the job has ended");
        return job;
    }

    private static StringContent Body(string json) => new(json, Encoding.UTF8, "application/json");

    private static async Task<JsonElement> PostAsync(HttpClient client, string path, string json)
    {
        using var answer = await client.PostAsync(path, Body(json));
        return await OkAsync(answer);
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        return await OkAsync(answer);
    }

    private static async Task<JsonElement> OkAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static async Task<string> DetailAsync(HttpResponseMessage answer) =>
        JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).GetProperty("detail").GetString()!;
}

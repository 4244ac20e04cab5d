using System.Net;
using System.Text.Json;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Reviewing;

public sealed class ReviewApiTests(ReviewApp app) : IClassFixture<ReviewApp>
{
    private const string Root = "/api/v1/review";

    [Fact]
    public async Task What_waits_is_listed_counted_and_shown()
    {
        var (batch, _, reviews) = await app.BatchAsync(3);
        var list = await app.GetAsync($"{Root}?batch={batch}&sort=most_sure&take=2");
        list.Count("total").ShouldBe(3);
        list.GetProperty("reviews").EnumerateArray().Select(r => r.GetProperty("id").GetInt64()).ShouldBe([reviews[2], reviews[1]]);
        var counts = await app.GetAsync($"{Root}/counts?batch={batch}&min_confidence=0.4");
        counts.Count("total").ShouldBe(2);
        counts.GetProperty("reasons")[0].Said("reason").ShouldBe("uncertain");

        var one = await app.GetAsync($"{Root}/{reviews[0]}");
        one.GetProperty("fields")[0].GetProperty("candidates")[0].Said("key").ShouldBe("kalyani");
        using var first = await app.Client.GetAsync($"{Root}/{reviews[0]}");
        using var again = new HttpRequestMessage(HttpMethod.Get, $"{Root}/{reviews[0]}") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var same = await app.Client.SendAsync(again);
        same.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        await app.SendAsync("GET", $"{Root}/999999999", "", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_is_unsure_or_assigned_is_marked_and_found()
    {
        var (batch, _, reviews) = await app.BatchAsync(3);
        var unsure = await app.SendAsync("POST", $"{Root}/{reviews[1]}/decide", """{"action":"unsure","version":1,"reason":"Two readings."}""");
        (unsure.GetProperty("review").Said("state"), unsure.GetProperty("review").GetProperty("unsure").Said("reason")).ShouldBe(("open", "Two readings."));
        async Task<IEnumerable<long>> FoundAsync(string query) => (await app.GetAsync($"{Root}?batch={batch}&{query}")).GetProperty("reviews").EnumerateArray().Select(r => r.GetProperty("id").GetInt64());
        (await FoundAsync("unsure=true")).ShouldBe([reviews[1]]);
        (await FoundAsync("")).ShouldBe([reviews[0], reviews[2], reviews[1]], "what somebody was unsure of comes last");

        var filter = $$"""{"batch":"{{batch}}","unsure":false}""";
        (await app.SendAsync("POST", $"{Root}/assign", $$"""{"filter":{{filter}},"to":"me"}""")).Count("assigned").ShouldBe(2);
        (await FoundAsync("assigned_to=nobody")).ShouldBe([reviews[1]]);
        (await app.SendAsync("POST", $"{Root}/assign", $$"""{"filter":{{filter}},"to":null}""")).Count("assigned").ShouldBe(2);
        (await FoundAsync("assigned_to=nobody")).Count().ShouldBe(3);
        (await app.SendAsync("POST", $"{Root}/assign", $$"""{"filter":{{filter}},"to":"usr_stranger"}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("no such reviewer");
        await app.SendAsync("POST", $"{Root}/assign", """{"to":"me"}""", HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("state=waiting", "state")]
    [InlineData("reason=whim", "reason")]
    [InlineData("min_confidence=2", "min_confidence")]
    [InlineData("max_quality=NaN", "max_quality")]
    [InlineData("sort=best", "sort")]
    public async Task What_no_filter_knows_is_refused_by_name(string query, string named) =>
        (await app.SendAsync("GET", $"{Root}?{query}", "", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);

    [Fact]
    public async Task A_decision_names_the_version_and_the_second_is_told_what_the_first_did()
    {
        await LoadAsync("""{"entities":[{"key":"kalyani","name":"Kalyāni"},{"name":"Todi","aliases":["tODi"]}]}""");
        var (_, _, reviews) = await app.BatchAsync(1);
        var at = $"{Root}/{reviews[0]}/decide";
        (await app.SendAsync("POST", at, """{"action":"pick","version":1,"field":"raga","entity":"nobody"}""", HttpStatusCode.UnprocessableEntity)).Said("detail")!.ShouldContain("nobody");
        var picked = await app.SendAsync("POST", at, """{"action":"pick","version":1,"field":"raga","entity":"kalyani"}""");
        (picked.Said("message"), picked.GetProperty("review").Count("version")).ShouldBe(("raga is Kalyāni.", 2));
        await app.SendAsync("POST", at, """{"action":"approve","version":2}""");
        var late = await app.SendAsync("POST", at, """{"action":"reject","version":2,"reason":"No."}""", HttpStatusCode.Conflict);
        (late.Count("version"), late.Said("state"), late.Said("last_action"), late.Said("decided_by")).ShouldBe((3, "approved", "approve", "administrator"));
        (await app.SendAsync("POST", at, """{"action":"undo","version":3}""")).GetProperty("review").Said("state").ShouldBe("open");
        (await app.SendAsync("POST", at, """{"action":"new_entity","version":4,"field":"raga","name":"Sōma"}""")).GetProperty("review").GetProperty("fields")[0].Said("entity").ShouldBe("soma");
        (await app.SendAsync("POST", at, """{"action":"send_back","version":5,"stage":"parse","reason":"Tables."}""")).GetProperty("review").Said("state").ShouldBe("sent_back");
    }

    [Theory]
    [InlineData("""{"version":1}""", "action")]
    [InlineData("""{"action":"praise","version":1}""", "action")]
    [InlineData("""{"action":"approve"}""", "version")]
    [InlineData("""{"action":"reject","version":1}""", "reason")]
    [InlineData("""{"action":"pick","version":1,"field":"raga"}""", "entity")]
    [InlineData("""{"action":"approve","version":1,"field":"raga"}""", "field")]
    [InlineData("""{"action":"send_back","version":1,"stage":"nowhere"}""", "stage")]
    public async Task What_is_no_decision_is_refused_by_name(string body, string named)
    {
        var (_, _, reviews) = await app.BatchAsync(1);
        (await app.SendAsync("POST", $"{Root}/{reviews[0]}/decide", body, HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain(named);
    }

    [Fact]
    public async Task Many_are_looked_at_first_and_decided_once_for_each_key()
    {
        var (batch, _, _) = await app.BatchAsync(5);
        var filter = $$"""{"batch":"{{batch}}"}""";
        var dry = await app.SendAsync("POST", $"{Root}/bulk", $$"""{"action":"approve","filter":{{filter}},"dry_run":true}""");
        dry.Count("total").ShouldBe(5);
        (await app.GetAsync($"{Root}?batch={batch}")).Count("total").ShouldBe(5);
        (await app.SendAsync("POST", $"{Root}/bulk", $$"""{"action":"approve","filter":{{filter}},"total":4}""", HttpStatusCode.Conflict)).Count("total").ShouldBe(5);
        (await app.SendAsync("POST", $"{Root}/bulk", $$"""{"action":"reject","filter":{{filter}}}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("reason");
        (await app.SendAsync("POST", $"{Root}/bulk", """{"action":"approve"}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("filter");

        var body = $$"""{"action":"approve","filter":{{filter}},"total":5}""";
        var bulk = await app.SendAsync("POST", $"{Root}/bulk", body, HttpStatusCode.Accepted, key: "once-for-all");
        (await app.SendAsync("POST", $"{Root}/bulk", body, HttpStatusCode.Accepted, key: "once-for-all")).Said("id").ShouldBe(bulk.Said("id"));
        await Eventually.IsAsync(async () => (await app.GetAsync($"{Root}/bulk/{bulk.Said("id")}")).Said("state") == "done", "the bulk decision is done", 30);
        (await app.GetAsync($"{Root}/bulk/{bulk.Said("id")}")).Count("decided").ShouldBe(5);
        (await app.GetAsync($"{Root}/bulk")).GetProperty("bulks").EnumerateArray().Select(b => b.Said("id")).ShouldContain(bulk.Said("id"));
        (await app.GetAsync($"{Root}?batch={batch}&state=approved")).Count("total").ShouldBe(5);
    }

    [Fact]
    public async Task Lists_are_put_as_json_and_as_tables_and_every_version_stays()
    {
        const string list = $"{Root}/collections/default/lists/tala";
        await app.SendAsync("GET", list, "", HttpStatusCode.NotFound);
        (await app.SendAsync("PUT", list, """{"entities":[{"name":"Ādi","aliases":["Adi",{"text":"Aadhi","certainty":0.5}]}]}""")).Count("version").ShouldBe(1);
        (await app.SendAsync("PUT", $"{list}?note=Second", "name;aliases;beats\nĀdi;Adi|Aadi;8\nRūpaka;;6\n", mediaType: "text/csv")).Count("entities").ShouldBe(2);
        (await app.SendAsync("POST", $"{list}/aliases", "alias,entity\nroopaka,Rūpaka\nfoo,Nobody\n", mediaType: "text/csv")).GetProperty("unknown")[0].GetString().ShouldBe("foo");
        (await app.GetAsync(list)).GetProperty("entities").EnumerateArray().Select(e => e.Said("name")).ShouldBe(["Ādi", "Rūpaka"]);
        (await app.GetAsync($"{list}?version=1")).GetProperty("entities")[0].GetProperty("aliases")[1].GetProperty("certainty").GetDouble().ShouldBe(0.5);
        (await app.GetAsync($"{list}/versions")).GetProperty("versions").EnumerateArray().Select(v => (v.Count("version"), v.Count("added"), v.Count("changed"), v.Said("note"))).ShouldBe([(3, 0, 1, null), (2, 1, 1, "Second"), (1, 1, 0, null)]);
        await app.SendAsync("GET", $"{list}?version=9", "", HttpStatusCode.NotFound);
        (await app.SendAsync("PUT", list, "title\nx\n", HttpStatusCode.BadRequest, "text/csv")).Said("detail")!.ShouldContain("name");
        (await app.SendAsync("PUT", list, """{"entities":[{"nom":"x"}]}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("entities[0].nom");
        (await app.GetAsync($"{Root}/collections/default/lists")).GetProperty("lists").EnumerateArray().Select(l => l.Said("entity_type")).ShouldContain("tala");
        await app.SendAsync("PUT", $"{Root}/collections/nowhere/lists/tala", """{"entities":[]}""", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_record_type_is_set_checked_and_taken_away()
    {
        const string at = $"{Root}/collections/default";
        const string type = """{"name":"song","fields":[{"name":"raga","kind":"entity","entity_type":"raga","rules":[{"from":"column","name":"Raga"}]}]}""";
        (await app.SendAsync("PUT", $"{at}/record-type", type)).GetProperty("record_type").Said("name").ShouldBe("song");
        (await app.SendAsync("PUT", $"{at}/record-type", """{"name":"song","fields":[{"name":"raga","kind":"entity","rules":[]}]}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("raga");
        (await app.SendAsync("PUT", $"{at}/record-type", """{"name":"song","fields":[{"name":"raga","kind":"riddle","rules":[]}]}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("fields[0].kind");
        (await app.SendAsync("PATCH", at, """{"auto_accept":true}""")).GetProperty("auto_accept").GetBoolean().ShouldBeTrue();
        await app.SendAsync("PATCH", at, """{"auto_accept":"yes"}""", HttpStatusCode.BadRequest);
        await app.SendAsync("DELETE", $"{at}/record-type", "", HttpStatusCode.NoContent);
        (await app.GetAsync(at)).GetProperty("record_type").ValueKind.ShouldBe(JsonValueKind.Null);
        (await app.GetAsync($"{at}/record-type/versions")).GetProperty("versions").EnumerateArray().Count(v => v.GetProperty("current").GetBoolean()).ShouldBe(0);
    }

    [Fact]
    public async Task Bulk_imports_decide_in_their_own_words()
    {
        const string imports = "/v1/admin/bulk-import/batches";
        var (_, uuid, _) = await app.BatchAsync(3);
        var all = await app.SendAsync("POST", $"{imports}/{uuid}/approve-all", "", HttpStatusCode.Accepted);
        (all.Said("batch_id"), all.Said("action"), all.Count("total")).ShouldBe(($"{uuid}", "APPROVE", 3));
        await Eventually.IsAsync(async () => (await app.GetAsync($"{Root}/bulk/{all.Said("id")}")).Said("state") == "done", "all of it is approved", 30);
        (await app.GetAsync($"{imports}/{uuid}")).Count("blocked_tasks").ShouldBe(0);

        var (batch, other, _) = await app.BatchAsync(2);
        var tasks = (await app.GetAsync($"{imports}/{other}/tasks?status=blocked")).GetProperty("tasks").EnumerateArray().Select(t => t.Said("id")!).ToList();
        var answer = await app.SendAsync("POST", "/v1/admin/imports/bulk-review", $$"""{"import_ids":["{{tasks[0]}}","item_999999999","{{tasks[0]}}"],"action":"REJECT","reason":"Twice the same."}""");
        (answer.Count("total"), answer.Count("succeeded"), answer.Count("failed")).ShouldBe((3, 1, 2));
        answer.GetProperty("results").EnumerateArray().Select(r => r.Said("status")).ShouldBe(["REJECTED", "ERROR", "ERROR"]);
        answer.GetProperty("results")[2].Said("error")!.ShouldContain("rejected");
        (await app.GetAsync($"{Root}?batch={batch}")).Count("total").ShouldBe(1);
        (await app.SendAsync("POST", "/v1/admin/imports/bulk-review", """{"import_ids":["item_1"],"action":"approve"}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("action");
    }

    [Fact]
    public async Task A_rule_is_made_tried_started_and_stopped()
    {
        await LoadAsync("""{"entities":[{"key":"kalyani","name":"Kalyāni"}]}""");
        var (_, _, reviews) = await app.BatchAsync(1);
        var body = $$"""{"review":{{reviews[0]}},"field":"raga","kind":"value"}""";
        await app.SendAsync("POST", $"{Root}/rules", body, HttpStatusCode.UnprocessableEntity);
        await app.SendAsync("POST", $"{Root}/{reviews[0]}/decide", """{"action":"pick","version":1,"field":"raga","entity":"kalyani"}""");
        var rule = await app.SendAsync("POST", $"{Root}/rules", body, HttpStatusCode.Created);
        var at = $"{Root}/rules/{rule.Count("id")}";
        (await app.GetAsync($"{at}/trial")).Said("sentence")!.ShouldStartWith("It would link 0 open documents");
        (await app.SendAsync("POST", $"{at}/start", """{"version":1,"apply_to_open":true,"reason":"Tried."}""")).GetProperty("rule").Said("state").ShouldBe("on");
        (await app.SendAsync("POST", $"{at}/stop", """{"version":1}""", HttpStatusCode.Conflict)).Count("version").ShouldBe(2);
        (await app.GetAsync($"{Root}/rules?state=on")).GetProperty("rules").EnumerateArray().Select(r => r.Count("id")).ShouldContain(rule.Count("id"));
        (await app.SendAsync("POST", $"{at}/stop", """{"version":2}""")).GetProperty("rule").Said("state").ShouldBe("off");
        (await app.GetAsync(at)).GetProperty("changes").EnumerateArray().Select(c => c.Said("state")).ShouldBe(["draft", "on", "off"]);
        (await app.SendAsync("POST", $"{at}/stop", """{"version":3}""", HttpStatusCode.UnprocessableEntity)).Said("detail")!.ShouldContain("not on");
        (await app.SendAsync("POST", $"{Root}/rules", """{"review":1,"field":"raga","kind":"guess"}""", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("kind");
        await app.SendAsync("GET", $"{Root}/rules/999999999", "", HttpStatusCode.NotFound);
    }

    private Task<JsonElement> LoadAsync(string entities) => app.SendAsync("PUT", $"{Root}/collections/default/lists/raga", entities);
}

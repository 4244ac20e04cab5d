using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.OpenApi;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class HostsApiTests(AdminApp app) : IClassFixture<AdminApp>
{
    [Fact]
    public async Task Host_is_listed_given_a_rate_and_gets_the_default_back()
    {
        await UsedAsync("docs.example.org:443", "default");
        using var caller = app.Caller(AdminApp.Key);
        var list = await Json(await caller.GetAsync("/api/v1/hosts?text=DOCS.example"));
        list.GetProperty("total").GetInt32().ShouldBe(1);
        Plain(ApiExamples.Text("hosts"), list);

        var changed = await Json(await caller.PutAsJsonAsync("/api/v1/hosts/docs.example.org:443/budget", new { requests_per_minute = 30 }));
        (changed.GetProperty("requests_per_minute").GetInt32(), changed.GetProperty("own_requests_per_minute").GetInt32(), changed.GetProperty("default_requests_per_minute").GetInt32()).ShouldBe((30, 30, 120));
        Plain(ApiExamples.Text("host"), changed);
        (await caller.DeleteAsync("/api/v1/hosts/docs.example.org:443/budget")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await Json(await caller.GetAsync("/api/v1/hosts/docs.example.org:443"))).GetProperty("requests_per_minute").GetInt32().ShouldBe(120);
        foreach (var body in new[] { "{}", """{"requests_per_minute":0}""", """{"requests_per_minute":60001}""", """{"requests_per_minute":"fast"}""", """{"requests_per_minute":5,"burst":3}""" })
            (await caller.PutAsync("/api/v1/hosts/docs.example.org:443/budget", new StringContent(body, System.Text.Encoding.UTF8, "application/json"))).StatusCode.ShouldBe(HttpStatusCode.BadRequest, body);
    }

    [Fact]
    public async Task Hosts_of_others_are_unknown_and_a_viewer_changes_nothing()
    {
        var people = new People(app.Services);
        await people.TenantAsync("neighbour");
        await UsedAsync("only.neighbour.example:443", "neighbour");
        await UsedAsync("ours.example:443", "default");
        using var admin = app.Caller(AdminApp.Key);
        foreach (var host in new[] { "only.neighbour.example:443", "nobody.example:443" })
        {
            (await admin.GetAsync($"/api/v1/hosts/{host}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
            (await admin.PutAsJsonAsync($"/api/v1/hosts/{host}/budget", new { requests_per_minute = 5 })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
            (await admin.DeleteAsync($"/api/v1/hosts/{host}/budget")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }
        foreach (var role in new[] { Role.Viewer, Role.Operator })
        {
            using var other = app.Caller((await people.MakeAsync(role)).Key);
            (await other.GetAsync("/api/v1/hosts/ours.example:443")).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await other.PutAsJsonAsync("/api/v1/hosts/ours.example:443/budget", new { requests_per_minute = 5 })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
            (await other.DeleteAsync("/api/v1/hosts/ours.example:443/budget")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }
        (await app.Services.GetRequiredService<Database>().Worker.QueryAsync<long>("SELECT count(*) FROM ingestion.host_budget WHERE host LIKE '%ours.example%' OR host LIKE '%neighbour%'")).ShouldBe([0]);
    }

    [Fact]
    public async Task Pages_show_hosts_and_the_form_to_administrators_alone()
    {
        await UsedAsync("shown.example:443", "default");
        using var browser = await app.SignedInAsync();
        (await browser.GetStringAsync("/hosts")).ShouldContain("shown.example:443");
        var page = await browser.GetStringAsync("/hosts/shown.example%3A443");
        page.ShouldContain("/handbook.html");
        page.ShouldContain("host-rate");
        (await browser.GetStringAsync("/hosts/none.example:443")).ShouldContain("There is no such host");
    }

    private async Task UsedAsync(string host, string tenant)
    {
        using var warm = app.Caller();
        await app.Services.GetRequiredService<Database>().Worker.HostUsedAsync(host, tenant);
    }

    // The same members of the same kinds; what may be null is left out.
    private static void Plain(string example, JsonElement answer) => Members(JsonSerializer.Deserialize<JsonElement>(example)).ShouldBe(Members(answer));

    private static List<string> Members(JsonElement value, string at = "") => value.ValueKind switch
    {
        JsonValueKind.Object => [.. value.EnumerateObject().SelectMany(m => Members(m.Value, $"{at}.{m.Name}"))],
        JsonValueKind.Array => [.. value.EnumerateArray().Take(1).SelectMany(e => Members(e, at + "[]"))],
        _ => [at],
    };

    private static async Task<JsonElement> Json(HttpResponseMessage answer) => await answer.Content.ReadFromJsonAsync<JsonElement>();
}

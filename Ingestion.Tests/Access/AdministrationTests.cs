using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Cli;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Rendering;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

/// <summary>Users, tenants and the audit log through the API.</summary>
public sealed class AdministrationTests : IAsyncLifetime
{
    private readonly AdminApp _app = new();
    private People _people = null!;

    public Task InitializeAsync()
    {
        _people = new(_app.Services);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Role_and_reach_are_changed_with_old_and_new_in_the_log()
    {
        var (admin, member) = (await _people.MakeAsync(Role.Administrator), await _people.MakeAsync(Role.Viewer));
        var client = _app.Caller(admin.Key);
        (await client.PutAsJsonAsync($"/api/v1/users/{member.Id}", new { role = "operator", collections = new[] { "default" }, own_batches = true })).StatusCode.ShouldBe(HttpStatusCode.OK);
        var entry = (await client.GetFromJsonAsync<JsonElement>("/api/v1/audit?action=set_role")).GetProperty("entries")[0];
        (entry.GetProperty("who").GetString(), entry.GetProperty("person").GetString(), entry.GetProperty("target").GetString(), entry.GetProperty("address").GetString())
            .ShouldBe((admin.Id, "Person " + admin.UserName["person".Length..], $"account {member.Id}", "127.0.0.1"));
        entry.GetProperty("data").GetProperty("before").GetProperty("role").GetString().ShouldBe("viewer");
        entry.GetProperty("data").GetProperty("after").GetProperty("role").GetString().ShouldBe("operator");
        entry.GetProperty("data").GetProperty("after").GetProperty("own_batches").GetBoolean().ShouldBeTrue();
        (await client.PutAsJsonAsync($"/api/v1/users/{member.Id}", new { collections = new[] { "nowhere" } })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PutAsJsonAsync($"/api/v1/users/{member.Id}", new { rolle = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Nobody_raises_themselves_and_the_owner_is_out_of_administrators_hands()
    {
        var (owner, admin) = (await _people.MakeAsync(Role.Administrator, owner: true), await _people.MakeAsync(Role.Administrator));
        var client = _app.Caller(admin.Key);
        (await client.PutAsJsonAsync($"/api/v1/users/{admin.Id}", new { role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await client.PutAsJsonAsync($"/api/v1/users/{owner.Id}", new { role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await client.DeleteAsync($"/api/v1/users/{owner.Id}")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await client.PostAsync($"/api/v1/users/{owner.Id}/disable", null)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await _app.Caller(owner.Key).PostAsync($"/api/v1/users/{owner.Id}/disable", null)).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Disabled_person_is_out_at_once_and_back_when_enabled()
    {
        var (owner, member) = (await _people.MakeAsync(owner: true, role: Role.Administrator), await _people.MakeAsync());
        (await _app.Caller(owner.Key).PostAsync($"/api/v1/users/{member.Id}/disable", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _app.Caller(member.Key).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _app.Browser(member).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await _app.Caller(owner.Key).PostAsync($"/api/v1/users/{member.Id}/enable", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _app.Caller(member.Key).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Tenant_is_made_disabled_and_switched_to()
    {
        var owner = await _people.MakeAsync(Role.Administrator, owner: true);
        var client = _app.Caller(owner.Key);
        (await client.PostAsJsonAsync("/api/v1/tenants", new { id = "library", name = "The library" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.PostAsJsonAsync("/api/v1/tenants", new { id = "library", name = "Another" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await client.PostAsJsonAsync("/api/v1/tenants", new { id = "../etc", name = "x" })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PostAsync("/api/v1/tenants/default/disable", null)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var member = await _people.MakeAsync(Role.Operator, "library");
        var browser = _app.Browser(owner);
        (await browser.PostAsJsonAsync("/api/v1/me/tenant", new { tenant = "library" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await browser.GetFromJsonAsync<JsonElement>("/api/v1/me")).GetProperty("tenant").GetString().ShouldBe("library");
        (await _app.Browser(member).PostAsJsonAsync("/api/v1/me/tenant", new { tenant = "default" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // A key stays where it was made.
        (await client.PostAsJsonAsync("/api/v1/me/tenant", new { tenant = "library" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.PostAsync("/api/v1/tenants/library/disable", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await _app.Caller(member.Key).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Log_is_searched_exported_and_never_changed()
    {
        var admin = await _people.MakeAsync(Role.Administrator);
        var client = _app.Caller(admin.Key);
        await client.PutAsJsonAsync("/api/v1/secrets/=HYPERLINK(1)", new { value = "x" });
        (await client.GetFromJsonAsync<JsonElement>("/api/v1/audit?q=HYPERLINK")).GetProperty("total").GetInt32().ShouldBe(1);
        (await client.GetFromJsonAsync<JsonElement>("/api/v1/audit?q=nothing-like-it")).GetProperty("total").GetInt32().ShouldBe(0);
        (await client.GetFromJsonAsync<JsonElement>($"/api/v1/audit?who={admin.Id}&to=2001-01-01T00:00:00Z")).GetProperty("total").GetInt32().ShouldBe(0);
        var csv = await client.GetStringAsync("/api/v1/audit/export?action=set_secret");
        csv.TrimStart('\uFEFF').ShouldStartWith("id,at,who");
        csv.ShouldContain(",secret =HYPERLINK(1),", Case.Sensitive, "the cell begins with a word and is no formula");
        (await client.GetFromJsonAsync<JsonElement>("/api/v1/audit/export?format=json")).GetArrayLength().ShouldBeGreaterThan(1);
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        await Should.ThrowAsync<Exception>(() => db.Audit.ExecuteDeleteAsync());
        await Should.ThrowAsync<Exception>(() => db.Audit.ExecuteUpdateAsync(u => u.SetProperty(a => a.Who, "somebody else")));
    }

    [Fact]
    public async Task Lost_owner_is_let_in_again_by_a_command_on_the_machine()
    {
        var owner = await _people.MakeAsync(Role.Administrator, owner: true);
        await using (var db = _app.Services.GetRequiredService<Contexts>().Worker())
            await db.Accounts.Where(a => a.Id == owner.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.DisabledAt, DateTimeOffset.UtcNow).SetProperty(a => a.LockedUntil, DateTimeOffset.UtcNow.AddHours(1)));
        await using var output = new StringWriter();
        var code = await new CommandLine((_, _) => throw new InvalidOperationException()).Add(new RecoverOwnerCommand())
            .RunAsync(["recover-owner", $"--ConnectionStrings:Ingestion={_app.ConnectionString}", $"--Ingestion:Data={_app.Data}"], output);
        code.ShouldBe(0);
        (await _app.Browser(owner).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, "its sessions have ended");
        var browser = _app.Browser();
        await browser.GetAsync(new Uri(output.ToString().Trim()).PathAndQuery);
        (await browser.GetFromJsonAsync<JsonElement>("/api/v1/me")).GetProperty("id").GetString().ShouldBe(owner.Id);
    }

    [Fact]
    public async Task Pages_of_people_show_hostile_names_as_text()
    {
        var owner = await _people.MakeAsync(Role.Administrator, owner: true);
        var client = _app.Caller(owner.Key);
        const string name = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}@(1+1)";
        (await client.PostAsJsonAsync("/api/v1/invitations", new { name, role = "viewer" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.PostAsJsonAsync("/api/v1/keys", new { name })).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.PostAsJsonAsync("/api/v1/tenants", new { id = "hostile", name })).StatusCode.ShouldBe(HttpStatusCode.Created);
        await using (var db = _app.Services.GetRequiredService<Contexts>().Worker())
            await db.Accounts.Where(a => a.Id == owner.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.Name, name));
        await _app.Services.GetRequiredService<Sessions>().BeginAsync(new("default", owner.Id), "password", HostileText.All[0], TimeSpan.FromHours(1), CancellationToken.None);
        foreach (var page in new[] { "/users", "/keys", "/sessions", "/audit", "/tenants", "/account" })
        {
            var html = await _app.Browser(owner).GetStringAsync(page);
            html.ShouldNotContain("<script>alert", Case.Sensitive, page);
            html.ShouldNotContain("<img src=x", Case.Sensitive, page);
        }
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed class ApiKeyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private readonly People _people = new(app.Services);

    [Fact]
    public async Task Key_is_shown_once_and_kept_as_a_hash()
    {
        var person = await MakeAsync(Role.Operator);
        using var made = await app.Browser(person).PostAsJsonAsync("/api/v1/keys", new { name = "nightly", scope = "write" });
        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        var key = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("key").GetString()!;
        key.ShouldStartWith("ing_");
        key.Length.ShouldBe(4 + 64);
        (await app.Browser(person).GetStringAsync("/api/v1/keys")).ShouldNotContain(key);
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        var row = await db.ApiKeys.SingleAsync(k => k.AccountId == person.Id && k.Name == "nightly");
        row.Hash.ShouldBe(AccessToken.Hash(key));
        row.LastUsedAt.ShouldBeNull();
        (await app.Caller(key).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await db.ApiKeys.AsNoTracking().SingleAsync(k => k.Id == row.Id)).LastUsedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task Revoked_key_is_dead_with_the_next_request()
    {
        var person = await MakeAsync(Role.Operator);
        var client = app.Caller(person.Key);
        var id = (await client.GetFromJsonAsync<JsonElement>("/api/v1/keys")).GetProperty("keys")[0].GetProperty("id").GetString();
        (await client.DeleteAsync($"/api/v1/keys/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Key_does_no_more_than_its_person_may_from_one_request_to_the_next()
    {
        var person = await MakeAsync(Role.Operator);
        var client = app.Caller(person.Key);
        (await client.PostAsJsonAsync("/api/v1/uploads", new { path = "a.txt", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Created);
        await app.Services.GetRequiredService<Members>().SetRoleAsync(new(Tenant.Default, "test"), person.Id, Role.Viewer, Narrowing.None, CancellationToken.None);
        (await client.PostAsJsonAsync("/api/v1/uploads", new { path = "b.txt", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        await app.Services.GetRequiredService<Members>().RemoveAsync(new(Tenant.Default, "test"), person.Id, CancellationToken.None);
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData(KeyScope.Read, "write", HttpStatusCode.Forbidden)]
    [InlineData(KeyScope.Read, "read", HttpStatusCode.Forbidden)]
    [InlineData(KeyScope.Write, "admin", HttpStatusCode.Forbidden)]
    [InlineData(KeyScope.Write, "write", HttpStatusCode.Created)]
    public async Task Key_makes_no_key_that_may_more(KeyScope scope, string wanted, HttpStatusCode status)
    {
        var person = await MakeAsync(Role.Administrator, scope);
        using var answer = await app.Caller(person.Key).PostAsJsonAsync("/api/v1/keys", new { name = "more", scope = wanted });
        answer.StatusCode.ShouldBe(status);
    }

    [Fact]
    public async Task Others_keys_are_not_listed_and_not_revoked()
    {
        var (one, other) = (await MakeAsync(Role.Operator), await MakeAsync(Role.Operator));
        var keys = (await app.Caller(one.Key).GetFromJsonAsync<JsonElement>("/api/v1/keys")).GetProperty("keys");
        keys.GetArrayLength().ShouldBe(1);
        (await app.Caller(other.Key).DeleteAsync($"/api/v1/keys/{keys[0].GetProperty("id").GetString()}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await app.Caller(one.Key).GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("?user_id=somebody-else", HttpStatusCode.NotFound)]
    [InlineData("?tenant_id=elsewhere", HttpStatusCode.NotFound)]
    [InlineData("?tenant_id=default", HttpStatusCode.OK)]
    [InlineData("", HttpStatusCode.OK)]
    public async Task Named_user_or_tenant_must_be_the_callers_own(string query, HttpStatusCode status)
    {
        var person = await MakeAsync(Role.Operator);
        (await app.Caller(person.Key).GetAsync("/api/v1/batches" + query)).StatusCode.ShouldBe(status);
        (await app.Caller(person.Key).GetAsync($"/api/v1/batches?user_id={person.Id}")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Key_in_the_address_or_in_a_cookie_is_no_key()
    {
        var person = await MakeAsync(Role.Operator);
        (await app.Caller().GetAsync($"/api/v1/me?api_key={person.Key}")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var client = app.Caller();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={person.Key}; X-Api-Key={person.Key}");
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private Task<Person> MakeAsync(Role role, KeyScope scope = KeyScope.Admin) => _people.MakeAsync(role, scope: scope);
}

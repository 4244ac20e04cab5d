using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Access;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class AccessTests(AdminApp app) : IClassFixture<AdminApp>
{
    [Fact]
    public async Task Browser_without_a_cookie_is_led_to_the_sign_in_page()
    {
        using var answer = await app.Browser().GetAsync("/batches?state=failed");
        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        answer.Headers.Location!.OriginalString.ShouldBe("/sign-in?returnUrl=%2Fbatches%3Fstate%3Dfailed");
    }

    [Fact]
    public async Task Sign_in_page_says_how_to_get_a_link()
    {
        using var answer = await app.Browser().GetAsync("/sign-in");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("ingestion sign-in-link");
    }

    [Theory]
    [InlineData("/api/anything")]
    [InlineData("/batch/jobs")]
    [InlineData("/")]
    public async Task Program_without_a_key_gets_401_with_a_detail(string path)
    {
        using var answer = await app.Caller().GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldContain("X-Api-Key");
    }

    [Fact]
    public async Task Link_signs_in_once()
    {
        var link = app.NewLink();
        using var first = await app.Browser().GetAsync(link);
        first.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        var cookie = first.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("ingestion=", StringComparison.Ordinal));
        cookie.ShouldContain("httponly");
        cookie.ShouldContain("samesite=lax");

        using var second = await app.Browser().GetAsync(link);
        second.StatusCode.ShouldBe(HttpStatusCode.OK);
        second.Headers.TryGetValues("Set-Cookie", out var cookies);
        (cookies ?? []).ShouldNotContain(c => c.StartsWith("ingestion=", StringComparison.Ordinal));
        (await second.Content.ReadAsStringAsync()).ShouldContain("used already");
    }

    [Fact]
    public async Task Of_many_redeeming_at_once_one_gets_in()
    {
        var links = app.Services.GetRequiredService<SignInLinks>();
        var token = links.Issue();
        var entered = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => links.TryRedeem(token))));
        entered.Count(e => e).ShouldBe(1);
    }

    [Fact]
    public void Wrong_token_leaves_the_link_open_and_a_new_link_voids_the_old()
    {
        var links = app.Services.GetRequiredService<SignInLinks>();
        var old = links.Issue();
        links.TryRedeem(new string('0', 64)).ShouldBeFalse();
        var current = links.Issue();
        links.TryRedeem(old).ShouldBeFalse();
        links.TryRedeem(current).ShouldBeTrue();
    }

    [Fact]
    public void Stored_link_is_a_hash_that_only_we_can_read()
    {
        var token = app.Services.GetRequiredService<SignInLinks>().Issue();
        var file = Path.Combine(app.Data, "access", "sign-in-link");
        File.ReadAllText(file).ShouldNotContain(token);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            File.GetUnixFileMode(Path.Combine(app.Data, "keys")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("/batches", "/batches")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\n/evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    public async Task After_signing_in_only_our_own_pages_follow(string returnUrl, string expected)
    {
        using var answer = await app.Browser().GetAsync($"{app.NewLink()}&returnUrl={Uri.EscapeDataString(returnUrl)}");
        answer.Headers.Location!.OriginalString.ShouldBeOneOf(expected, "http://localhost" + expected);
    }

    [Fact]
    public async Task Signed_in_browser_sees_the_pages()
    {
        using var answer = await (await app.SignedInAsync()).GetAsync("/");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("<h1");
    }

    [Theory]
    [InlineData(AdminApp.Key, HttpStatusCode.NotFound)]
    [InlineData("a-key-of-the-tests-0123456780", HttpStatusCode.Unauthorized)]
    [InlineData("", HttpStatusCode.Unauthorized)]
    public async Task Key_decides_over_an_unknown_api_address(string key, HttpStatusCode status)
    {
        using var answer = await app.Caller(key).GetAsync("/api/nothing-here");
        answer.StatusCode.ShouldBe(status);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
    }

    [Fact]
    public async Task Bearer_token_is_the_same_key()
    {
        var caller = app.Caller();
        caller.DefaultRequestHeaders.Authorization = new("Bearer", AdminApp.Key);
        using var answer = await caller.GetAsync("/api/nothing-here");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Cookie_with_a_wrong_key_is_refused()
    {
        var browser = await app.SignedInAsync();
        browser.DefaultRequestHeaders.Add("X-Api-Key", "something else entirely");
        using var answer = await browser.GetAsync("/");
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Changing_request_by_cookie_needs_our_header()
    {
        var browser = await app.SignedInAsync();
        using var without = await browser.PostAsync("/sign-out", null);
        without.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await without.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldContain("X-Requested-With");

        browser.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        using var with = await browser.PostAsync("/sign-out", null);
        with.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var after = await browser.GetAsync("/");
        after.StatusCode.ShouldBeOneOf(HttpStatusCode.Redirect, HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Changing_request_by_key_needs_no_header()
    {
        using var answer = await app.Caller(AdminApp.Key).PostAsync("/sign-out", null);
        answer.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Foreign_host_name_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { Host = "evil.example" } };
        using var answer = await app.Caller().SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/sign-in")]
    [InlineData("/health")]
    [InlineData("/api/nothing-here")]
    [InlineData("/app.css")]
    public async Task Every_response_carries_the_security_headers_once(string path)
    {
        using var answer = await (await app.SignedInAsync()).GetAsync(path);
        var policy = answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        policy.ShouldContain("default-src 'self'");
        policy.ShouldContain("script-src 'self';");
        policy.ShouldContain("frame-ancestors 'none'");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.Contains("Referrer-Policy").ShouldBeTrue();
        answer.Headers.Contains("Permissions-Policy").ShouldBeTrue();
        answer.Headers.Contains("Server").ShouldBeFalse();
    }

    [Fact]
    public async Task Api_answers_are_not_stored()
    {
        using var answer = await app.Caller(AdminApp.Key).GetAsync("/api/nothing-here");
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }
}

using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed class ProviderTests : IAsyncLifetime
{
    private readonly AdminApp _base = new();
    private StubProvider _provider = null!;
    private WebApplicationFactory<Program> _app = null!;

    public async Task InitializeAsync()
    {
        _provider = await StubProvider.StartAsync();
        _app = _base.WithWebHostBuilder(b =>
        {
            b.UseSetting("Ingestion:Oidc:Authority", _provider.Address);
            b.UseSetting("Ingestion:Oidc:ClientId", StubProvider.ClientId);
            b.UseSetting("Ingestion:Oidc:ClientSecret", StubProvider.ClientSecret);
            b.UseSetting("Ingestion:Oidc:ApiAudience", StubProvider.Audience);
            b.UseSetting("Ingestion:Oidc:Grants:0", "Ingestion.Admin=administrator");
            b.UseSetting("Ingestion:Oidc:Grants:1", "Library=operator@library");
        });
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _base.DisposeAsync();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task Who_signs_in_at_the_provider_comes_in_with_the_role_it_gives()
    {
        var browser = Browser();
        using var entered = await SignInAsync(browser);
        entered.Headers.Location!.OriginalString.ShouldBe("/batches");
        var me = await browser.GetFromJsonAsync<JsonElement>("/api/v1/me");
        (me.GetProperty("name").GetString(), me.GetProperty("role").GetString(), me.GetProperty("tenant").GetString()).ShouldBe((_provider.Name, "administrator", "default"));
        _provider.Exchanged.ShouldBe(1);
    }

    [Theory]
    [InlineData(Fault.OtherKey)]
    [InlineData(Fault.OtherAudience)]
    [InlineData(Fault.OtherIssuer)]
    [InlineData(Fault.Expired)]
    [InlineData(Fault.NotYet)]
    [InlineData(Fault.OtherNonce)]
    [InlineData(Fault.Unsigned)]
    [InlineData(Fault.SharedKey)]
    [InlineData(Fault.NoSubject)]
    public async Task Bad_token_lets_nobody_in_and_makes_no_account(Fault fault)
    {
        _provider.Fault = fault;
        var browser = Browser();
        using var refused = await SignInAsync(browser);
        refused.Headers.Location!.OriginalString.ShouldStartWith("/sign-in?refused=");
        refused.Headers.TryGetValues("Set-Cookie", out var cookies);
        (cookies ?? []).ShouldNotContain(c => c.StartsWith("ingestion=", StringComparison.Ordinal));
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        (await db.Accounts.CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Token_of_an_earlier_sign_in_is_no_token_of_this_one()
    {
        (await SignInAsync(Browser())).Headers.Location!.OriginalString.ShouldBe("/batches");
        _provider.Fault = Fault.ReplayedToken;
        (await SignInAsync(Browser())).Headers.Location!.OriginalString.ShouldBe("/sign-in?refused=provider");
    }

    [Fact]
    public async Task Answer_of_the_provider_is_good_once_and_in_the_browser_that_asked()
    {
        var browser = Browser();
        var callback = await CallbackAsync(browser);
        (await Browser().GetAsync(callback)).Headers.Location!.OriginalString.ShouldBe("/sign-in?refused=provider");
        (await browser.GetAsync(callback)).Headers.Location!.OriginalString.ShouldBe("/batches");
        (await browser.GetAsync(callback)).Headers.Location!.OriginalString.ShouldBe("/sign-in?refused=provider");
    }

    [Fact]
    public async Task Key_that_the_provider_rolled_is_looked_up()
    {
        (await SignInAsync(Browser())).Headers.Location!.OriginalString.ShouldBe("/batches");
        _provider.RollKey();
        await Support.Eventually.IsAsync(async () => (await SignInAsync(Browser())).Headers.Location!.OriginalString == "/batches", "the new key is known");
    }

    [Fact]
    public async Task Roles_follow_the_provider_at_each_sign_in()
    {
        await new People(_app.Services).TenantAsync("library");
        await SignInAsync(Browser());
        _provider.Roles = ["Library"];
        var browser = Browser();
        await SignInAsync(browser);
        var me = await browser.GetFromJsonAsync<JsonElement>("/api/v1/me");
        (me.GetProperty("tenant").GetString(), me.GetProperty("role").GetString()).ShouldBe(("library", "operator"));
        me.GetProperty("tenants").GetArrayLength().ShouldBe(1);
        _provider.Roles = ["Something else"];
        (await SignInAsync(Browser())).Headers.Location!.OriginalString.ShouldBe("/sign-in?refused=role");
        (await browser.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Signing_out_goes_to_the_provider_with_its_token()
    {
        var browser = Browser();
        await SignInAsync(browser);
        browser.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        using var answer = await browser.PostAsync("/sign-out", null);
        var there = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("location").GetString()!;
        there.ShouldStartWith(_provider.Address + "/out?id_token_hint=ey");
        using var outside = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        (await outside.GetAsync(there)).Headers.Location!.PathAndQuery.ShouldBe("/sign-in");
        _provider.SignedOut.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Bearer_token_of_the_provider_is_its_person_and_a_bad_one_nobody()
    {
        (await BearerAsync(_provider.BearerToken())).ShouldBe(HttpStatusCode.OK);
        foreach (var fault in new[] { Fault.OtherKey, Fault.OtherAudience, Fault.OtherIssuer, Fault.Expired, Fault.Unsigned, Fault.SharedKey })
        {
            _provider.Fault = fault;
            (await BearerAsync(_provider.BearerToken())).ShouldBe(HttpStatusCode.Unauthorized, fault.ToString());
        }
    }

    [Theory]
    [InlineData("https://login.example/{tenantid}/v2.0", "https://login.example/t1/v2.0", "t1", true)]
    [InlineData("https://login.example/{tenantid}/v2.0", "https://login.example/t2/v2.0", "t2", false)]
    [InlineData("https://login.example/{tenantid}/v2.0", "https://login.example/t1/v2.0", "t2", false)]
    [InlineData("https://login.example/{tenantid}/v2.0", "https://login.example/t1/v2.0", null, false)]
    [InlineData("https://login.example/", "https://login.example/", null, true)]
    [InlineData("https://login.example/", "https://login.example", null, false)]
    public void Issuer_for_many_tenants_is_that_of_an_allowed_one(string described, string issuer, string? tenant, bool good) =>
        OidcHandler.IsIssuer(described, issuer, tenant, ["t1"]).ShouldBe(good);

    [Theory]
    [InlineData("Ingestion.Admin=administrator", Role.Administrator, "default")]
    [InlineData("a=b=viewer@library", Role.Viewer, "library")]
    public void Grant_is_a_value_a_role_and_a_tenant(string text, Role role, string tenant) => Grant.TryParse(text).ShouldBe(new(text[..text.LastIndexOf('=')], role, tenant));

    [Theory]
    [InlineData("Ingestion.Admin")]
    [InlineData("=viewer")]
    [InlineData("x=chief")]
    public void What_is_no_grant_is_none(string text) => Grant.TryParse(text).ShouldBeNull();

    private HttpClient Browser()
    {
        var browser = _app.CreateClient(new() { AllowAutoRedirect = false });
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        return browser;
    }

    private async Task<HttpResponseMessage> SignInAsync(HttpClient browser) => await browser.GetAsync(await CallbackAsync(browser));

    // To the provider and back, as a browser goes.
    private static async Task<string> CallbackAsync(HttpClient browser)
    {
        using var challenge = await browser.GetAsync("/sign-in/provider?returnUrl=/batches");
        challenge.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        using var outside = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var answer = await outside.GetAsync(challenge.Headers.Location);
        return answer.Headers.Location!.PathAndQuery;
    }

    private async Task<HttpStatusCode> BearerAsync(string token)
    {
        var client = _app.CreateClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var answer = await client.GetAsync("/api/v1/me");
        return answer.StatusCode;
    }
}

using System.Net;
using System.Net.Http.Json;
using Ingestion.Admin.Api;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed class EdgeTests : IAsyncLifetime
{
    private readonly AdminApp _base = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _base.DisposeAsync();

    [Fact]
    public async Task Limits_hold_over_two_processes_and_say_how_long_to_wait()
    {
        await using WebApplicationFactory<Program> one = With(("Ingestion:Limits:SearchesPerMinute", "10")), two = With(("Ingestion:Limits:SearchesPerMinute", "10"));
        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 12; i++) answers.Add(await Key(i % 2 == 0 ? one : two).GetAsync("/api/v1/search?q=x"));
        // A minute may end between two of them; then the count begins anew.
        answers.Count(a => a.StatusCode == HttpStatusCode.OK).ShouldBeInRange(10, 11);
        if (answers.FirstOrDefault(a => a.StatusCode == HttpStatusCode.TooManyRequests) is { } refused)
        {
            refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            (await refused.Content.ReadAsStringAsync()).ShouldContain("rate_limited");
        }
        (await Key(one).GetAsync("/api/v1/batches")).StatusCode.ShouldBe(HttpStatusCode.OK, "other routes are not limited with it");
    }

    [Fact]
    public async Task Each_caller_has_counters_of_its_own()
    {
        await using var app = With(("Ingestion:Limits:UploadsPerMinute", "1"));
        using var warm = app.CreateClient();
        var people = new People(app.Services);
        var (one, other) = (await people.MakeAsync(), await people.MakeAsync());
        foreach (var person in new[] { one, other })
        {
            var client = app.CreateClient();
            client.DefaultRequestHeaders.Add("X-Api-Key", person.Key);
            (await client.PostAsJsonAsync("/api/v1/uploads", new { path = "a", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Created);
        }
    }

    [Fact]
    public async Task A_day_takes_so_many_bytes_of_one_caller_and_refuses_the_next_file_before_it_comes()
    {
        await using var app = With(("Ingestion:Limits:UploadMegabytesPerDay", "1"));
        using var warm = app.CreateClient();
        var people = new People(app.Services);
        var (one, other) = (await people.MakeAsync(), await people.MakeAsync());
        Task<HttpResponseMessage> AnnounceAsync(Person person, string path)
        {
            var client = app.CreateClient();
            client.DefaultRequestHeaders.Add("X-Api-Key", person.Key);
            return client.PostAsJsonAsync("/api/v1/uploads", new { path, size = 600_000 });
        }
        (await AnnounceAsync(one, "a")).StatusCode.ShouldBe(HttpStatusCode.Created);
        using var refused = await AnnounceAsync(one, "b");
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await refused.Content.ReadAsStringAsync()).ShouldContain("quota_exceeded");
        // What was refused was not counted: a smaller one still fits.
        var small = app.CreateClient();
        small.DefaultRequestHeaders.Add("X-Api-Key", one.Key);
        (await small.PostAsJsonAsync("/api/v1/uploads", new { path = "c", size = 400_000 })).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await AnnounceAsync(other, "a")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("127.0.0.1", "", "203.0.113.5", "127.0.0.1")]
    [InlineData("127.0.0.1", "127.0.0.0/8", "203.0.113.5", "203.0.113.5")]
    [InlineData("198.51.100.7", "127.0.0.0/8", "203.0.113.5", "198.51.100.7")]
    [InlineData("127.0.0.1", "127.0.0.0/8", "198.51.100.1, 203.0.113.5", "203.0.113.5")]
    public async Task Forwarded_address_is_believed_of_known_proxies_alone(string sender, string proxies, string forwarded, string recorded)
    {
        await using var app = proxies.Length == 0 ? With() : With(("Ingestion:Access:KnownProxies:0", proxies));
        var client = Key(app);
        client.DefaultRequestHeaders.Add(AdminApp.From, sender);
        client.DefaultRequestHeaders.Add("X-Forwarded-For", forwarded);
        (await client.PutAsJsonAsync("/api/v1/secrets/a", new { value = "x" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        db.Audit.Single(a => a.Action == "set_secret").Address.ShouldBe(recorded);
    }

    [Fact]
    public async Task Behind_tls_the_cookie_is_bound_to_the_host_and_browsers_are_told_to_stay()
    {
        await using var app = With(("Ingestion:Access:KnownProxies:0", "127.0.0.1"));
        var browser = app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        browser.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var answer = await browser.GetAsync("/sign-in?token=" + app.Services.GetRequiredService<Ingestion.Admin.Access.SignInLinks>().Issue());
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("__Host-ingestion=", StringComparison.Ordinal));
        foreach (var flag in new[] { "secure", "httponly", "samesite=lax", "path=/" }) cookie.ShouldContain(flag);
        cookie.ShouldNotContain("domain=");
        answer.Headers.GetValues("Strict-Transport-Security").ShouldHaveSingleItem().ShouldContain("max-age=");
    }

    [Theory]
    [InlineData("127.0.0.1", null, HttpStatusCode.OK)]
    [InlineData("127.0.0.1", "http://localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", "https://evil.example", HttpStatusCode.Unauthorized)]
    [InlineData("127.0.0.1", "null", HttpStatusCode.Unauthorized)]
    [InlineData("192.168.1.9", null, HttpStatusCode.Unauthorized)]
    public async Task Compat_user_is_a_program_on_this_machine_without_a_foreign_origin(string sender, string? origin, HttpStatusCode status)
    {
        await using var app = With(("Ingestion:Access:CompatUser", "user123"));
        var client = app.CreateClient(new() { AllowAutoRedirect = false });
        client.DefaultRequestHeaders.Add(AdminApp.From, sender);
        if (origin is not null) client.DefaultRequestHeaders.Add("Origin", origin);
        (await client.GetAsync("/api/v1/batches?user_id=user123")).StatusCode.ShouldBe(status);
        if (status != HttpStatusCode.OK) return;
        (await client.GetAsync("/api/v1/batches?user_id=user124")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetAsync("/api/v1/users")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        client.DefaultRequestHeaders.Add("X-Api-Key", "wrong");
        (await client.GetAsync("/api/v1/batches")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Page_for_somebody_else_says_so()
    {
        using var warm = _base.CreateClient();
        var viewer = await new People(_base.Services).MakeAsync(Role.Viewer);
        using var answer = await _base.Browser(viewer).GetAsync("/users");
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("This page is not for you");
    }

    [Fact]
    public async Task Page_of_a_viewer_holds_no_button_that_would_be_refused()
    {
        using var warm = _base.CreateClient();
        var people = new People(_base.Services);
        var owner = await people.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(_base.Services, owner);
        await estate.BuildAsync();
        var (batch, _) = await estate.AddressAsync("/batches/{PublicId}");
        var (viewer, worker) = (await people.MakeAsync(Role.Viewer), await people.MakeAsync(Role.Operator));
        foreach (var page in new[] { "/", "/batches", batch, batch + "/settings", "/collections", $"/collections/{Estate.Collection}" })
        {
            var seen = await _base.Browser(viewer).GetStringAsync(page);
            foreach (var button in new[] { "href=\"/new\"", "data-act=\"", "new-collection", ">Rename<", "delete-batch" }) seen.ShouldNotContain(button, Case.Sensitive, page);
        }
        (await _base.Browser(worker).GetStringAsync("/collections")).ShouldContain("new-collection");
    }

    [Theory]
    [InlineData("=1+1", "\"'=1+1\"")]
    [InlineData("+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\"")]
    [InlineData("-2+3", "\"'-2+3\"")]
    [InlineData("@SUM(1)", "\"'@SUM(1)\"")]
    [InlineData("＝HYPERLINK(1)", "\"'＝HYPERLINK(1)\"")]
    [InlineData("  =x", "\"'  =x\"")]
    [InlineData("\t=x", "\"'\t=x\"")]
    [InlineData("\"=x\"", "\"'\"\"=x\"\"\"")]
    [InlineData("plain", "plain")]
    [InlineData("a,b\nc", "\"a,b\nc\"")]
    [InlineData("", "")]
    public void Cell_of_an_export_is_never_a_formula(string value, string cell) => CsvCell.Of(value).ShouldBe(cell);

    private WebApplicationFactory<Program> With(params (string Key, string Value)[] settings) => _base.WithWebHostBuilder(b =>
    {
        foreach (var (key, value) in settings) b.UseSetting(key, value);
    });

    private static HttpClient Key(WebApplicationFactory<Program> app)
    {
        var client = app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        client.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        return client;
    }
}

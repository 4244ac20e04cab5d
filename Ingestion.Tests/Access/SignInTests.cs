using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Admin;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed partial class SignInTests : IAsyncLifetime
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
    public async Task Link_makes_the_owner_once_and_leads_to_making_an_account()
    {
        using var first = await _app.Browser().GetAsync(_app.NewLink());
        first.Headers.Location!.OriginalString.ShouldEndWith("/welcome");
        await _app.SignedInAsync();
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        (await db.Accounts.SingleAsync()).Owner.ShouldBeTrue();
        (await db.Sessions.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task Owner_makes_an_account_and_comes_back_with_its_password()
    {
        var browser = await _app.SignedInAsync();
        using var made = await PostAsync(browser, "/welcome", "owner", ("Input.Name", "Ann Owner"), ("Input.UserName", "ann@example.org"), ("Input.Password", People.Password));
        made.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        made.Headers.Location!.OriginalString.ShouldEndWith("/welcome?made=true");
        using var back = await SignInAsync(_app.Browser(), "ANN@example.org", People.Password);
        back.StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Theory]
    [InlineData("short", "ann", "at least 12 characters")]
    [InlineData("aaaaaaaaaaaaaaaa", "ann", "too simple")]
    [InlineData("ann-is-my-user-name", "ann", "does not hold the user name")]
    [InlineData(People.Password, "a b c", "no spaces")]
    public async Task What_does_not_fit_is_said_and_makes_nothing(string password, string userName, string said)
    {
        var browser = await _app.SignedInAsync();
        using var answer = await PostAsync(browser, "/welcome", "owner", ("Input.Name", "Ann"), ("Input.UserName", userName), ("Input.Password", password));
        (await answer.Content.ReadAsStringAsync()).ShouldContain(said);
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        (await db.Accounts.SingleAsync()).PasswordHash.ShouldBeNull();
    }

    [Fact]
    public async Task Wrong_name_and_wrong_password_are_told_the_same_and_take_as_long()
    {
        await using var app = new AdminApp { HashesAsInUse = true };
        var person = await new People(app.Services).MakeAsync();
        var (known, unknown) = (new List<string>(), new List<string>());
        var (slow, fast) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var i = 0; i < 3; i++)
        {
            var started = Stopwatch.GetTimestamp();
            known.Add(Shown(await (await SignInAsync(app.Browser(), person.UserName, "not the password at all")).Content.ReadAsStringAsync()));
            slow += Stopwatch.GetElapsedTime(started);
            started = Stopwatch.GetTimestamp();
            unknown.Add(Shown(await (await SignInAsync(app.Browser(), "nobody-of-this-name", "not the password at all")).Content.ReadAsStringAsync()));
            fast += Stopwatch.GetElapsedTime(started);
        }
        known.Concat(unknown).Distinct().ShouldHaveSingleItem().ShouldBe("User name or password is not right.");
        // PBKDF2 with SHA-512 in the framework's third format: marker, function, rounds.
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        var hash = Convert.FromBase64String((await db.Accounts.SingleAsync(a => a.Id == person.Id)).PasswordHash!);
        (hash[0], BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(1)), BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(5))).ShouldBe(((byte)1, 2, 210_000));
        // Both hash once; without that the unknown name would be answered in a tenth of the time.
        (fast / slow).ShouldBeGreaterThan(0.4, $"unknown {fast}, known {slow}");
    }

    [Fact]
    public async Task Five_wrong_passwords_lock_the_account_for_the_right_one_too()
    {
        var person = await _people.MakeAsync();
        for (var i = 0; i < Accounts.FreeAttempts; i++) (await SignInAsync(_app.Browser(), person.UserName, "not the password at all")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await SignInAsync(_app.Browser(), person.UserName, People.Password)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        await db.Accounts.Where(a => a.Id == person.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.LockedUntil, DateTimeOffset.UtcNow.AddSeconds(-1)));
        (await SignInAsync(_app.Browser(), person.UserName, People.Password)).StatusCode.ShouldBe(HttpStatusCode.Redirect);
        (await db.Accounts.AsNoTracking().SingleAsync(a => a.Id == person.Id)).FailedSignIns.ShouldBe(0);
    }

    [Fact]
    public async Task Attempts_are_counted_by_address_and_by_name()
    {
        var person = await _people.MakeAsync();
        // A minute may end in the middle; then the count began anew, and so does this.
        for (var round = 0; ; round++)
        {
            var minute = Minute();
            var statuses = new List<HttpStatusCode>();
            for (var i = 0; i < 11; i++) statuses.Add((await SignInAsync(_app.Browser(), $"nobody{round}-{i}", "not the password")).StatusCode);
            using var refused = await SignInAsync(_app.Browser(), person.UserName, People.Password);
            // Another address is another counter; the name's own holds for all of them, and a header that anybody can write changes nothing.
            using var elsewhere = await SignInAsync(From("203.0.113.7"), person.UserName, People.Password);
            var forged = _app.Browser();
            forged.DefaultRequestHeaders.Add("X-Forwarded-For", "198.51.100.9");
            using var disguised = await SignInAsync(forged, person.UserName, People.Password);
            if (Minute() != minute) continue;
            statuses.Count(s => s == HttpStatusCode.OK).ShouldBeInRange(round == 0 ? 10 : 0, 10);
            statuses[^1].ShouldBe(HttpStatusCode.TooManyRequests);
            refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            elsewhere.StatusCode.ShouldBe(HttpStatusCode.Redirect);
            disguised.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
            return;
        }

        static long Minute() => TimeProvider.System.GetUtcNow().Ticks / TimeSpan.TicksPerMinute;
    }

    [Fact]
    public async Task Signing_in_begins_a_session_of_its_own_and_signing_out_ends_it_everywhere()
    {
        var person = await _people.MakeAsync();
        var browser = _app.Browser();
        // A cookie that somebody planted is not taken over.
        browser.DefaultRequestHeaders.Add("Cookie", "ingestion=planted-by-somebody-else");
        using var entered = await SignInAsync(browser, person.UserName, People.Password);
        var cookie = entered.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("ingestion=", StringComparison.Ordinal)).Split(';')[0];
        cookie.ShouldNotContain("planted");
        var copy = _app.CreateClient(new() { HandleCookies = false, AllowAutoRedirect = false });
        copy.DefaultRequestHeaders.Add("Cookie", cookie);
        copy.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        (await copy.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await copy.PostAsync("/sign-out", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await copy.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Cookie_of_a_browser_is_not_in_the_database()
    {
        var person = await _people.MakeAsync();
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        var row = await db.Sessions.SingleAsync(s => s.AccountId == person.Id);
        row.TokenHash.ShouldBe(AccessToken.Hash(person.Session));
        row.Id.ShouldNotContain(person.Session[..8]);
    }

    [Fact]
    public async Task Idle_and_ended_sessions_are_nobody()
    {
        var (idle, old) = (await _people.MakeAsync(), await _people.MakeAsync());
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        await db.Sessions.Where(s => s.AccountId == idle.Id).ExecuteUpdateAsync(u => u.SetProperty(s => s.LastSeenAt, DateTimeOffset.UtcNow.AddHours(-13)));
        await db.Sessions.Where(s => s.AccountId == old.Id).ExecuteUpdateAsync(u => u.SetProperty(s => s.EndsAt, DateTimeOffset.UtcNow.AddSeconds(-1)));
        foreach (var person in new[] { idle, old }) (await _app.Browser(person).GetAsync("/batches")).Headers.Location!.OriginalString.ShouldStartWith("/sign-in");
    }

    [Fact]
    public async Task Invitation_makes_one_account_with_its_role()
    {
        var admin = new Actor(Tenant.Default, "test");
        var (_, token) = await _app.Services.GetRequiredService<Invitations>().CreateAsync(admin, "Bea", Role.Reviewer, CancellationToken.None);
        var browser = _app.Browser();
        (await (await browser.GetAsync($"/invite?token={token}")).Content.ReadAsStringAsync()).ShouldContain("You are invited");
        using var joined = await PostAsync(browser, $"/invite?token={token}", "join", ("Input.Name", "Bea"), ("Input.UserName", "bea"), ("Input.Password", People.Password));
        joined.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        using var again = await _app.Browser().GetAsync($"/invite?token={token}");
        (await again.Content.ReadAsStringAsync()).ShouldContain("does not work");
        var members = await _app.Services.GetRequiredService<Members>().ListAsync(Tenant.Default, CancellationToken.None);
        members.ShouldHaveSingleItem().Role.ShouldBe(Role.Reviewer);
        (await SignInAsync(_app.Browser(), "bea", People.Password)).StatusCode.ShouldBe(HttpStatusCode.Redirect);
    }

    [Fact]
    public async Task Two_who_accept_one_invitation_at_once_become_one_account()
    {
        var (_, token) = await _app.Services.GetRequiredService<Invitations>().CreateAsync(new(Tenant.Default, "test"), "Bea", Role.Viewer, CancellationToken.None);
        var accounts = _app.Services.GetRequiredService<Accounts>();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => accounts.JoinAsync(token, $"bea{i}", "Bea", "hash", null, CancellationToken.None)));
        answers.Count(a => a.Account is not null).ShouldBe(1);
    }

    [Theory]
    [InlineData("POST", "/sign-out")]
    [InlineData("POST", "/api/v1/keys")]
    [InlineData("DELETE", "/api/v1/sessions/ses_x")]
    [InlineData("PUT", "/api/v1/secrets/a")]
    public async Task Changes_by_cookie_from_a_foreign_page_are_refused(string method, string path)
    {
        var person = await _people.MakeAsync(Role.Administrator);
        var browser = _app.Browser(person);
        browser.DefaultRequestHeaders.Remove("X-Requested-With");
        using var request = new HttpRequestMessage(new(method), path) { Headers = { { "Origin", "https://evil.example" } } };
        (await browser.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Sign_in_form_without_its_token_is_refused()
    {
        var person = await _people.MakeAsync();
        using var answer = await _app.Browser().PostAsync("/sign-in", new FormUrlEncodedContent([new("_handler", "password"), new("Input.UserName", person.UserName), new("Input.Password", People.Password)]));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    private HttpClient From(string address)
    {
        var browser = _app.Browser();
        browser.DefaultRequestHeaders.Add(AdminApp.From, address);
        return browser;
    }

    private static Task<HttpResponseMessage> SignInAsync(HttpClient browser, string userName, string password) =>
        PostAsync(browser, "/sign-in", "password", ("Input.UserName", userName), ("Input.Password", password));

    // As a browser does it: the form's own token is read from the page.
    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string page, string form, params (string Name, string Value)[] fields)
    {
        var html = await browser.GetStringAsync(page);
        var token = AntiforgeryToken().Match(html).Groups[1].Value;
        return await browser.PostAsync(page, new FormUrlEncodedContent([new("_handler", form), new("__RequestVerificationToken", token), .. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value))]));
    }

    private static string Shown(string html) => WebUtility.HtmlDecode(Note().Match(html).Groups[1].Value);

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex AntiforgeryToken();

    [GeneratedRegex("<p class=\"plain-note\" role=\"alert\">([^<]+)</p>", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Note();
}

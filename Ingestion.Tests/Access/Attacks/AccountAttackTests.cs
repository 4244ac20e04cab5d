using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>Guessing, planting, keeping and raising: what is tried with accounts, sessions, invitations and keys.</summary>
public sealed partial class AccountAttackTests(ServedApp app) : IClassFixture<ServedApp>
{
    [Fact]
    public async Task Refusal_of_a_sign_in_is_the_same_whether_name_password_account_or_lock_is_the_reason()
    {
        var (right, disabled, locked) = (await app.People.MakeAsync(), await app.People.MakeAsync(disabled: true), await app.People.MakeAsync());
        var provided = await app.People.MakeAsync();
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        await db.Accounts.Where(a => a.Id == locked.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.LockedUntil, DateTimeOffset.UtcNow.AddHours(1)));
        await db.Accounts.Where(a => a.Id == provided.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.PasswordHash, (string?)null));
        var answers = new List<string>();
        foreach (var (name, password) in new[]
        {
            ("nobody-of-this-name", People.Password), (right.UserName, "not the password at all"), (disabled.UserName, People.Password), (locked.UserName, People.Password), (provided.UserName, People.Password),
            (new string('a', 5000), People.Password), (right.UserName, new string('p', 5000)), ("", ""), ("' OR 1=1 --", "' OR 1=1 --"), (right.UserName.ToUpperInvariant(), "wrong in another way"),
        })
        {
            using var answer = await SignInAsync(name, password);
            var shown = Note().Match(await answer.Content.ReadAsStringAsync()).Groups[1].Value;
            answers.Add($"{(int)answer.StatusCode} {shown} {string.Join(',', answer.Headers.Concat(answer.Content.Headers).Select(h => h.Key).Where(k => k != "Date").Order())}");
            answer.Headers.TryGetValues("Set-Cookie", out var cookies);
            (cookies ?? []).ShouldNotContain(c => c.StartsWith("ingestion=", StringComparison.Ordinal));
        }
        // What no name can hold is refused before anybody is looked for.
        using var known = await SignInAsync(right.UserName + "\0", People.Password);
        using var unknown = await SignInAsync("nobody\0", People.Password);
        known.StatusCode.ShouldBe(unknown.StatusCode);
        ((int)known.StatusCode).ShouldBeLessThan(500);
        answers.Distinct().ShouldHaveSingleItem().ShouldStartWith("200 User name or password is not right.");
        Console.WriteLine($"{answers.Count} refused sign-ins, one answer");
    }

    [Fact]
    public async Task Invitation_that_is_used_withdrawn_expired_or_invented_is_answered_alike()
    {
        var invitations = app.Services.GetRequiredService<Invitations>();
        var admin = new Core.Pipeline.Actor(Tenant.Default, "test");
        var (used, usedToken) = await invitations.CreateAsync(admin, "Used", Role.Viewer, CancellationToken.None);
        var (withdrawn, withdrawnToken) = await invitations.CreateAsync(admin, "Withdrawn", Role.Viewer, CancellationToken.None);
        var (expired, expiredToken) = await invitations.CreateAsync(admin, "Expired", Role.Viewer, CancellationToken.None);
        await invitations.WithdrawAsync(admin, withdrawn.Id, CancellationToken.None);
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        await db.Invitations.Where(i => i.Id == used.Id).ExecuteUpdateAsync(u => u.SetProperty(i => i.AcceptedAt, DateTimeOffset.UtcNow));
        await db.Invitations.Where(i => i.Id == expired.Id).ExecuteUpdateAsync(u => u.SetProperty(i => i.ExpiresAt, DateTimeOffset.UtcNow.AddSeconds(-1)));
        using var client = app.Client();
        var said = new List<string>();
        foreach (var token in new[] { usedToken, withdrawnToken, expiredToken, AccessToken.New(), "x", new string('a', 3000), "'--" })
        {
            using var answer = await client.GetAsync($"/invite?token={token}");
            said.Add($"{(int)answer.StatusCode} {Signed().Replace(await answer.Content.ReadAsStringAsync(), "")}");
        }
        said.Distinct().ShouldHaveSingleItem().ShouldContain("This invitation does not work");
    }

    [Fact]
    public async Task Nobody_comes_to_more_than_they_have_by_what_they_send_along()
    {
        var viewer = await app.People.MakeAsync(Role.Viewer);
        using var client = app.Client(viewer.Key);
        foreach (var (name, value) in new[]
        {
            ("X-User", "owner"), ("X-Remote-User", "owner"), ("X-Tenant", "other"), ("X-Role", "administrator"), ("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "PUT"), ("Authorization", "Basic b3duZXI6b3duZXI="), ("Remote-User", "owner"),
        })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/me?role=administrator&owner=true&user_id=" + viewer.Id) { Headers = { { name, value } } };
            var me = await (await client.SendAsync(request)).Content.ReadFromJsonAsync<JsonElement>();
            (me.GetProperty("id").GetString(), me.GetProperty("role").GetString(), me.GetProperty("owner").GetBoolean(), me.GetProperty("tenant").GetString()).ShouldBe((viewer.Id, "viewer", false, "default"), name);
        }
        (await client.PostAsJsonAsync("/api/v1/keys", new { name = "more", scope = "admin", account = "usr_somebody", tenant = "other", role = "administrator" })).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.GetAsync("/api/v1/users")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("ing_")]
    [InlineData("null")]
    [InlineData("'; --")]
    [InlineData("ing_%")]
    [InlineData("Bearer ")]
    public async Task Key_that_is_none_lets_nobody_in(string key)
    {
        using var client = app.Client();
        client.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", key);
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var bearer = app.Client();
        bearer.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + key);
        (await bearer.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Key_is_taken_whole_and_alone()
    {
        var person = await app.People.MakeAsync();
        foreach (var sent in new[] { person.Key[..^1], person.Key + "0", person.Key.ToUpperInvariant(), $"{person.Key},{person.Key}", person.Key[..12] })
        {
            using var client = app.Client(sent);
            (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, sent.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        // A wrong key beside a good cookie, and two keys, are no key: whoever sends one means it.
        var twice = await app.RawAsync($"GET /api/v1/me HTTP/1.1\r\nHost: {app.Host}\r\nX-Api-Key: {person.Key}\r\nX-Api-Key: {AdminApp.Key}\r\nConnection: close\r\n\r\n");
        twice.ShouldStartWith("HTTP/1.1 401");
        var both = await app.RawAsync($"GET /api/v1/me HTTP/1.1\r\nHost: {app.Host}\r\nCookie: ingestion={person.Session}\r\nAuthorization: Bearer nonsense\r\nConnection: close\r\n\r\n");
        both.ShouldStartWith("HTTP/1.1 401");
    }

    [Fact]
    public async Task Session_is_no_key_a_key_is_no_session_and_an_id_is_neither()
    {
        var person = await app.People.MakeAsync();
        var me = app.Services.GetRequiredService<Sessions>();
        var id = (await me.ListAsync(person.TenantId, person.Id, CancellationToken.None)).Single().Id;
        foreach (var (header, value) in new[] { ("X-Api-Key", person.Session), ("Cookie", $"ingestion={person.Key}"), ("Cookie", $"ingestion={id}"), ("X-Api-Key", id), ("Cookie", $"ingestion={Convert.ToHexStringLower(AccessToken.Hash(person.Session))}"), ("Cookie", $"__Host-ingestion={person.Session}") })
        {
            using var client = app.Client();
            client.DefaultRequestHeaders.Add(header, value);
            (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized, $"{header}: {value[..Math.Min(20, value.Length)]}");
        }
    }

    [Fact]
    public async Task What_is_kept_of_passwords_keys_sessions_and_invitations_opens_nothing()
    {
        var person = await app.People.MakeAsync();
        var (_, token) = await app.Services.GetRequiredService<Invitations>().CreateAsync(new(Tenant.Default, "test"), "Bea", Role.Viewer, CancellationToken.None);
        var worker = app.Services.GetRequiredService<Database>().Worker;
        foreach (var (table, secret) in new[] { ("api_key", person.Key), ("user_session", person.Session), ("invitation", token), ("account", People.Password) })
            (await worker.QueryAsync<long>($"SELECT count(*) FROM ingestion.{table} t WHERE position($1 in t::text) > 0", secret)).ShouldBe([0], table);
        Enumerable.Range(0, 1000).Select(_ => AccessToken.New()).Distinct().Count().ShouldBe(1000);
        AccessToken.New().Length.ShouldBe(64, "256 bits in hexadecimal");
    }

    [Theory]
    [InlineData("0.0.0.0", "")]
    [InlineData("::", "")]
    [InlineData("192.0.2.1", "")]
    [InlineData("0.0.0.0", "short")]
    public async Task Open_to_the_network_without_a_key_it_does_not_start(string bind, string key)
    {
        using var data = new TemporaryDirectory("open-").Traversable();
        await using var app = AppProcess.Begin(new(data.Path) { Settings = [("Ingestion:Bind", bind), ("Ingestion:BootstrapKey", key)] });
        (await app.ExitAsync(TimeSpan.FromSeconds(60))).ShouldBe(1);
        await Eventually.IsAsync(() => Task.FromResult(app.Output.Contains("INGESTION_BOOTSTRAP_KEY", StringComparison.Ordinal)), "it says what is missing");
    }

    private async Task<HttpResponseMessage> SignInAsync(string name, string password)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new($"http://{app.Host}") };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var token = FormToken().Match(await client.GetStringAsync("/sign-in")).Groups[1].Value;
        return await client.PostAsync("/sign-in", new FormUrlEncodedContent([new("_handler", "password"), new("__RequestVerificationToken", token), new("Input.UserName", name), new("Input.Password", password)]));
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex FormToken();

    [GeneratedRegex("<p class=\"plain-note\" role=\"alert\">([^<]+)</p>", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Note();

    [GeneratedRegex("<!--.*?-->", RegexOptions.CultureInvariant | RegexOptions.Singleline, 1000)]
    private static partial Regex Signed();
}

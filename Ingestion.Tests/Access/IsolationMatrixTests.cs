using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

/// <summary>
/// Every route, page, download and socket there is, asked by every kind of caller for things of the owner's. Generated from the routes of
/// the running program: a new one is in it, or fails it.
/// </summary>
public sealed partial class IsolationMatrixTests : IAsyncLifetime
{
    private readonly AdminApp _base = new();
    private WebApplicationFactory<Program> _app = null!;

    /// <param name="Facts">Null where the caller is nobody.</param>
    /// <param name="Reaches">True where the owner's things are within reach.</param>
    private sealed record Who(string Name, CallerFacts? Facts, bool Reaches, string? Key, string? Session);

    public Task InitializeAsync()
    {
        _app = _base.WithWebHostBuilder(b =>
        {
            foreach (var limit in new[] { "SignIns", "Batches", "Uploads", "Searches", "Sockets" }) b.UseSetting($"Ingestion:Limits:{limit}PerMinute", "0");
        });
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _base.DisposeAsync();
    }

    [Fact]
    public async Task Nobody_gets_what_is_not_theirs()
    {
        using var warm = _app.CreateClient();
        var people = new People(_app.Services);
        await people.TenantAsync("other");
        var owner = await people.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(_app.Services, owner);
        await estate.BuildAsync();
        var callers = await CallersAsync(people, owner);
        var (asked, allowed, refused, hidden) = (0, 0, 0, 0);
        var leaks = new List<string>();
        foreach (var (pattern, method) in RouteRulesTests.Routes(_app.Services).Where(r => Environment.GetEnvironmentVariable("TMPF") is not { } f || System.Text.RegularExpressions.Regex.IsMatch(r.Pattern, f)))
            foreach (var who in callers)
                foreach (var bySession in new[] { false, true })
                {
                    if (bySession ? who.Session is null : who.Key is null && who.Session is not null) continue;
                    var (address, names) = await estate.AddressAsync(pattern);
                    asked++;
                    var (answer, body) = await AnsweredAsync(method, address, who, bySession);
                    if (answer is null)
                    {
                        leaks.Add($"{method} {pattern} by {who.Name}{(bySession ? " (browser)" : "")}: is not answered");
                        continue;
                    }
                    using var _ = answer;
                    var verdict = Judge(RouteRules.Find(pattern, method)!, who, bySession, method, names && !address.StartsWith("/api/v1/secrets", StringComparison.Ordinal), answer, body);
                    if (verdict is not null) leaks.Add($"{method} {pattern} by {who.Name}{(bySession ? " (browser)" : "")}: {verdict} [{(int)answer.StatusCode}]");
                    else if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Redirect or HttpStatusCode.Forbidden) refused++;
                    else if (answer.StatusCode == HttpStatusCode.NotFound) hidden++;
                    else allowed++;
                }
        Console.WriteLine($"isolation matrix: {RouteRulesTests.Routes(_app.Services).Count} routes × {callers.Count} callers = {asked} requests: {allowed} answered, {refused} refused, {hidden} hidden, {leaks.Count} leaks");
        leaks.ShouldBeEmpty();
    }

    [Fact]
    public async Task Foreign_and_unknown_ids_are_answered_alike()
    {
        using var warm = _app.CreateClient();
        var people = new People(_app.Services);
        await people.TenantAsync("other");
        var owner = await people.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(_app.Services, owner);
        await estate.BuildAsync();
        var stranger = await people.MakeAsync(Role.Administrator, "other");
        var who = new Who("stranger", null, false, stranger.Key, null);
        var compared = 0;
        foreach (var (pattern, method) in RouteRulesTests.Routes(_app.Services).Where(r => Place(r.Pattern) > 0))
        {
            var (foreign, _) = await estate.AddressAsync(pattern);
            var id = foreign.Split('/')[Place(pattern)];
            var made = string.Concat(id.TakeWhile(c => c != '_').Append('_')) + "aaaaaaaaaaaaaaaa";
            using var one = await AskAsync(method, foreign, who, bySession: false);
            using var two = await AskAsync(method, foreign.Replace(id, made, StringComparison.Ordinal), who, bySession: false);
            Plain(await BodyAsync(one), id).ShouldBe(Plain(await BodyAsync(two), made), $"{method} {pattern}");
            one.StatusCode.ShouldBe(two.StatusCode, $"{method} {pattern}");
            compared++;
        }
        compared.ShouldBeGreaterThan(15);
        Console.WriteLine($"{compared} routes answer a foreign id as they answer an unknown one");
    }

    // Null where all is well, else what is wrong.
    private static string? Judge(RouteRule rule, Who who, bool bySession, string method, bool names, HttpResponseMessage answer, string body)
    {
        if (!who.Reaches && body.Contains(Estate.Canary, StringComparison.Ordinal)) return "reads what is the owner's";
        if ((int)answer.StatusCode >= 500) return "breaks";
        if (rule.Needs is not { } needed) return null;
        var status = answer.StatusCode;
        if (who.Facts is not { } facts)
            return status == HttpStatusCode.Unauthorized || (status == HttpStatusCode.Redirect && answer.Headers.Location!.OriginalString.StartsWith("/sign-in", StringComparison.Ordinal)) ? null : "is let in";
        var may = facts.May(needed) && (bySession || facts.Scope != KeyScope.Read || method == "GET");
        if (!may) return status == HttpStatusCode.Forbidden ? null : "is not refused";
        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden && !Explained(body)) return "is refused";
        if (rule.IsPage || !names) return null;
        // Keys and sessions are a person's own; administrators see everybody's.
        var personal = rule.Pattern is "/api/v1/keys/{id}" or "/api/v1/sessions/{id}" or "/batch/ws/{user_id}" && !facts.May(Permission.Administer);
        return who.Reaches && !personal ? status == HttpStatusCode.NotFound ? "does not find it" : null
            : status == HttpStatusCode.NotFound ? null : "is not told that there is none";
    }

    // A refusal that is not of the caller's rights: a key of the machine's own, a program that asks for a passkey.
    private static bool Explained(string body) => body.Contains("Keys belong to people", StringComparison.Ordinal) || body.Contains("Passkeys are added", StringComparison.Ordinal) || body.Contains("cannot make one", StringComparison.Ordinal);

    private async Task<List<Who>> CallersAsync(People people, Person owner)
    {
        async Task<Who> Of(string name, Person person, bool reaches, KeyScope scope = KeyScope.Admin, bool session = true, bool key = true)
        {
            var facts = await _app.Services.GetRequiredService<Callers>().OfAccountAsync(person.Id, person.TenantId, CancellationToken.None);
            return new(name, facts is null ? null : facts with { Scope = scope }, reaches, key ? person.Key : null, session ? person.Session : null);
        }
        await using var db = _app.Services.GetRequiredService<Contexts>().Worker();
        var elsewhere = db.Collections.Where(c => c.TenantId == Tenant.Default && c.Key == "default").Select(c => c.Id).ToList();
        return
        [
            await Of("owner", owner, true),
            await Of("teammate, operator", await people.MakeAsync(Role.Operator), true),
            await Of("viewer", await people.MakeAsync(Role.Viewer), true),
            await Of("other user, own batches in another collection", await people.MakeAsync(Role.Operator, narrowing: new(elsewhere, [], OwnBatches: true)), false),
            await Of("administrator of another tenant", await people.MakeAsync(Role.Administrator, "other"), false),
            new("anonymous", null, false, null, null),
            new("expired key", null, false, (await people.MakeAsync(Role.Administrator, keyExpires: DateTimeOffset.UtcNow.AddMinutes(-1))).Key, null),
            new("unknown key", null, false, "ing_" + new string('0', 64), null),
            await Of("read-only key of an administrator", await people.MakeAsync(Role.Administrator, scope: KeyScope.Read), true, KeyScope.Read, session: false),
            await Of("disabled user", await people.MakeAsync(Role.Administrator, disabled: true), false),
        ];
    }

    // Null where no answer comes in the client's own time.
    private async Task<(HttpResponseMessage? Answer, string Body)> AnsweredAsync(string method, string address, Who who, bool bySession)
    {
        try
        {
            var answer = await AskAsync(method, address, who, bySession);
            return (answer, await BodyAsync(answer).WaitAsync(TimeSpan.FromSeconds(100)));
        }
        catch (Exception e) when (e is OperationCanceledException or TimeoutException or HttpRequestException)
        {
            return (null, "");
        }
    }

    private async Task<HttpResponseMessage> AskAsync(string method, string address, Who who, bool bySession)
    {
        var client = _app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        // Signing out ends what the next request of this caller needs.
        // What a stranger sets is the stranger's own, whatever it is called.
        if (method == "PUT" && address.StartsWith("/api/v1/secrets/", StringComparison.Ordinal)) address = "/api/v1/secrets/own";
        if (address == "/sign-out" && bySession) address = "/sign-out?tenant_id=nowhere";
        var request = new HttpRequestMessage(new(method), address == "/api/v1/search" ? $"{address}?q=dusk" : address.StartsWith("/api/v1/uploads/up_", StringComparison.Ordinal) && method == "PUT" ? address + "?offset=0" : address);
        request.Headers.Accept.ParseAdd(bySession ? "text/html" : "application/json");
        request.Headers.Add("X-Requested-With", "ingestion");
        if (bySession) request.Headers.Add("Cookie", $"ingestion={who.Session}");
        else if (who.Key is not null) request.Headers.Add("X-Api-Key", who.Key);
        if (method is not ("GET" or "DELETE")) request.Content = new StringContent(address.Contains("/secrets/", StringComparison.Ordinal) ? """{"value":"x"}""" : "{}", Encoding.UTF8, "application/json");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    // Which part of a program's route names a thing; 0 for none.
    private static int Place(string pattern) => pattern.StartsWith("/api/", StringComparison.Ordinal) || pattern.StartsWith("/batch/", StringComparison.Ordinal) || pattern.StartsWith("/ingest/", StringComparison.Ordinal)
        ? Math.Max(0, Array.FindIndex(pattern.Split('/'), p => p is "{id}" or "{job_id}"))
        : 0;

    // A stream goes on for as long as its batch does: what it begins with is enough.
    private static async Task<string> BodyAsync(HttpResponseMessage answer)
    {
        if (answer.Content.Headers.ContentType?.MediaType != "text/event-stream") return await answer.Content.ReadAsStringAsync();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        var lines = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line && !lines.AppendLine(line).ToString().Contains("data:", StringComparison.Ordinal)) continue;
        return lines.ToString();
    }

    private static string Plain(string body, string id) => CorrelationId().Replace(body.Replace(id, "ID", StringComparison.Ordinal), "");

    [GeneratedRegex("\"correlation_id\":\"[^\"]*\"|\"traceId\":\"[^\"]*\"", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex CorrelationId();
}

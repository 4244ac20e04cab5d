using System.Net;
using System.Net.WebSockets;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>What pages of other sites try with a person's browser: forged requests, live connections, redirects, another name of ours.</summary>
public sealed partial class OriginTests(ServedApp app) : IClassFixture<ServedApp>
{
    [Fact]
    public async Task No_changing_route_takes_the_cookie_from_a_page_of_another_origin()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={owner.Session}");
        client.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        var asked = 0;
        foreach (var (pattern, method) in RouteRulesTests.Routes(app.Services).Where(r => r.Method is not ("GET" or "HEAD") && RouteRules.Find(r.Pattern, r.Method) is { Needs: not null, IsPage: false }))
            foreach (var (name, value) in new[] { ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", $"http://localhost.evil.example:{app.Port}"), ("Origin", "http://localhost:1"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site") })
            {
                using var request = new HttpRequestMessage(new(method), Place().Replace(pattern, "1")) { Headers = { { name, value } } };
                using var answer = await client.SendAsync(request);
                answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden, $"{method} {pattern} with {name}: {value}");
                asked++;
            }
        asked.ShouldBeGreaterThan(100);
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK, "the session is as it was");
        Console.WriteLine($"{asked} forged changes, all refused");
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("own", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("http://localhost:1", false)]
    [InlineData("file://", false)]
    public async Task Live_connection_by_cookie_is_for_our_own_pages(string? origin, bool opens)
    {
        var person = await app.People.MakeAsync();
        (await ConnectAsync(person.Session, origin == "own" ? $"http://{app.Host}" : origin)).ShouldBe(opens ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Live_connection_without_a_session_is_not_accepted_and_no_token_in_its_address_helps()
    {
        var person = await app.People.MakeAsync();
        (await ConnectAsync(null, null)).ShouldBe(HttpStatusCode.Unauthorized);
        (await ConnectAsync(null, null, $"?access_token={person.Key}&api_key={person.Key}&id={person.Session}")).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Caller_holds_so_many_live_connections_and_no_more()
    {
        var (person, other) = (await app.People.MakeAsync(), await app.People.MakeAsync());
        var open = new List<ClientWebSocket>();
        try
        {
            for (var i = 0; i < 3; i++) open.Add(await OpenAsync(person.Session));
            (await ConnectAsync(person.Session, null)).ShouldBe(HttpStatusCode.TooManyRequests);
            open.Add(await OpenAsync(other.Session));
            open[0].Abort();
            await Eventually.IsAsync(async () => await ConnectAsync(person.Session, null) == HttpStatusCode.SwitchingProtocols, "one that ended makes room");
        }
        finally
        {
            foreach (var socket in open) socket.Dispose();
        }
    }

    [Fact]
    public async Task Nobody_elsewhere_is_told_that_they_may_ask()
    {
        using var client = app.Client();
        var asked = 0;
        foreach (var (pattern, method) in RouteRulesTests.Routes(app.Services))
        {
            using var preflight = new HttpRequestMessage(HttpMethod.Options, Place().Replace(pattern, "1"))
            {
                Headers = { { "Origin", "https://evil.example" }, { "Access-Control-Request-Method", method }, { "Access-Control-Request-Headers", "x-requested-with, x-api-key" } },
            };
            using var answer = await client.SendAsync(preflight);
            answer.Headers.Any(h => h.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)).ShouldBeFalse($"{method} {pattern}");
            asked++;
        }
        Console.WriteLine($"{asked} preflights, none allowed");
    }

    [Fact]
    public async Task Looking_changes_nothing()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        var worker = app.Services.GetRequiredService<Database>().Worker;
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={owner.Session}");
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var addresses = new List<string>();
        foreach (var (pattern, _) in RouteRulesTests.Routes(app.Services).Where(r => r.Method == "GET" && !r.Pattern.Contains("_blazor", StringComparison.Ordinal) && !r.Pattern.Contains("stream", StringComparison.Ordinal))) addresses.Add((await estate.AddressAsync(pattern)).Address);
        foreach (var address in addresses.Order(StringComparer.Ordinal))
        {
            var before = await ContentAsync(worker);
            using var answer = await client.GetAsync(address + "?state=cancelled&delete=true&action=cancel&method=DELETE&_method=DELETE");
            ((int)answer.StatusCode).ShouldBeLessThan(500, address);
            (await ContentAsync(worker)).ShouldBe(before, address);
        }
        Console.WriteLine($"{addresses.Count} addresses looked at, not a row changed");
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("https:evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData(" /batches")]
    [InlineData("/\u0000/evil.example")]
    [InlineData("///evil.example")]
    [InlineData("evil.example")]
    [InlineData("")]
    public void Address_to_return_to_is_a_page_of_ours(string returnUrl) => SignInDesk.Home(returnUrl).ShouldBe("/");

    [Fact]
    public async Task Page_at_an_address_that_looks_like_another_host_links_to_none()
    {
        var person = await app.People.MakeAsync();
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={person.Session}");
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var answer = await client.GetAsync($"http://{app.Host}//evil.example/%5Cevil.example");
        (await answer.Content.ReadAsStringAsync()).ShouldNotMatch("(?i)href=\"[/\\\\]{2}");
        using var away = app.Client();
        away.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var led = await away.GetAsync($"http://{app.Host}//evil.example");
        led.Headers.Location!.OriginalString.ShouldBe("/sign-in?returnUrl=%2F%2Fevil.example");
        SignInDesk.Home("//evil.example").ShouldBe("/");
    }

    private async Task<ClientWebSocket> OpenAsync(string session)
    {
        var socket = Socket(session, null);
        await socket.ConnectAsync(new($"ws://{app.Host}/_blazor"), CancellationToken.None);
        return socket;
    }

    private async Task<HttpStatusCode> ConnectAsync(string? session, string? origin, string query = "")
    {
        using var socket = Socket(session, origin);
        try
        {
            await socket.ConnectAsync(new($"ws://{app.Host}/_blazor{query}"), CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The status says why.
        }
        return socket.HttpStatusCode;
    }

    private static ClientWebSocket Socket(string? session, string? origin)
    {
        var socket = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        if (session is not null) socket.Options.SetRequestHeader("Cookie", $"ingestion={session}");
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        return socket;
    }

    // Every row of every table, but for what notes that somebody was there and what the program does by itself.
    private static async Task<string> ContentAsync(Npgsql.NpgsqlDataSource worker)
    {
        string[] own = ["user_session", "api_key", "rate_count", "worker_process", "duty", "protection_key", "host_budget", "migration"];
        var tables = await worker.QueryAsync<string>("SELECT tablename::text FROM pg_tables WHERE schemaname = 'ingestion' AND NOT tablename = ANY($1) ORDER BY 1", (object)own);
        var sums = new List<string>();
        foreach (var table in tables) sums.Add($"{table} {(await worker.QueryAsync<string>($"SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM ingestion.{table} t")).Single()}");
        return string.Join('\n', sums);
    }

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Place();
}

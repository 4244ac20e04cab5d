using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>What callers put where a value belongs: pieces of SQL, of full-text and JSON queries, numbers that are none, characters that are none.</summary>
public sealed partial class InjectionTests(ServedApp app) : IClassFixture<ServedApp>
{
    // Every name that any route reads from an address, and some that it might.
    private static readonly string[] Names =
    [
        "q", "state", "stage", "code", "host", "collection", "skip", "take", "after", "sort", "order", "order_by", "page", "page_size", "limit", "offset", "who", "action", "from", "to", "format", "kind", "batch", "purpose", "unfinished",
        "path", "size", "meta.x", "meta.a'--", "meta.$.x[*]", "meta.a\"b", "meta.\u0000", "reason", "tenant", "id", "fields", "filter", "group", "status", "step", "tab",
    ];

    private static readonly string[] Values =
    [
        "'; DROP TABLE ingestion.import_batch; --", "' OR '1'='1", "1; SELECT pg_sleep(30)", "(SELECT pg_sleep(30))", "id DESC; --", "name\" DESC", "$1", "{0}", "%", "_", "\\", "''", "\"", "1 UNION SELECT secret", "-1", "0", "99999999999999999999", "1e400", "NaN",
        "a & | !", "!!!", ":*", "<->", "a <-> <0> b", "'unbalanced", "\"unbalanced", "((((", "a:b:c", "&&&&", "foo:*A & !bar", "\\x00", "$.**", "$.a ? (@ like_regex \"(a+)+$\")", "{\"$gt\": \"\"}", "[", "{}", "null", "true", "\u0000", "a\u0000b", "\ufffe", "\ud83d\ude00",
        "\r\nX-Injected: 1", "\u202Eabc", "../../../../etc/passwd", "%2e%2e%2f", "${jndi:ldap://127.0.0.1/a}", "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "2024-13-45T99:99:99Z", "0001-01-01", "9999-12-31T23:59:59.9999999Z", "-infinity", "epoch",
    ];

    [Fact]
    public async Task Value_in_an_address_is_a_value_for_every_route_that_answers()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        using var client = app.Client(owner.Key);
        var (asked, worst) = (0, TimeSpan.Zero);
        foreach (var (pattern, route) in RouteRulesTests.Routes(app.Services).Where(r => r.Method == "GET" && r.Pattern.TrimStart('/').StartsWith("api/", StringComparison.Ordinal) && !r.Pattern.Contains("stream", StringComparison.Ordinal)).Select((r, i) => (r.Pattern, i)))
        {
            var (address, _) = await estate.AddressAsync(pattern);
            foreach (var value in Turn(Values, 20, route))
            {
                // All at once, and the words of one search by themselves: a refusal of one value must not hide what another would have done.
                foreach (var query in new[] { string.Join('&', Names.Select(n => $"{Uri.EscapeDataString(n)}={Escaped(value)}")), $"q={Escaped(value)}&meta.{Escaped(value)}={Escaped(value)}" })
                {
                    var started = Stopwatch.GetTimestamp();
                    using var answer = await client.GetAsync($"{address}?{query}");
                    if (Stopwatch.GetElapsedTime(started) is var took && took > worst) worst = took;
                    await PlainAsync(answer, $"{address}?{query}");
                    asked++;
                }
            }
        }
        foreach (var (name, i) in Names.Select((n, i) => (n, i)))
            foreach (var value in Turn(Values, 12, i))
            {
                using var answer = await client.GetAsync($"/api/v1/batches?{Uri.EscapeDataString(name)}={Escaped(value)}");
                await PlainAsync(answer, $"{name}={value}");
                asked++;
            }
        await StillThereAsync(owner);
        worst.ShouldBeLessThan(TimeSpan.FromSeconds(20), "nothing slept in the database");
        Console.WriteLine($"{asked} addresses with hostile values: none broke, the slowest took {worst.TotalMilliseconds:0} ms");
    }

    [Fact]
    public async Task Id_in_an_address_is_an_id_for_every_route()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        using var client = app.Client(owner.Key);
        var asked = 0;
        foreach (var ((pattern, method), route) in RouteRulesTests.Routes(app.Services).Where(r => r.Pattern.Contains('{', StringComparison.Ordinal) && RouteRules.Find(r.Pattern, r.Method) is { IsPage: false }).Select((r, i) => (r, i)))
            foreach (var value in Turn([.. Values.Where(v => !v.Contains("..", StringComparison.Ordinal))], 20, route))
            {
                using var request = new HttpRequestMessage(new(method), Place().Replace("/" + pattern.TrimStart('/'), _ => Escaped(value)));
                if (method is not ("GET" or "DELETE")) request.Content = JsonContent.Create(new { });
                using var answer = await client.SendAsync(request);
                await PlainAsync(answer, $"{method} {pattern} with {value}");
                asked++;
            }
        await StillThereAsync(owner);
        Console.WriteLine($"{asked} routes with hostile ids: none broke");
    }

    [Fact]
    public async Task Value_in_a_body_is_a_value()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        using var client = app.Client(owner.Key);
        var asked = 0;
        foreach (var (pattern, method) in RouteRulesTests.Routes(app.Services).Where(r => r.Method is "POST" or "PUT" && RouteRules.Find(r.Pattern, r.Method) is { IsPage: false, Needs: not null } && r.Pattern.Contains("api/v1", StringComparison.Ordinal)))
        {
            var address = Place().Replace("/" + pattern.TrimStart('/'), "1") + "?offset=0";
            foreach (var body in NoBodies().Concat(Turn([.. Bodies()], 24, asked)))
            {
                using var request = new HttpRequestMessage(new(method), address) { Content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/json" } } } };
                using var answer = await client.SendAsync(request);
                await PlainAsync(answer, $"{method} {pattern} with {Encoding.UTF8.GetString(body, 0, Math.Min(80, body.Length))}");
                asked++;
            }
        }
        await StillThereAsync(owner);
        Console.WriteLine($"{asked} bodies with hostile values: none broke");
    }

    [Fact]
    public async Task Page_with_a_hostile_address_is_a_page()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={owner.Session}");
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var asked = 0;
        foreach (var (rule, i) in RouteRules.All.Where(r => r.IsPage).Select((r, i) => (r, i)))
        {
            var (address, _) = await estate.AddressAsync(rule.Pattern);
            foreach (var value in Turn(Values, 16, i))
            {
                using var answer = await client.GetAsync($"{address}?{string.Join('&', Names.Select(n => $"{Uri.EscapeDataString(n)}={Escaped(value)}"))}");
                await PlainAsync(answer, $"{address} with {value}");
                asked++;
            }
        }
        await StillThereAsync(owner);
        Console.WriteLine($"{asked} pages with hostile addresses: none broke");
    }

    // One body that says everything in the wrong way, for each value.
    private static IEnumerable<byte[]> Bodies()
    {
        foreach (var value in Values)
            yield return System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
            {
                ["name"] = value, ["urls"] = new object[] { value, new { url = value, title = value, metadata = new Dictionary<string, string> { [value] = value } } }, ["collection"] = value,
            });
        foreach (var name in new[] { "name", "id", "role", "collections", "connections", "scope", "expires_at", "value", "tenant", "path", "size", "items", "filter", "options", "reason", "urls", "manifests", "uploads", "priority" })
            foreach (var value in new[] { "\"'; --\"", "\"\\u0000\"", "\"\\ud800\"", "[[]]", "{\"\\u0000\":1}", "-1", "1e400", "99999999999999999999", "null", "true" })
                yield return Encoding.UTF8.GetBytes($"{{\"{name}\":{value}}}");
    }

    // What is no JSON, or too much of it.
    private static IEnumerable<byte[]> NoBodies()
    {
        foreach (var text in new[] { "", "null", "[]", "\"\"", "{", "{\"name\":\"a\",\"name\":\"b\"}", new string('[', 100_000), "{\"name\":\"" + new string('x', 1_000_000) + "\"}", "\uFEFF{}", "{\"name\":\"\\ud83d\"}" }) yield return Encoding.UTF8.GetBytes(text);
        yield return [0xff, 0xfe, 0x00, 0x01];
        yield return [(byte)'{', (byte)'"', 0xc3, 0x28, (byte)'"', (byte)':', (byte)'1', (byte)'}'];
    }

    private static async Task PlainAsync(HttpResponseMessage answer, string what)
    {
        var said = await answer.Content.ReadAsStringAsync();
        ((int)answer.StatusCode).ShouldBeLessThan(500, $"{what}: {said}");
        answer.Headers.Contains("X-Injected").ShouldBeFalse(what);
        foreach (var ours in new[] { "Npgsql", "SQLSTATE", "syntax error at", "System.", " at Ingestion.", "StackTrace", "ingestion.import_batch ", "pg_catalog" }) said.ShouldNotContain(ours, Case.Sensitive, $"{what}: {said}");
    }

    private async Task StillThereAsync(Person owner)
    {
        using var client = app.Client(owner.Key);
        (await client.GetAsync("/api/v1/me")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await app.Services.GetRequiredService<Database>().Worker.QueryAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'ingestion'")).Single().ShouldBeGreaterThan(25);
    }

    // So many of them, others each time: together all are tried, and in seconds.
    private static IEnumerable<T> Turn<T>(IReadOnlyList<T> all, int count, int turn) => Enumerable.Range(0, count).Select(i => all[(turn * count + i) % all.Count]);

    private static string Escaped(string value) => Uri.EscapeDataString(value);

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Place();
}

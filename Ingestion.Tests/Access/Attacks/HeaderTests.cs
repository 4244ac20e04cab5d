using System.Net;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Library;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Rendering;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>What every answer carries, what none does, and under which names files leave.</summary>
public sealed partial class HeaderTests(ServedApp app) : IClassFixture<ServedApp>
{
    private static readonly string[] Policy =
    [
        "default-src 'self'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'",
    ];

    [Fact]
    public async Task Every_page_carries_one_policy_that_allows_nothing_inline_and_nobody_to_frame_it()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        using var client = app.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"ingestion={owner.Session}");
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var pages = 0;
        foreach (var rule in RouteRules.All.Where(r => r.IsPage))
        {
            using var answer = await client.GetAsync(Place().Replace(rule.Pattern, "1"));
            var policy = answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem(rule.Pattern);
            policy.Split("; ").ShouldBeSubsetOf([.. Policy, "style-src-attr 'unsafe-inline'", "font-src 'self'"], rule.Pattern);
            Policy.ShouldBeSubsetOf(policy.Split("; "), rule.Pattern);
            Bare(answer);
            // A framework that reveals itself in the page itself.
            (await answer.Content.ReadAsStringAsync()).ShouldNotContain("name=\"generator\"", Case.Insensitive, rule.Pattern);
            pages++;
        }
        Console.WriteLine($"{pages} pages, each with one policy");
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/api/v1/batches")]
    [InlineData("/api/v1/nothing-here")]
    [InlineData("/app.css")]
    [InlineData("/js/shell.js")]
    [InlineData("/_framework/blazor.web.js")]
    [InlineData("/nothing-here.css")]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd")]
    [InlineData("/..%2f..%2fappsettings.json")]
    [InlineData("/appsettings.json")]
    public async Task Answer_of_any_kind_does_not_say_what_serves_it(string path)
    {
        using var client = app.Client(AdminApp.Key);
        using var answer = await client.GetAsync(path);
        Bare(answer);
        answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem();
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain("ConnectionStrings");
    }

    [Fact]
    public async Task Cookies_are_for_this_site_alone_and_out_of_reach_of_scripts()
    {
        using var client = app.Client();
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var page = await client.GetAsync("/sign-in");
        using var entered = await client.GetAsync("/sign-in?token=" + app.Services.GetRequiredService<SignInLinks>().Issue());
        using var passkey = await client.PostAsync("/sign-in/passkey/options", null);
        var cookies = new[] { page, entered, passkey }.SelectMany(a => a.Headers.TryGetValues("Set-Cookie", out var set) ? set : []).ToList();
        cookies.Select(c => c.Split('=')[0]).Distinct().Order().ShouldBe(["ingestion", "ingestion-form", "ingestion-passkey"]);
        foreach (var cookie in cookies)
        {
            cookie.ShouldContain("httponly", Case.Insensitive);
            cookie.ShouldMatch("(?i)samesite=(lax|strict)");
            cookie.ShouldNotContain("domain=", Case.Insensitive);
        }
    }

    [Theory]
    [InlineData("markdown")]
    [InlineData("raw")]
    public async Task File_of_a_stranger_is_an_attachment_that_could_do_nothing_if_it_were_shown(string file)
    {
        var (_, _, of) = await new HostileLibrary(app.Services).ItemAsync();
        using var client = app.Client(AdminApp.Key);
        using var answer = await client.GetAsync($"/api/v1/documents/{of.Version}/{file}");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        answer.Content.Headers.ContentType!.MediaType.ShouldBeOneOf("text/markdown", "application/octet-stream");
        answer.Headers.GetValues("Content-Security-Policy").ShouldBe([SecurityHeaders.OfStrangers]);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
    }

    public static TheoryData<string> Names => ["a\"; filename=\"b.html", "a\r\nX-Injected: 1.txt", "na\u00efve \u0916\u0941\u0936.md", "\u202Egnp.exe", "..\\..\\evil.bat", "CON", "a;b=c'd.txt", "\ud83d\ude00.md", "%0d%0aX-Injected%3a1", " .hidden", new string('x', 5000)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Name_of_a_file_breaks_no_header(string title)
    {
        var seed = new Support.LibrarySeed(app.Services.GetRequiredService<Core.Data.Database>());
        var of = await seed.DocumentAsync(title, ["text"], source: title + Guid.NewGuid());
        var uri = await app.Services.GetRequiredService<Core.Artifacts.IArtifactStore>().PutAsync($"default/names/{of.Version}.md", new MemoryStream("# text"u8.ToArray()), CancellationToken.None);
        await seed.RunAsync("UPDATE ingestion.document_version SET markdown_uri = $1 WHERE id = $2", uri.AbsoluteUri, of.Version);
        using var client = app.Client(AdminApp.Key);
        using var answer = await client.GetAsync($"/api/v1/documents/{of.Version}/markdown");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.Contains("X-Injected").ShouldBeFalse();
        var sent = answer.Content.Headers.ContentDisposition!;
        sent.DispositionType.ShouldBe("attachment");
        var name = sent.FileNameStar ?? sent.FileName!.Trim('"');
        name.ShouldBe(DocumentFiles.FileName(title, ".md"));
        name.ShouldSatisfyAllConditions(() => name.ShouldNotContain("/"), () => name.ShouldNotContain("\\"), () => name.ShouldNotContain("\""), () => name.Any(char.IsControl).ShouldBeFalse(), () => name.Length.ShouldBeLessThan(130));
    }

    [Fact]
    public async Task Health_tells_strangers_no_name()
    {
        await app.People.TenantAsync("health-secret-tenant");
        var person = await app.People.MakeAsync(Role.Administrator);
        await new HostileLibrary(app.Services).ItemAsync();
        using var client = app.Client();
        foreach (var path in new[] { "/health", "/health/live" })
        {
            var said = await client.GetStringAsync(path);
            foreach (var name in new[] { "health-secret-tenant", person.UserName, person.Id, "<script>", "Host=", "Password", Environment.MachineName + ":" }) said.ShouldNotContain(name, Case.Insensitive, path);
        }
    }

    private static void Bare(HttpResponseMessage answer)
    {
        foreach (var name in new[] { "Server", "X-Powered-By", "X-AspNet-Version", "Access-Control-Allow-Origin" }) answer.Headers.Contains(name).ShouldBeFalse(name);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Referrer-Policy").ShouldHaveSingleItem();
        answer.Headers.GetValues("Permissions-Policy").ShouldHaveSingleItem();
    }

    [GeneratedRegex(@"\{[^}]*\}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Place();
}

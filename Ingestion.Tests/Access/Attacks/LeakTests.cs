using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>What can be learned of others without naming them, or by naming theirs inside one's own.</summary>
public sealed partial class LeakTests(ServedApp app) : IClassFixture<ServedApp>
{
    [Fact]
    public async Task Lists_counts_and_searches_say_the_same_whatever_others_have()
    {
        var tenant = "leak-" + Guid.NewGuid().ToString("n")[..8];
        await app.People.TenantAsync(tenant);
        var (owner, stranger) = (await app.People.MakeAsync(Role.Administrator), await app.People.MakeAsync(Role.Administrator, tenant));
        using var client = app.Client(stranger.Key);
        using var browser = app.Client();
        browser.DefaultRequestHeaders.Add("Cookie", $"ingestion={stranger.Session}");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        var lists = RouteRulesTests.Routes(app.Services).Where(r => r.Method == "GET" && !r.Pattern.Contains('{', StringComparison.Ordinal) && RouteRules.Find(r.Pattern, r.Method)!.Needs is Permission.Read or Permission.Ingest or Permission.Administer
            && !r.Pattern.Contains("_blazor", StringComparison.Ordinal)).Select(r => "/" + r.Pattern.TrimStart('/')).Select(a => a == "/api/v1/search" ? a + "?q=dusk" : a).ToList();
        async Task<Dictionary<string, string>> SaidAsync()
        {
            var said = new Dictionary<string, string>();
            foreach (var address in lists)
            {
                using var answer = await (address.StartsWith("/api/", StringComparison.Ordinal) ? client : browser).GetAsync(address);
                // Of a page that sends elsewhere, more or less may have been drawn by then.
                var text = (int)answer.StatusCode is >= 300 and < 400 ? $"{answer.Headers.Location}" : await answer.Content.ReadAsStringAsync();
                said[address] = $"{(int)answer.StatusCode} {answer.Headers.ETag} {Changing().Replace(text, "")}";
            }
            return said;
        }
        await SaidAsync();
        var before = await SaidAsync();
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        foreach (var (pattern, _) in RouteRulesTests.Routes(app.Services)) await estate.AddressAsync(pattern);
        var after = await SaidAsync();
        foreach (var address in lists) Difference(before[address], after[address]).ShouldBeNull(address);
        lists.Count.ShouldBeGreaterThan(15);
        Console.WriteLine($"{lists.Count} lists and pages, word for word the same");
    }

    [Fact]
    public async Task What_belongs_to_others_is_not_taken_in_by_naming_it_inside_ones_own()
    {
        var tenant = "nest-" + Guid.NewGuid().ToString("n")[..8];
        await app.People.TenantAsync(tenant);
        var (owner, stranger) = (await app.People.MakeAsync(Role.Administrator), await app.People.MakeAsync(Role.Administrator, tenant));
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        var worker = app.Services.GetRequiredService<Database>().Worker;
        var uploads = app.Services.GetRequiredService<UploadStore>();
        async Task<string> UploadAsync(Actor of)
        {
            var upload = await uploads.CreateAsync(of, new("a.csv", 3, null, UploadPurposes.File), CancellationToken.None);
            await uploads.WriteAsync(of.Scope, upload.PublicId, 0, new MemoryStream("url"u8.ToArray()), CancellationToken.None);
            return upload.PublicId;
        }
        var theirs = await UploadAsync(new(owner.TenantId, owner.Id));
        var make = new Make(worker);
        var (mine, foreign) = (await make.Batch(BatchState.Failed, tenant: tenant), await make.Batch(BatchState.Failed));
        await make.Item(mine, ItemState.Failed);
        var item = await make.Item(foreign, ItemState.Failed);
        var batch = (await worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", mine)).Single();
        var draft = (await worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", await make.Batch(BatchState.Pending, draft: true))).Single();
        using var client = app.Client(stranger.Key);
        var before = await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch");
        (string Method, string Address, object? Body)[] tries =
        [
            ("POST", "/api/v1/batches", new { name = "n", collection = Estate.Collection, urls = new[] { "https://example.org/" } }),
            ("POST", "/api/v1/batches", new { name = "n", uploads = new[] { theirs } }),
            ("POST", "/api/v1/batches", new { name = "n", manifests = new[] { new { upload = theirs, url_column = "url" } } }),
            ("POST", $"/api/v1/batches/{batch}/retry", new { items = new[] { item } }),
            ("POST", $"/api/v1/batches/{batch}/cancel", new { items = new[] { item } }),
            ("GET", $"/api/v1/batches/{batch}/items/{item}", null),
            ("POST", "/api/v1/uploads", new { path = "a", size = 1, batch = draft }),
            ("POST", $"/api/v1/uploads/file?path=a&batch={draft}", null),
            ("GET", $"/api/v1/uploads?batch={draft}", null),
            ("DELETE", $"/api/v1/uploads?batch={draft}", null),
            ("PUT", $"/api/v1/users/{stranger.Id}", new { collections = new[] { Estate.Collection } }),
            ("PUT", $"/api/v1/users/{owner.Id}", new { role = "viewer" }),
            ("POST", "/api/v1/me/tenant", new { tenant = owner.TenantId }),
            ("GET", $"/api/v1/batches?user_id={owner.Id}&tenant_id={owner.TenantId}", null),
        ];
        foreach (var (method, address, body) in tries)
        {
            using var request = new HttpRequestMessage(new(method), address) { Content = body is null ? null : JsonContent.Create(body) };
            using var answer = await client.SendAsync(request);
            var said = await answer.Content.ReadAsStringAsync();
            answer.StatusCode.ShouldBeOneOf([HttpStatusCode.BadRequest, HttpStatusCode.NotFound, HttpStatusCode.Conflict], $"{method} {address}: {said}");
            said.ShouldNotContain(Estate.Canary);
            // The same words for what does not exist at all.
            var (ghost, ghostBody) = (Ghost(address, theirs, draft, owner.Id, item), body is null ? null : Ghost(JsonSerializer.Serialize(body), theirs, draft, owner.Id, item));
            using var again = new HttpRequestMessage(new(method), ghost) { Content = ghostBody is null ? null : new StringContent(ghostBody, System.Text.Encoding.UTF8, "application/json") };
            using var unknown = await client.SendAsync(again);
            unknown.StatusCode.ShouldBe(answer.StatusCode, $"{method} {ghost}");
        }
        (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(before);
        (await worker.QueryAsync<string>("SELECT state FROM ingestion.import_item WHERE id = $1", item)).ShouldBe(["failed"]);
        Console.WriteLine($"{tries.Length} ways to name what is another's: refused, as is what nobody has");
    }

    [Fact]
    public async Task No_page_holds_a_credential()
    {
        var owner = await app.People.MakeAsync(Role.Administrator, owner: true);
        const string secret = "value-of-a-secret-31337";
        await app.Services.GetRequiredService<SecretBox>().SetAsync(new(owner.TenantId, owner.Id), "webhook/x", secret, CancellationToken.None);
        var estate = new Estate(app.Services, owner);
        await estate.BuildAsync();
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        var hash = (await db.Accounts.FindAsync(owner.Id))!.PasswordHash!;
        using var browser = app.Client();
        browser.DefaultRequestHeaders.Add("Cookie", $"ingestion={owner.Session}");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var client = app.Client(owner.Key);
        var read = 0;
        foreach (var (pattern, _) in RouteRulesTests.Routes(app.Services).Where(r => r.Method == "GET" && !r.Pattern.Contains("_blazor", StringComparison.Ordinal) && !r.Pattern.Contains("stream", StringComparison.Ordinal)))
        {
            var (address, _) = await estate.AddressAsync(pattern);
            using var answer = await (address.StartsWith("/api/", StringComparison.Ordinal) ? client : browser).GetAsync(address);
            var said = await answer.Content.ReadAsStringAsync();
            foreach (var word in new[] { secret, hash, owner.Key, owner.Session, AdminApp.Key, People.Password, Convert.ToHexStringLower(AccessToken.Hash(owner.Session)), "password_hash", "token_hash" }) said.ShouldNotContain(word, Case.Insensitive, address);
            read++;
        }
        Console.WriteLine($"{read} pages and answers searched for nine credentials: none found");
    }

    // Where two texts part, with what stands around it; null where they do not.
    private static string? Difference(string one, string two)
    {
        if (one == two) return null;
        var at = one.Zip(two).TakeWhile(p => p.First == p.Second).Count();
        string Around(string text) => text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)];
        return $"“{Around(one)}” became “{Around(two)}”";
    }

    private static string Ghost(string text, string upload, string draft, string user, long item) => text
        .Replace(upload, "up_aaaaaaaaaaaaaaaa", StringComparison.Ordinal).Replace(draft, "job_aaaaaaaaaaaaaaaa", StringComparison.Ordinal).Replace(user, "usr_aaaaaaaaaaaaaaaa", StringComparison.Ordinal)
        .Replace(Estate.Collection, "no-such-estate", StringComparison.Ordinal).Replace($"[{item}]", "[999999999]", StringComparison.Ordinal).Replace($"/items/{item}", "/items/999999999", StringComparison.Ordinal)
        .Replace($"tenant_id={Tenant.Default}", "tenant_id=nowhere", StringComparison.Ordinal).Replace($"\"tenant\":\"{Tenant.Default}\"", "\"tenant\":\"nowhere\"", StringComparison.Ordinal);

    // Times, what the server signs anew for each page, and what the search took.
    [GeneratedRegex("""<!--Blazor.*?-->|<time[^>]*>[^<]*</time>|name="__RequestVerificationToken"[^>]*>|"took_ms":[0-9.]+|"(last_seen_at|last_used_at|correlation_id|traceId)":"[^"]*"|b-[a-z0-9]{10}|\bid="[A-Za-z0-9_-]{10}"\s?""", RegexOptions.CultureInvariant | RegexOptions.Singleline, 2000)]
    private static partial Regex Changing();
}

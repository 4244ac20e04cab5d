using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class UploadsApiTests(AdminApp app) : IClassFixture<AdminApp>
{
    private const string Root = "/api/v1/uploads";

    [Fact]
    public async Task File_sent_in_parts_is_whole_and_hashed()
    {
        var content = RandomNumberGenerator.GetBytes(100_000);
        var id = await AnnounceAsync("notes/a.bin", content.Length);
        (await PutAsync(id, 0, content[..60_000])).Body.GetProperty("offset").GetInt64().ShouldBe(60_000);
        var (status, body) = await PutAsync(id, 60_000, content[60_000..]);
        status.ShouldBe(HttpStatusCode.OK);
        body.GetProperty("complete").GetBoolean().ShouldBeTrue();
        body.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));

        var found = await Caller.GetFromJsonAsync<JsonElement>($"{Root}/{id}");
        found.GetProperty("path").GetString().ShouldBe("notes/a.bin");
        found.GetProperty("complete").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Wrong_offset_is_a_conflict_that_says_where_to_go_on()
    {
        var id = await AnnounceAsync("a.bin", 100);
        await PutAsync(id, 0, new byte[30]);
        var (status, body) = await PutAsync(id, 0, new byte[30]);
        status.ShouldBe(HttpStatusCode.Conflict);
        body.GetProperty("offset").GetInt64().ShouldBe(30);
        body.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Small_file_needs_one_request()
    {
        var content = "Ganga flows."u8.ToArray();
        using var answer = await Caller.PostAsync($"{Root}/file?path={Uri.EscapeDataString("../x\ny.txt")}", new ByteArrayContent(content));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        body.GetProperty("complete").GetBoolean().ShouldBeTrue();
        body.GetProperty("path").GetString().ShouldBe("../x\uFFFDy.txt");
        body.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
    }

    [Theory]
    [InlineData(Root + "/file?path=big.iso")]
    [InlineData(Root + "/file?path=big.iso&size=10")]
    public async Task Five_gigabytes_are_refused_before_a_byte_is_read(string address)
    {
        var body = new NeverRead(5L << 30);
        using var answer = await Caller.PostAsync(address, body);
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        problem.GetProperty("code").GetString().ShouldBe("too_large");
        problem.GetProperty("remedy").GetString().ShouldNotBeNullOrEmpty();
        problem.GetProperty("detail").GetString()!.ShouldContain("big.iso");
    }

    [Fact]
    public async Task Announcing_five_gigabytes_is_refused()
    {
        using var answer = await Caller.PostAsJsonAsync(Root, new { path = "big.iso", size = 5L << 30 });
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("""{"size":3}""", "path")]
    [InlineData("""{"path":"a"}""", "size")]
    [InlineData("""{"path":"a","size":-1}""", "size")]
    [InlineData("""{"path":"a","size":1,"purpose":"other"}""", "purpose")]
    public async Task Announcement_that_lacks_something_names_it(string json, string named)
    {
        using var answer = await Caller.PostAsync(Root, new StringContent(json, Encoding.UTF8, "application/json"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!.ShouldStartWith(named);
    }

    [Fact]
    public async Task Uploads_of_a_draft_are_listed_and_removed()
    {
        var draft = await DraftAsync();
        var id = await AnnounceAsync("a.txt", 3, draft.PublicId);
        var list = await Caller.GetFromJsonAsync<JsonElement>($"{Root}?batch={draft.PublicId}");
        list.GetProperty("uploads").EnumerateArray().Select(u => u.GetProperty("id").GetString()).ShouldBe([id]);

        (await Caller.DeleteAsync($"{Root}/{id}")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await Caller.DeleteAsync($"{Root}/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await Caller.GetAsync($"{Root}/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Started_draft_takes_nothing_and_gives_nothing_back()
    {
        var draft = await DraftAsync();
        using var sent = await Caller.PostAsync($"{Root}/file?path=a.txt&batch={draft.PublicId}", new ByteArrayContent("abc"u8.ToArray()));
        var id = (await sent.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        (await app.Services.GetRequiredService<Submission>().LaunchDraftAsync(Actor, draft.BatchId, default)).ShouldBeTrue();

        using var late = await Caller.PostAsJsonAsync(Root, new { path = "b.txt", size = 1, batch = draft.PublicId });
        late.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Caller.DeleteAsync($"{Root}/{id}")).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await Caller.PutAsync($"/api/v1/drafts/{draft.PublicId}/addresses", new StringContent("https://a.example/"))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Unknown_batch_is_not_found() =>
        (await Caller.PostAsJsonAsync(Root, new { path = "a", size = 1, batch = "job_nothing" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);

    [Fact]
    public async Task Stranger_gets_401_and_a_cookie_needs_our_header()
    {
        (await app.Caller().PostAsJsonAsync(Root, new { path = "a", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        var browser = await app.SignedInAsync();
        (await browser.PostAsJsonAsync(Root, new { path = "a", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        browser.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        (await browser.PostAsJsonAsync(Root, new { path = "a", size = 1 })).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Long_pasted_list_comes_back_as_it_was_with_what_it_amounts_to()
    {
        var draft = await DraftAsync();
        var lines = Enumerable.Range(0, 5_000).Select(i => $"https://pages.example/some/longer/path/{i}.html").Append("file:///etc/passwd").ToList();
        using var saved = await Caller.PutAsync($"/api/v1/drafts/{draft.PublicId}/addresses", new StringContent(string.Join("\r\n", lines)));
        var sum = await saved.Content.ReadFromJsonAsync<PastedSummary>();
        (sum!.Count, sum.Refusals, sum.Repeats).ShouldBe((5_001, 1, 0));
        (await Caller.GetStringAsync($"/api/v1/drafts/{draft.PublicId}/addresses")).Split('\n').ShouldBe(lines);
    }

    private static Actor Actor { get; } = new("default", "administrator");

    private HttpClient Caller => app.Caller(AdminApp.Key);

    private Task<Submitted> DraftAsync() => app.Services.GetRequiredService<Drafts>().CreateAsync(Actor, new("A draft"), default);

    private async Task<string> AnnounceAsync(string path, long size, string? batch = null)
    {
        using var answer = await Caller.PostAsJsonAsync(Root, new { path, size, batch, media_type = "text/plain" });
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        body.GetProperty("offset").GetInt64().ShouldBe(0);
        return body.GetProperty("id").GetString()!;
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> PutAsync(string id, long offset, byte[] bytes)
    {
        using var answer = await Caller.PutAsync($"{Root}/{id}?offset={offset}", new ByteArrayContent(bytes));
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    /// <summary>A body that announces its length and never ends: whoever waits for it waits for ever.</summary>
    private sealed class NeverRead(long length) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => new TaskCompletionSource().Task;

        protected override bool TryComputeLength(out long announced)
        {
            announced = length;
            return true;
        }
    }
}

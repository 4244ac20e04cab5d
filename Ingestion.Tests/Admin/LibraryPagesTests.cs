using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Rendering;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

/// <summary>The pages as a browser first gets them, over documents of strangers.</summary>
public sealed class LibraryPagesTests(AdminApp app) : IClassFixture<AdminApp>
{
    private static readonly string Hostile = string.Join("\n\n", HostileText.All.Select(t => t.Replace("\0", "")));

    [Fact]
    public async Task Pages_over_hostile_documents_hold_nothing_of_theirs_that_acts()
    {
        var (batch, item, of) = await HostileItemAsync();
        var browser = await app.SignedInAsync();
        foreach (var path in new[]
        {
            $"/batches/{batch}/items/{item}", $"/batches/{batch}/items/{item}/content", $"/batches/{batch}/items/{item}/chunks", $"/batches/{batch}/items/{item}/events",
            $"/documents/{of.Document}", $"/documents/{of.Document}/chunks", $"/documents/{of.Document}/links", $"/documents/{of.Document}/versions", $"/documents/{of.Document}/batches",
            "/collections", "/collections/default", "/search?q=alert+script", $"/search?q={Uri.EscapeDataString(Hostile[..900])}&collection=%3Cscript%3E&meta.%3Cscript%3E=%22%3E%3Cimg%20src%3Dx%3E",
        })
        {
            using var answer = await browser.GetAsync(path);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            var page = new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
            page.QuerySelector("main h1").ShouldNotBeNull(path);
            foreach (var element in page.QuerySelectorAll("main *")) CheckElement(element, path);
            page.QuerySelectorAll("script").ShouldAllBe(s => s.GetAttribute("src")!.StartsWith("_") || s.GetAttribute("src")!.StartsWith("js/"), path);
            page.QuerySelectorAll("base").Length.ShouldBe(1, path);
        }
    }

    [Fact]
    public async Task Item_page_tells_what_went_wrong_and_what_to_do()
    {
        var database = app.Services.GetRequiredService<Database>();
        var make = new Make(database.Worker);
        var batch = await make.Batch(BatchState.Failed);
        var item = await make.Item(batch, ItemState.Failed, code: "encrypted");
        var page = await PageAsync($"/batches/{await PublicIdAsync(batch)}/items/{item}");
        page.QuerySelector(".error-note")!.TextContent.ShouldContain("Remove the password");
        page.QuerySelector(".badge")!.TextContent.ShouldContain("Failed");
        page.QuerySelectorAll("nav.tabs a").Select(a => a.GetAttribute("href")!.Split('/')[^1]).ShouldBe([$"{item}", "content", "chunks", "events"]);
        (await PageAsync($"/batches/{await PublicIdAsync(batch)}/items/999999")).QuerySelector("h1")!.TextContent.ShouldBe("There is no such item");
        var other = await make.Batch();
        (await PageAsync($"/batches/{await PublicIdAsync(other)}/items/{item}")).QuerySelector("h1")!.TextContent.ShouldBe("There is no such item");
    }

    [Fact]
    public async Task Search_page_marks_words_offers_filters_and_links()
    {
        var seed = new LibrarySeed(app.Services.GetRequiredService<Database>());
        var of = await seed.DocumentAsync("Kingfishers", ["The kingfisher dives into the brook."], metadata: """{"Raga & Tala":"a=b&c"}""", heading: "Birds > Blue");
        var page = await PageAsync("/search?q=kingfisher");
        page.QuerySelector("[data-testid=search-input]")!.GetAttribute("value").ShouldBe("kingfisher");
        var hit = page.QuerySelectorAll("[data-testid=search-hit]").ShouldHaveSingleItem();
        hit.QuerySelector("mark")!.TextContent.ShouldBe("kingfisher");
        hit.QuerySelector("h2 a")!.GetAttribute("href").ShouldBe($"/documents/{of.Document}");
        hit.QuerySelector(".hit-path")!.TextContent.ShouldContain("Birds > Blue");
        var filter = hit.QuerySelector(".metadata a")!.GetAttribute("href")!;
        var filtered = await PageAsync(filter);
        filtered.QuerySelectorAll("[data-testid=search-hit]").Length.ShouldBe(1);
        filtered.QuerySelector(".filter-chips")!.TextContent.ShouldContain("a=b&c");
        filtered.QuerySelector(".filter-chips a")!.GetAttribute("href").ShouldBe("/search?q=kingfisher");
        (await PageAsync("/search?q=qqzzxxyy")).QuerySelector("main")!.TextContent.ShouldContain("Nothing found");
    }

    [Fact]
    public async Task Settings_page_lists_values_and_no_secret()
    {
        var page = await PageAsync("/settings");
        var text = page.QuerySelector("main")!.TextContent;
        text.ShouldNotContain(AdminApp.Key);
        text.ShouldNotContain(new NpgsqlConnectionStringBuilder(app.ConnectionString).Password ?? AdminApp.Key);
        text.ShouldContain("MaxConcurrentJobs");
        text.ShouldContain(app.Data);
    }

    [Fact]
    public async Task Self_check_names_the_installation()
    {
        var text = (await PageAsync("/self-check")).QuerySelector("main")!.TextContent;
        text.ShouldContain("local-hashing-1024");
        text.ShouldMatch(@"\d{14}_\w+");
    }

    [Fact]
    public async Task Search_answers_programs()
    {
        var seed = new LibrarySeed(app.Services.GetRequiredService<Database>());
        var of = await seed.DocumentAsync("Ospreys", ["The osprey plunges feet first."], metadata: """{"Raga":"todi"}""");
        var caller = app.Caller(AdminApp.Key);
        var answer = await caller.GetFromJsonAsync<JsonElement>("/api/v1/search?q=osprey&take=5&meta.Raga=todi");
        answer.GetProperty("took_ms").GetDouble().ShouldBeGreaterThan(0);
        var hit = answer.GetProperty("hits").EnumerateArray().ShouldHaveSingleItem();
        hit.GetProperty("document_id").GetInt64().ShouldBe(of.Document);
        hit.GetProperty("metadata").GetProperty("Raga").GetString().ShouldBe("todi");
        var (at, length) = (hit.GetProperty("highlights")[0][0].GetInt32(), hit.GetProperty("highlights")[0][1].GetInt32());
        hit.GetProperty("snippet").GetString()!.Substring(at, length).ShouldBe("osprey");
        (await caller.GetFromJsonAsync<JsonElement>("/api/v1/search?q=osprey&meta.Raga=none")).GetProperty("hits").GetArrayLength().ShouldBe(0);
        foreach (var bad in new[] { "/api/v1/search", "/api/v1/search?q=%20", "/api/v1/search?q=x&take=0", "/api/v1/search?q=x&take=1000", "/api/v1/search?q=x&take=many" })
            (await caller.GetAsync(bad)).StatusCode.ShouldBe(HttpStatusCode.BadRequest, bad);
        (await app.Caller().GetAsync("/api/v1/search?q=osprey")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Files_leave_as_attachments_only()
    {
        var (_, _, of) = await HostileItemAsync();
        var caller = app.Caller(AdminApp.Key);
        foreach (var (file, type) in new[] { ("markdown", "text/markdown"), ("raw", "application/octet-stream") })
        {
            using var answer = await caller.GetAsync($"/api/v1/documents/{of.Version}/{file}");
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Content.Headers.ContentType!.MediaType.ShouldBe(type);
            answer.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
            answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
            var name = answer.Content.Headers.ContentDisposition.FileNameStar ?? answer.Content.Headers.ContentDisposition.FileName!.Trim('"');
            name.ShouldNotContain("/");
            name.ShouldNotContain("\"");
            (await answer.Content.ReadAsStringAsync()).ShouldContain("<script>");
        }
        (await caller.GetAsync("/api/v1/documents/999999/markdown")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await app.Caller().GetAsync($"/api/v1/documents/{of.Version}/raw")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_original_web_page_is_shown_where_nothing_of_it_acts_and_no_other_format_is()
    {
        var (_, _, of) = await HostileItemAsync();
        var caller = app.Caller(AdminApp.Key);
        (await caller.GetAsync($"/api/v1/documents/{of.Version}/original")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await RunAsync("UPDATE ingestion.document_version SET format = 'html' WHERE id = $1", of.Version);
        using var answer = await caller.GetAsync($"/api/v1/documents/{of.Version}/original");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        // Framed or opened by itself: a sandbox without any leave, and no request to anywhere.
        answer.Headers.GetValues("Content-Security-Policy").ShouldHaveSingleItem().Split("; ").ShouldBe(["default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "frame-ancestors 'self'", "sandbox"]);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("<script>");
        (await app.Caller().GetAsync($"/api/v1/documents/{of.Version}/original")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_page_of_a_pdf_is_drawn_and_one_that_is_not_there_or_cannot_be_drawn_is_said()
    {
        var (_, _, of) = await HostileItemAsync();
        var caller = app.Caller(AdminApp.Key);
        // Fifty metres wide: what is drawn has a size of ours.
        await KeepAsync(of, PdfFile.BlankPage(141_732, 70_866));
        using var page = await caller.GetAsync($"/api/v1/documents/{of.Version}/pages/1");
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        page.Content.Headers.ContentType!.MediaType.ShouldBe("image/png");
        var png = await page.Content.ReadAsByteArrayAsync();
        png[..8].ShouldBe([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)).ShouldBe(1400);
        foreach (var none in new[] { 0, 2 }) (await caller.GetAsync($"/api/v1/documents/{of.Version}/pages/{none}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await KeepAsync(of, "%PDF-1.4 and nothing more"u8.ToArray());
        using var broken = await caller.GetAsync($"/api/v1/documents/{of.Version}/pages/1");
        ((int)broken.StatusCode).ShouldBeInRange(400, 499);
        (await broken.Content.ReadAsStringAsync()).ShouldContain("damaged");
    }

    private async Task KeepAsync(Seeded of, byte[] raw)
    {
        var uri = await app.Services.GetRequiredService<Core.Artifacts.IArtifactStore>().PutAsync($"default/originals/{Guid.NewGuid():N}.bin", new MemoryStream(raw), CancellationToken.None);
        await RunAsync("UPDATE ingestion.document_version SET format = 'pdf', pages = 1 WHERE id = $1", of.Version);
        await RunAsync("UPDATE ingestion.source_version SET raw_uri = $2 WHERE source_id = $1", of.Source, uri.AbsoluteUri);
    }

    private Task RunAsync(string sql, params object[] parameters) => new LibrarySeed(app.Services.GetRequiredService<Database>()).RunAsync(sql, parameters);

    private Task<(string Batch, long Item, Seeded Of)> HostileItemAsync() => new HostileLibrary(app.Services).ItemAsync();

    private static void CheckElement(IElement element, string path)
    {
        element.LocalName.ShouldNotBeOneOf("script", "img", "iframe", "object", "embed", "style", "link", "meta", "base", "math", "noscript", "template");
        element.Attributes.ShouldAllBe(a => !a.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase) && a.Name != "srcdoc", path);
        if (element.LocalName == "form") (element.GetAttribute("action") ?? path).ShouldBeOneOf("/search", path);
        if (element.GetAttribute("href") is not { } href || href.StartsWith('/') && !href.StartsWith("//")) return;
        if (new Uri(new("http://localhost"), href) is { Host: "localhost", Scheme: "http" } own && href.StartsWith("http://localhost/")) return;
        SafeHtml.CheckLink(element, $"{path}: {element.OuterHtml}");
    }

    private async Task<IDocument> PageAsync(string path)
    {
        using var answer = await (await app.SignedInAsync()).GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
        return new HtmlParser().ParseDocument(await answer.Content.ReadAsStringAsync());
    }

    private async Task<string> PublicIdAsync(long batch)
    {
        await using var command = app.Services.GetRequiredService<Database>().Worker.CreateCommand("SELECT public_id FROM ingestion.import_batch WHERE id = $1");
        command.Parameters.Add(new() { Value = batch });
        return (string)(await command.ExecuteScalarAsync())!;
    }
}

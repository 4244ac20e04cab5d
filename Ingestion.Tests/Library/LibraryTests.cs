using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Library;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Library;

public sealed class LibraryTests : IAsyncLifetime
{
    private static readonly Actor Somebody = new("default", "somebody");
    private readonly TemporaryDirectory _folder = new();
    private TestDatabase _test = null!;
    private Database _database = null!;
    private LibrarySeed _seed = null!;
    private Collections _collections = null!;
    private Documents _documents = null!;

    public async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        _database = new Database(_test.ConnectionString);
        _seed = new LibrarySeed(_database);
        _collections = new Collections(_database);
        _documents = new Documents(_database, new Contexts(_database));
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await _test.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_collection_counts_what_is_published()
    {
        var a = await _seed.DocumentAsync("A", ["one", "two"]);
        await _seed.DocumentAsync("B", ["three"]);
        await _seed.DocumentAsync("C", ["four"], publish: false);
        await _seed.VersionAsync(a, "A again", ["five", "six", "seven"]);
        var collection = (await _collections.FindAsync("default", "default", CancellationToken.None))!;
        (collection.Documents, collection.Chunks).ShouldBe((2, 4));
        collection.LastPublishedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_collection_is_made_once_renamed_and_written_down()
    {
        (await _collections.CreateAsync(Somebody, "birds", " Birds ", "", CancellationToken.None)).ShouldBe(new("birds", null));
        (await _collections.CreateAsync(Somebody, "birds", "Again", null, CancellationToken.None)).Problem!.ShouldContain("birds");
        (await _collections.RenameAsync(Somebody, "birds", "All birds", "Of the pond", CancellationToken.None)).Key.ShouldBe("birds");
        (await _collections.RenameAsync(Somebody, "fish", "Fish", null, CancellationToken.None)).Problem.ShouldNotBeNull();
        var birds = (await _collections.FindAsync("default", "birds", CancellationToken.None))!;
        (birds.Name, birds.Description, birds.Documents).ShouldBe(("All birds", "Of the pond", 0));
        await using var audit = _database.Worker.CreateCommand("SELECT string_agg(action, ',' ORDER BY id) FROM ingestion.audit_entry WHERE who = 'somebody'");
        (await audit.ExecuteScalarAsync()).ShouldBe("create_collection,rename_collection");
    }

    [Theory]
    [InlineData("a")]
    [InlineData("9")]
    [InlineData("a_b-c")]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("_a")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    [InlineData("a/../b")]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc")]
    [InlineData("abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd")]
    public async Task Keys_follow_the_rule_of_the_table(string key)
    {
        await using var connection = await _database.Worker.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ('default', $1, 'x')", connection) { Parameters = { new() { Value = key } } };
        var taken = true;
        try
        {
            await command.ExecuteNonQueryAsync();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation)
        {
            taken = false;
        }
        (CollectionName.KeyProblem(key) is null).ShouldBe(taken);
    }

    [Theory]
    [InlineData("Carnatic krithis (2024)", "carnatic-krithis-2024")]
    [InlineData("  Ünïcode  ", "n-code")]
    [InlineData("!!!", "")]
    public void A_name_suggests_a_key(string name, string key) => CollectionName.KeyOf(name).ShouldBe(key);

    [Fact]
    public async Task Documents_are_filtered_ordered_and_paged()
    {
        for (var i = 0; i < 12; i++) await _seed.DocumentAsync($"Title {i:00}", [.. Enumerable.Repeat("text", i + 1)], source: $"folder/{i}%_.md");
        await _seed.DocumentAsync("Waiting", ["text"], publish: false);
        var id = (await _collections.FindAsync("default", "default", CancellationToken.None))!.Id;
        var page = await _documents.ListAsync("default", id, new(Order: DocumentOrder.Title), 5, 5, CancellationToken.None);
        page.Total.ShouldBe(13);
        page.Rows.Select(r => r.Title).ShouldBe(["Title 05", "Title 06", "Title 07", "Title 08", "Title 09"]);
        (await _documents.ListAsync("default", id, new("7%_"), 0, 5, CancellationToken.None)).Rows.ShouldHaveSingleItem().Title.ShouldBe("Title 07");
        (await _documents.ListAsync("default", id, new(Order: DocumentOrder.Chunks), 0, 1, CancellationToken.None)).Rows[0].Title.ShouldBe("Title 11");
        (await _documents.ListAsync("default", id, new("waiting"), 0, 5, CancellationToken.None)).Rows.ShouldHaveSingleItem().PublishedAt.ShouldBeNull();
        (await _documents.ListAsync("default", id, new(Order: DocumentOrder.Published), 0, 20, CancellationToken.None)).Rows[^1].Title.ShouldBe("Waiting");
    }

    [Fact]
    public async Task A_document_shows_its_published_version_and_all_others()
    {
        var first = await _seed.DocumentAsync("First", ["one"]);
        var second = await _seed.VersionAsync(first, "Second", ["two", "three"], publish: false);
        var document = (await _documents.FindAsync("default", first.Document, CancellationToken.None))!;
        document.PublishedVersionId.ShouldBe(first.Version);
        document.Shown!.Title.ShouldBe("First");
        document.Versions.Select(v => v.Id).ShouldBe([second.Version, first.Version]);
        (await _documents.ChunksAsync("default", second.Version, 1, 10, CancellationToken.None)).ShouldHaveSingleItem().Text.ShouldBe("three");
    }

    [Fact]
    public async Task Another_tenant_sees_none_of_it()
    {
        await _seed.TenantAsync("other");
        var ours = await _seed.DocumentAsync("Ours", ["one"]);
        (await _documents.FindAsync("other", ours.Document, CancellationToken.None)).ShouldBeNull();
        (await _documents.VersionAsync("other", ours.Version, CancellationToken.None)).ShouldBeNull();
        (await _documents.ChunksAsync("other", ours.Version, 0, 10, CancellationToken.None)).ShouldBeEmpty();
        (await _documents.LinksAsync("other", ours.Version, 0, 10, CancellationToken.None)).Total.ShouldBe(0);
        (await _collections.ListAsync("other", CancellationToken.None)).ShouldHaveSingleItem().Documents.ShouldBe(0);
        var (files, _) = await StoredAsync(ours, "text");
        (await files.MarkdownAsync("other", ours.Version, CancellationToken.None)).ShouldBeNull();
        (await files.RawAsync("other", ours.Version, CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Files_are_named_so_that_nothing_trips_over_them()
    {
        var ours = await _seed.DocumentAsync("../a\"b\r\nc<d>.md", ["one"], source: "https://example.com/x/%2e%2e%2Fevil.exe?y=1");
        var (files, store) = await StoredAsync(ours, "# Text");
        var markdown = (await files.MarkdownAsync("default", ours.Version, CancellationToken.None))!;
        await using (markdown.Content)
        {
            markdown.Name.ShouldBe("_a_b__c_d_.md.md");
            (await new StreamReader(markdown.Content).ReadToEndAsync()).ShouldBe("# Text");
        }
        var raw = (await files.RawAsync("default", ours.Version, CancellationToken.None))!;
        await raw.Content.DisposeAsync();
        raw.Name.ShouldBe("evil.exe");
        raw.MediaType.ShouldBe("application/octet-stream");
        await store.DeleteAsync(store.Locate("default/x/raw.bin"), CancellationToken.None);
        (await files.RawAsync("default", ours.Version, CancellationToken.None)).ShouldBeNull();
    }

    [Theory]
    [InlineData("", "document")]
    [InlineData("...", "document")]
    [InlineData(".hidden", "hidden")]
    [InlineData("a/b\\c", "a_b_c")]
    [InlineData("x\u001b[31m\n\0", "x_[31m__")]
    public void A_file_name_is_plain(string name, string expected) => DocumentFiles.FileName(name, "").ShouldBe(expected);

    private async Task<(DocumentFiles, FolderStore)> StoredAsync(Seeded of, string text)
    {
        var store = new FolderStore(Options.Create(new ArtifactOptions { Folder = _folder.Path }));
        var uri = await store.PutAsync("default/x/raw.bin", new MemoryStream(Encoding.UTF8.GetBytes(text)), CancellationToken.None);
        var markdown = await store.PutAsync("default/x/normalized.md", new MemoryStream(Encoding.UTF8.GetBytes(text)), CancellationToken.None);
        await _seed.RunAsync("UPDATE ingestion.source_version SET raw_uri = $1", uri.AbsoluteUri);
        await _seed.RunAsync("UPDATE ingestion.document_version SET markdown_uri = $1 WHERE id = $2", markdown.AbsoluteUri, of.Version);
        return (new(new Contexts(_database), store), store);
    }
}

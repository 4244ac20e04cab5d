using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Indexing;
using Ingestion.Tests.Embeddings;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Indexing;

public sealed class SearchServiceTests : IAsyncLifetime
{
    private TestDatabase _test = null!;
    private Database _database = null!;
    private LibrarySeed _seed = null!;
    private SearchService _search = null!;

    public async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        _database = new Database(_test.ConnectionString);
        _seed = new LibrarySeed(_database);
        _search = Service(new EmbeddingOptions());
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await _test.DisposeAsync();
    }

    [Fact]
    public async Task Every_word_comes_before_some_of_them()
    {
        await _seed.DocumentAsync("Some", ["A heron stands in the shallow water."]);
        await _seed.DocumentAsync("Every", ["The heron hides in the reeds at dusk."]);
        var hits = await FindAsync("heron reeds");
        hits.Select(h => h.Title).ShouldBe(["Every", "Some"]);
    }

    [Fact]
    public async Task A_question_finds_what_holds_only_some_of_its_words()
    {
        await _seed.DocumentAsync("Otters", ["Otters hold hands while they sleep."]);
        (await FindAsync("why do otters float on their backs"))[0].Title.ShouldBe("Otters");
    }

    [Fact]
    public async Task A_quoted_phrase_is_found_only_as_it_stands()
    {
        await _seed.DocumentAsync("Phrase", ["The tax rate for small firms is low."]);
        await _seed.DocumentAsync("Words", ["The rate at which tax grows is small."]);
        (await FindAsync("\"tax rate\"")).Select(h => h.Title).ShouldBe(["Phrase"]);
        (await FindAsync("\"no such phrase\"")).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_excluded_word_stays_out()
    {
        await _seed.DocumentAsync("Wanted", ["Badgers dig setts."]);
        await _seed.DocumentAsync("Unwanted", ["Badgers and foxes share setts."]);
        (await FindAsync("badgers -foxes")).Select(h => h.Title).ShouldBe(["Wanted"]);
    }

    [Fact]
    public async Task Likeness_finds_a_spelling_that_no_word_matches()
    {
        await _seed.DocumentAsync("Plants", ["Photosynthesis converts sunlight into chemical energy."]);
        await _seed.DocumentAsync("Cars", ["The engine needs a new gearbox and fresh oil."]);
        (await FindAsync("photosynthetic conversion")).Select(h => h.Title).ShouldBe(["Plants"]);
    }

    [Fact]
    public async Task Nonsense_finds_nothing()
    {
        await _seed.DocumentAsync("Cars", ["The engine needs a new gearbox and fresh oil."]);
        (await FindAsync("qzxv wklptr")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_filter_keeps_to_documents_with_that_metadata()
    {
        for (var i = 0; i < 150; i++) await _seed.DocumentAsync($"Other {i}", ["The composition is sung slowly."], metadata: """{"Raga":"bhairavi"}""");
        await _seed.DocumentAsync("Ours", ["The composition is sung slowly."], metadata: """{"Raga":"kalyANi","Tala":"Adi"}""");
        (await FindAsync("composition sung", filter: new() { ["Raga"] = "kalyANi" })).Select(h => h.Title).ShouldBe(["Ours"]);
        // By likeness alone as well: no word of the question stands in the text.
        (await FindAsync("compositional", filter: new() { ["Raga"] = "kalyANi" })).Select(h => h.Title).ShouldBe(["Ours"]);
        (await FindAsync("composition", filter: new() { ["Raga"] = "kalyANi", ["Tala"] = "Rupaka" })).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_collection_is_searched_alone_and_an_unknown_one_is_named()
    {
        await _seed.CollectionAsync("default", "birds");
        await _seed.DocumentAsync("Here", ["Herons nest in spring."], collection: "birds");
        await _seed.DocumentAsync("There", ["Herons nest in spring."]);
        (await FindAsync("herons", "birds")).Select(h => (h.Title, h.CollectionKey)).ShouldBe([("Here", "birds")]);
        var answer = await _search.SearchAsync("default", new("herons", "fish"), CancellationToken.None);
        answer.Hits.ShouldBeEmpty();
        answer.Note!.ShouldContain("fish");
    }

    [Fact]
    public async Task Only_the_published_version_is_found()
    {
        var first = await _seed.DocumentAsync("Old", ["Voles store roots in chambers."]);
        (await FindAsync("voles")).Select(h => h.Title).ShouldBe(["Old"]);
        var second = await _seed.VersionAsync(first, "New", ["Voles store seeds in chambers."]);
        (await FindAsync("voles")).Select(h => h.Title).ShouldBe(["New"]);
        await _seed.RevokeAsync(second.Version);
        (await FindAsync("voles")).Select(h => h.Title).ShouldBe(["Old"]);
        await _seed.RevokeAsync(first.Version);
        (await FindAsync("voles")).ShouldBeEmpty();
        await _seed.DocumentAsync("Waiting", ["Voles are not published yet."], publish: false);
        (await FindAsync("voles")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_tenant_finds_nothing_of_ours()
    {
        await _seed.TenantAsync("other");
        await _seed.DocumentAsync("Ours", ["Newts return to the pond."]);
        await _seed.DocumentAsync("Theirs", ["Newts return to the river."], tenant: "other");
        (await FindAsync("newts return")).Select(h => h.Title).ShouldBe(["Ours"]);
        (await FindAsync("newts return", tenant: "other")).Select(h => h.Title).ShouldBe(["Theirs"]);
        (await FindAsync("newts return", tenant: "nobody")).ShouldBeEmpty();
        await using var connection = await _database.Web.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("SELECT count(*) FROM ingestion.search_text('newts'::tsquery, NULL, NULL, 10)", connection);
        (await command.ExecuteScalarAsync()).ShouldBe(0L, "without a tenant the function shows nothing");
    }

    public static TheoryData<string> Odd => new()
    {
        "'", "\"", "\"\"", "\"unclosed", "-", "--", "!", "&", "|", ":*", "<->", "( )", "heron & | !", "heron:*", "'heron' <-> 'reeds'", "\\", "\\'", "a\\b 'c'",
        "\0", "heron\0reeds", "🦩", "👩‍👩‍👧‍👦 heron", "\ud800", "heron \udc00", "%", "_", "; DROP TABLE ingestion.chunk", "{}", "$1", "@text", "or", "heron or reeds", "-heron",
        "http://example.com/a?b=c&d=e", "a-b-c_d", "日本語のテキスト", "العربية", "e\u0301te\u0301",
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task An_odd_question_is_answered(string text)
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        var answer = await _search.SearchAsync("default", new(text, null, new Dictionary<string, string> { [text] = text }), CancellationToken.None);
        answer.Hits.ShouldBeEmpty("no document has such metadata");
        answer = await _search.SearchAsync("default", new(text), CancellationToken.None);
        answer.Note.ShouldBeNull();
        answer.Hits.Count.ShouldBeLessThanOrEqualTo(1);
    }

    [Theory]
    [InlineData("heron ", 1)]
    [InlineData("q", 0)]
    [InlineData("日", 0)]
    [InlineData("' ", 0)]
    public async Task Ten_thousand_characters_are_answered(string part, int expected)
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        (await FindAsync(string.Concat(Enumerable.Repeat(part, 10_000 / part.Length)))).Count.ShouldBe(expected);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 3)]
    [InlineData(1000, 100)]
    public async Task As_many_come_as_are_wanted_within_bounds(int take, int expected)
    {
        await _seed.DocumentAsync("Many", [.. Enumerable.Range(0, 130).Select(i => $"Heron number {i}.")]);
        (await _search.SearchAsync("default", new("heron", Take: take), CancellationToken.None)).Hits.Count.ShouldBe(expected);
    }

    [Fact]
    public async Task A_dead_embedding_service_leaves_the_words()
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        await _seed.RunAsync("UPDATE ingestion.embedding_generation SET model = 'remote'");
        await using var service = await StubEmbeddingService.AnsweringAsync("""{"error":{"message":"down"}}""", 503);
        var answer = await Service(new() { Endpoint = service.Endpoint, Model = "remote" }).SearchAsync("default", new("heron"), CancellationToken.None);
        answer.Hits.ShouldHaveSingleItem().Title.ShouldBe("Heron");
        answer.Note!.ShouldStartWith("Found by words alone");
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_done_without()
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        await _seed.RunAsync("UPDATE ingestion.embedding_generation SET model = 'remote'");
        var asked = new TaskCompletionSource();
        await using var service = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var answer = await Service(new() { Endpoint = service.Endpoint, Model = "remote" }).SearchAsync("default", new("heron"), CancellationToken.None);
        asked.Task.IsCompleted.ShouldBeTrue();
        answer.Took.ShouldBeGreaterThanOrEqualTo(SemanticSearch.Patience);
        answer.Hits.ShouldHaveSingleItem();
        answer.Note!.ShouldContain("too long");
    }

    [Fact]
    public async Task A_model_that_is_gone_leaves_the_words()
    {
        await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        await _seed.RunAsync("UPDATE ingestion.embedding_generation SET model = 'gone'");
        var answer = await _search.SearchAsync("default", new("heron"), CancellationToken.None);
        answer.Hits.ShouldHaveSingleItem();
        answer.Note!.ShouldContain("gone");
    }

    [Fact]
    public async Task An_excerpt_shows_the_words_in_their_place()
    {
        await _seed.DocumentAsync("Long", [string.Join(' ', Enumerable.Repeat("filler", 200)) + " the **heron** hides <script>alert(1)</script> " + string.Join(' ', Enumerable.Repeat("padding", 200))]);
        var snippet = (await FindAsync("heron hides"))[0].Snippet;
        snippet.Where(p => p.Hit).Select(p => p.Text).ShouldBe(["heron", "hides"]);
        string.Concat(snippet.Select(p => p.Text)).Length.ShouldBeLessThan(320);
        string.Concat(snippet.Select(p => p.Text)).ShouldNotContain("**");
    }

    [Fact]
    public async Task Searching_many_rows_goes_through_the_index()
    {
        var seeded = await _seed.DocumentAsync("Heron", ["The heron hides in the reeds."]);
        await _seed.RunAsync("""
            INSERT INTO ingestion.chunk (tenant_id, document_version_id, ordinal, heading_path, text, text_hash)
            SELECT 'default', $1, n, '', 'the filler number ' || n, sha256(n::text::bytea) FROM generate_series(1, 20000) n
            """, seeded.Version);
        await _seed.RunAsync("""
            INSERT INTO ingestion.chunk_fts (chunk_id, tenant_id, collection_id, document_version_id, generation_id, tsv)
            SELECT c.id, 'default', (SELECT min(id) FROM ingestion.collection), $1, (SELECT max(id) FROM ingestion.embedding_generation), to_tsvector('simple', c.text)
            FROM ingestion.chunk c WHERE c.document_version_id = $1 AND c.ordinal > 0
            """, seeded.Version);
        await using (var analyze = _database.Owner.CreateCommand("ANALYZE ingestion.chunk_fts")) await analyze.ExecuteNonQueryAsync();

        (await PlanAsync("ingestion.search_text('heron'::tsquery, NULL, NULL, 100)")).ShouldContain("chunk_fts_tsv");
        // A word of every row tells nothing: only the other one is looked for.
        (await PlanAsync("ingestion.search_text(ingestion.any_word('the heron'), NULL, NULL, 100)")).ShouldContain("chunk_fts_tsv");
        await using var any = await _database.OpenWebAsync("default", CancellationToken.None);
        await using var command = new NpgsqlCommand("SELECT ingestion.any_word('the heron')::text", any);
        (await command.ExecuteScalarAsync()).ShouldBe("'heron'");
        (await FindAsync("the heron"))[0].Title.ShouldBe("Heron");
    }

    /// <summary>What the server did inside the function, as the web role sees it.</summary>
    private async Task<string> PlanAsync(string call)
    {
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = _test.Name, Pooling = false };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        var plans = new List<string>();
        connection.Notice += (_, e) => plans.Add(e.Notice.MessageText);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"""
            LOAD 'auto_explain';
            SET auto_explain.log_min_duration = 0;
            SET auto_explain.log_nested_statements = on;
            SET client_min_messages = log;
            SET ROLE ingestion_web;
            SELECT set_config('ingestion.tenant', 'default', false);
            SELECT count(*) FROM {call};
            """, connection);
        await command.ExecuteNonQueryAsync();
        var inside = plans.FirstOrDefault(p => p.Contains("chunk_fts f", StringComparison.Ordinal));
        return inside ?? throw new ShouldAssertException("No plan of the function was logged: " + string.Join('\n', plans));
    }

    private async Task<IReadOnlyList<SearchHit>> FindAsync(string text, string? collection = null, Dictionary<string, string>? filter = null, string tenant = "default") =>
        (await _search.SearchAsync(tenant, new(text, collection, filter, 100), CancellationToken.None)).Hits;

    private SearchService Service(EmbeddingOptions options)
    {
        var wrapped = Options.Create(options);
        var models = new EmbeddingModels(wrapped, new HashingEmbedder(), new OpenAiEmbedder(OpenAiEmbedder.CreateHandler(), options, TimeProvider.System));
        var batcher = new EmbeddingBatcher(wrapped, TimeProvider.System, NullLogger<EmbeddingBatcher>.Instance);
        return new(_database, new SemanticSearch(models, batcher, new VectorIndex(_database), TimeProvider.System), TimeProvider.System);
    }
}

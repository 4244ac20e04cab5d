using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Library;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

/// <summary>Row-level security alone: queries that name neither tenant nor owner, under the web role.</summary>
public sealed class ReachTests : DatabaseTest
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Query_without_a_filter_sees_the_members_collections_alone()
    {
        var seed = new LibrarySeed(Database);
        await seed.CollectionAsync("default", "other");
        await seed.DocumentAsync("Mine", ["osprey one"]);
        await seed.DocumentAsync("Theirs", ["osprey two"], collection: "other");
        var mine = await ScalarAsync<long>("SELECT id FROM ingestion.collection WHERE tenant_id = 'default' AND key = 'default'");
        await using var web = await Database.OpenWebAsync(new("default", "usr_a", new([mine])), Ct);
        foreach (var (table, all) in new[] { ("collection", 1), ("source", 1), ("document", 1), ("document_version", 1), ("source_version", 1), ("chunk", 1), ("chunk_fts", 1), ("publication", 1) })
            (await web.QueryAsync<long>($"SELECT count(*) FROM ingestion.{table}")).ShouldBe([all], table);
        (await web.QueryAsync<string>("SELECT title FROM ingestion.document_version")).ShouldBe(["Mine"]);
        (await web.QueryAsync<long>("SELECT chunk_id FROM ingestion.search_text(to_tsquery('simple', 'osprey'), NULL, NULL, 10)")).Count.ShouldBe(1);
        // The same connection, once it comes back, reaches nothing: what it was told is gone.
        await web.CloseAsync();
        (await Database.Web.QueryAsync<long>("SELECT count(*) FROM ingestion.collection")).ShouldBe([0]);
    }

    [Fact]
    public async Task Query_without_a_filter_sees_the_members_own_batches_alone()
    {
        var (mine, theirs) = (await Make.Batch(), await Make.Batch());
        await ExecuteAsync("UPDATE ingestion.import_batch SET created_by = 'usr_a' WHERE id = $1", mine);
        await Make.Task(mine);
        await Make.Task(theirs);
        await using var web = await Database.OpenWebAsync(new("default", "usr_a", new(OwnBatches: true)), Ct);
        foreach (var table in new[] { "import_item", "import_task_run", "import_job", "import_event", "import_batch_seq" })
            (await web.QueryAsync<long>($"SELECT DISTINCT batch_id FROM ingestion.{table}")).ShouldBe([mine], table);
        (await web.QueryAsync<long>("SELECT id FROM ingestion.import_batch")).ShouldBe([mine]);
    }

    [Fact]
    public async Task Connections_narrow_what_came_through_them()
    {
        await ExecuteAsync("""
            INSERT INTO ingestion.source (tenant_id, collection_id, source_type, connection_id, source_key)
            SELECT 'default', id, 'confluence', c, c FROM ingestion.collection, unnest(ARRAY['', 'wiki', 'it"s, {odd}', 'secret']) c WHERE tenant_id = 'default'
            """);
        await using var web = await Database.OpenWebAsync(new("default", "usr_a", new(Connections: ["wiki", "it\"s, {odd}"])), Ct);
        (await web.QueryAsync<string>("SELECT connection_id FROM ingestion.source ORDER BY 1")).ShouldBe(["", "it\"s, {odd}", "wiki"]);
    }

    [Fact]
    public async Task Search_under_row_security_uses_the_index_of_words()
    {
        var seed = new LibrarySeed(Database);
        for (var i = 0; i < 20; i++) await seed.DocumentAsync($"Bird {i}", [$"the osprey number{i} dives"]);
        await ExecuteAsync("ANALYZE");
        await using var owner = await Database.Owner.OpenConnectionAsync();
        await owner.QueryAsync<object>("SELECT set_config('ingestion.tenant', 'default', false), set_config('ingestion.collections', '{1,2}', false)");
        await owner.QueryAsync<object>("SET enable_seqscan = off");
        var plan = string.Join('\n', await owner.QueryAsync<string>("""
            EXPLAIN SELECT f.chunk_id FROM ingestion.chunk_fts f
            WHERE f.tsv @@ to_tsquery('simple', 'osprey') AND f.tenant_id = nullif(current_setting('ingestion.tenant', true), '')
              AND (ingestion.setting('collections') IS NULL OR f.collection_id = ANY (ingestion.setting('collections')::bigint[]))
            """));
        plan.ShouldContain("chunk_fts_tsv");
        // And that is what the web role runs: the function's body as the owner, not the table under its own policy.
        (await ScalarAsync<bool>("SELECT prosecdef AND proowner = 'ingestion_owner'::regrole FROM pg_proc WHERE oid = 'ingestion.search_text'::regproc")).ShouldBeTrue();
    }

    [Fact]
    public async Task Search_of_the_web_role_itself_reads_the_index_of_words_and_not_the_table()
    {
        var seed = new LibrarySeed(Database);
        for (var i = 0; i < 30; i++) await seed.DocumentAsync($"Bird {i}", [$"the {(i == 7 ? "osprey" : "heron")} number{i} dives"]);
        await ExecuteAsync("ANALYZE");
        // What the server itself says of the statements inside the function, told to this session alone.
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        var plans = new System.Text.StringBuilder();
        connection.Notice += (_, n) => plans.AppendLine(n.Notice.MessageText);
        await connection.OpenAsync();
        await connection.QueryAsync<object>("LOAD 'auto_explain'");
        foreach (var setting in new[] { "auto_explain.log_min_duration = 0", "auto_explain.log_nested_statements = on", "auto_explain.log_level = 'notice'", "client_min_messages = 'notice'", "enable_seqscan = off", "role = 'ingestion_web'" })
            await connection.QueryAsync<object>("SET " + setting);
        await connection.QueryAsync<object>("SELECT set_config('ingestion.tenant', 'default', false)");
        plans.Clear();
        (await connection.QueryAsync<long>("SELECT chunk_id FROM ingestion.search_text(to_tsquery('simple', 'osprey'), NULL, NULL, 10)")).Count.ShouldBe(1);
        plans.ToString().ShouldContain("Bitmap Index Scan on chunk_fts_tsv");
        plans.ToString().ShouldNotContain("Seq Scan on chunk_fts");
        // Without the function the same question under row security reads the whole table: that is why there is one.
        plans.Clear();
        (await connection.QueryAsync<long>("SELECT chunk_id FROM ingestion.chunk_fts WHERE tsv @@ to_tsquery('simple', 'osprey')")).Count.ShouldBe(1);
        plans.ToString().ShouldNotContain("chunk_fts_tsv");
    }

    [Fact]
    public async Task Narrowed_actor_fills_and_names_no_collection_out_of_reach()
    {
        await new LibrarySeed(Database).CollectionAsync("default", "other");
        var mine = await ScalarAsync<long>("SELECT id FROM ingestion.collection WHERE tenant_id = 'default' AND key = 'default'");
        var actor = new Actor("default", "usr_a") { Narrowing = new([mine]) };
        var collections = new Collections(Database);
        (await collections.RenameAsync(actor, "other", "Mine now", null, Ct)).Problem.ShouldNotBeNull();
        (await collections.CreateAsync(actor, "new", "New", null, Ct)).Problem.ShouldNotBeNull();
        (await collections.RenameAsync(actor, "default", "Renamed", null, Ct)).Problem.ShouldBeNull();
        await Should.ThrowAsync<IngestionException>(() => Spine.Submission.SubmitAsync(actor, new("b") { Collection = "other", Urls = [new("https://example.org/")] }, null, Ct));
    }
}

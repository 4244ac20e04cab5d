using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Data;

/// <summary>Row-level security, for every table there is: a table that somebody adds is tested without a line here.</summary>
public sealed class RowSecurityTests : DatabaseTest
{
    // What belongs to the installation and not to a tenant.
    private static readonly string[] Shared = ["account", "account_passkey", "duty", "embedding_generation", "host_budget", "migration", "protection_key", "rate_count", "user_session", "worker_process"];

    [Fact]
    public async Task Web_role_sees_its_tenants_rows_in_every_table_and_without_a_tenant_none()
    {
        var tables = await FillAsync("one", "two");
        tables.Count.ShouldBeGreaterThan(15);
        foreach (var table in tables)
        {
            var owner = table == "tenant" ? "id" : "tenant_id";
            await using (var web = await Database.OpenWebAsync("one", CancellationToken.None))
            {
                (await web.QueryAsync<string>($"SELECT DISTINCT {owner} FROM ingestion.{table}")).ShouldBe(["one"], table);
                (await Should.ThrowAsync<PostgresException>(() => web.QueryAsync<object>($"DELETE FROM ingestion.{table}"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, table);
            }
            // The very connection that just served a tenant comes back from the pool knowing of none.
            (await Database.Web.QueryAsync<long>($"SELECT count(*) FROM ingestion.{table}")).ShouldBe([0], table);
            (await Worker.QueryAsync<long>($"SELECT count(*) FROM ingestion.{table} WHERE {owner} IN ('one', 'two')")).ShouldBe([2], table);
        }
    }

    [Fact]
    public async Task Every_table_belongs_to_a_tenant_or_is_known_to_belong_to_none()
    {
        var without = await QueryAsync<string>("""
            SELECT c.relname::text FROM pg_class c
            WHERE c.relnamespace = 'ingestion'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
            ORDER BY 1
            """);
        without.ShouldBe(Shared);
    }

    [Theory]
    [InlineData("account")]
    [InlineData("account_passkey")]
    [InlineData("user_session")]
    [InlineData("protection_key")]
    [InlineData("rate_count")]
    public async Task What_lets_people_in_is_not_for_the_web_role(string table)
    {
        await using var web = await Database.OpenWebAsync("default", CancellationToken.None);
        (await Should.ThrowAsync<PostgresException>(() => web.QueryAsync<object>($"SELECT * FROM ingestion.{table}"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task Contexts_of_a_tenant_see_that_tenant()
    {
        await FillAsync("one", "two");
        await using var db = new Contexts(Database).For("two");
        db.Batches.Select(b => b.TenantId).Distinct().ToList().ShouldBe(["two"]);
    }

    // A row for each tenant in each table, of whatever fits its columns: constraints are dropped, triggers and keys are off.
    private async Task<List<string>> FillAsync(params string[] tenants)
    {
        await BreakAsync("""
            DO $$
            DECLARE c record;
            BEGIN
                FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'ingestion'::regnamespace LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname);
                END LOOP;
            END $$
            """);
        var tables = await QueryAsync<string>("SELECT relname::text FROM pg_class WHERE relnamespace = 'ingestion'::regnamespace AND relkind = 'r' AND relrowsecurity ORDER BY 1");
        foreach (var table in tables)
        {
            // Read as the owner, who sees every column's definition.
            var columns = await Database.Owner.QueryAsync<string>("""
                SELECT column_name || ' ' || data_type FROM information_schema.columns
                WHERE table_schema = 'ingestion' AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
                """, table);
            foreach (var (tenant, n) in tenants.Select((t, i) => (t, i)))
            {
                var pairs = columns.Select(c => c.Split(' ', 2)).Select(c => (Name: c[0], Value: Value(table, c[0], c[1], tenant, n))).ToList();
                await BreakAsync($"INSERT INTO ingestion.{table} ({string.Join(", ", pairs.Select(p => p.Name))}) VALUES ({string.Join(", ", pairs.Select(p => p.Value))})");
            }
        }
        return tables;
    }

    private static string Value(string table, string column, string type, string tenant, int n) => (column, type) switch
    {
        ("tenant_id", _) => $"'{tenant}'",
        ("id", "text") when table == "tenant" => $"'{tenant}'",
        ("state", _) => "'pending'",
        ("desired_state", _) => "'run'",
        ("priority", _) => "'normal'",
        (_, "text") => $"'{column}{n}'",
        (_, "bigint" or "integer" or "double precision") => $"{1000 + n}",
        (_, "boolean") => "false",
        (_, "jsonb") => "'{}'",
        (_, "bytea") => $"'\\x0{n}'",
        (_, "uuid") => "gen_random_uuid()",
        (_, "interval") => "'1 s'",
        (_, "tsvector") => "'x'",
        (_, var time) when time.StartsWith("timestamp", StringComparison.Ordinal) => "now()",
        _ => throw new InvalidOperationException($"{table}.{column} is {type}: say here what fits"),
    };
}

using Ingestion.Core.Data;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Data;

public sealed class MigratorTests : IAsyncLifetime
{
    private readonly string _name = "empty_" + Guid.NewGuid().ToString("n");
    private string _connectionString = "";

    public async Task InitializeAsync()
    {
        await AdminAsync($"CREATE DATABASE {_name} TEMPLATE template0 OWNER {PostgresRoles.Owner}");
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync());
        _connectionString = new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Username = PostgresRoles.App, Database = _name }.ConnectionString;
    }

    public Task DisposeAsync() => AdminAsync($"DROP DATABASE {_name} WITH (FORCE)");

    [Fact]
    public async Task Of_twenty_that_start_at_once_one_migrates_and_the_others_wait()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            await using var database = new Database(_connectionString);
            await new Migrator(database).MigrateAsync(CancellationToken.None);
            // Whoever returns finds everything there.
            (await database.Worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe([0]);
        }));
        await using var after = new Database(_connectionString);
        (await after.Owner.QueryAsync<long>("SELECT count(*) FROM ingestion.collection")).ShouldBe([1]);
        await new Migrator(after).RequireCurrentAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_refused_by_name()
    {
        await using var database = new Database(_connectionString);
        var migrator = new Migrator(database);
        await migrator.MigrateAsync(CancellationToken.None);
        await database.Owner.QueryAsync<object>("""INSERT INTO ingestion.migration SELECT '29991231000000_Future', '99.0' """);
        (await Should.ThrowAsync<SchemaTooNewException>(() => migrator.MigrateAsync(CancellationToken.None))).Message.ShouldContain("29991231000000_Future");
        await Should.ThrowAsync<SchemaTooNewException>(() => migrator.RequireCurrentAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_database_that_was_never_migrated_is_told_from_a_current_one()
    {
        await using var database = new Database(_connectionString);
        (await Should.ThrowAsync<SchemaTooOldException>(() => new Migrator(database).RequireCurrentAsync(CancellationToken.None))).Message.ShouldContain("Initial");
    }

    private static async Task AdminAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Pooling = false }.ConnectionString);
        await admin.OpenAsync();
        await admin.QueryAsync<object>(sql);
    }
}

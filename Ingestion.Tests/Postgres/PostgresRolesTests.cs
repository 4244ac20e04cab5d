using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Postgres;

public sealed class PostgresRolesTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PostgresServer.CreateDatabaseAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData(PostgresRoles.Owner)]
    [InlineData(PostgresRoles.Worker)]
    [InlineData(PostgresRoles.Web)]
    public async Task A_pooled_connection_keeps_its_role_from_one_use_to_the_next(string role)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(_database.As(role)) { MaxPoolSize = 1 }.ConnectionString;
        var first = await Sql.ScalarAsync<int>(connectionString, "SET ROLE NONE; SET SESSION AUTHORIZATION DEFAULT; SELECT pg_backend_pid()", pooled: true);

        (await Sql.ScalarAsync<string>(connectionString, "SELECT current_user::text", pooled: true)).ShouldBe(role);
        (await Sql.ScalarAsync<int>(connectionString, "SELECT pg_backend_pid()", pooled: true)).ShouldBe(first);
    }

    [Fact]
    public async Task A_reset_comes_back_to_the_role()
    {
        (await Sql.ScalarAsync<string>(_database.As(PostgresRoles.Web), "RESET ROLE; SELECT current_user::text")).ShouldBe(PostgresRoles.Web);
        (await Sql.ScalarAsync<string>(_database.As(PostgresRoles.Web), "RESET ALL; SELECT current_user::text")).ShouldBe(PostgresRoles.Web);
    }

    [Fact]
    public async Task Options_given_before_are_kept()
    {
        var connectionString = PostgresRoles.For(_database.ConnectionString + ";Options=-c statement_timeout=1234", PostgresRoles.Worker);

        (await Sql.ScalarAsync<string>(connectionString, "SELECT current_user || ' ' || current_setting('statement_timeout')")).ShouldBe("ingestion_worker 1234ms");
    }

    [Fact]
    public async Task The_login_without_a_role_can_do_nothing()
    {
        await Sql.RunAsync(_database.As(PostgresRoles.Owner), "CREATE SCHEMA closed; CREATE TABLE closed.t (v int)");

        await ShouldBeRefusedAsync(_database.ConnectionString, "SELECT * FROM closed.t");
        await ShouldBeRefusedAsync(_database.ConnectionString, "CREATE SCHEMA mine");
        await ShouldBeRefusedAsync(_database.ConnectionString, "CREATE ROLE another");
    }

    [Fact]
    public async Task Row_level_security_binds_the_web_role_and_not_the_worker()
    {
        await Sql.RunAsync(_database.As(PostgresRoles.Owner),
            """
            CREATE SCHEMA secured;
            CREATE TABLE secured.t AS SELECT 1 AS v;
            ALTER TABLE secured.t ENABLE ROW LEVEL SECURITY;
            GRANT USAGE ON SCHEMA secured TO ingestion_web, ingestion_worker;
            GRANT SELECT ON secured.t TO ingestion_web, ingestion_worker
            """);

        (await Sql.ScalarAsync<long>(_database.As(PostgresRoles.Web), "SELECT count(*) FROM secured.t")).ShouldBe(0);
        (await Sql.ScalarAsync<long>(_database.As(PostgresRoles.Worker), "SELECT count(*) FROM secured.t")).ShouldBe(1);
    }

    [Theory]
    [InlineData(PostgresRoles.Owner)]
    [InlineData(PostgresRoles.Worker)]
    [InlineData(PostgresRoles.Web)]
    public async Task No_role_is_superuser_or_makes_roles_and_databases(string role)
    {
        (await Sql.ScalarAsync<bool>(_database.ConnectionString, $"SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin FROM pg_roles WHERE rolname = '{role}'")).ShouldBeFalse();
    }

    [Fact]
    public async Task Databases_of_two_tests_do_not_meet()
    {
        await using var other = await PostgresServer.CreateDatabaseAsync();
        await Sql.RunAsync(_database.As(PostgresRoles.Owner), "CREATE SCHEMA mine");

        (await Sql.ScalarAsync<long>(other.ConnectionString, "SELECT count(*) FROM pg_namespace WHERE nspname = 'mine'")).ShouldBe(0);
    }

    private static async Task ShouldBeRefusedAsync(string connectionString, string sql) =>
        (await Should.ThrowAsync<PostgresException>(() => Sql.RunAsync(connectionString, sql))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
}

using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Postgres;

/// <summary>Against a server that has none of our roles: an embedded one, stripped of them.</summary>
public sealed class ExternalServerTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new TemporaryDirectory().Traversable();
    private EmbeddedPostgres _server = null!;

    public async Task InitializeAsync()
    {
        _server = await EmbeddedPostgres.StartAsync(new() { DataDirectory = _directory.Path, Fast = true }, NullLogger<EmbeddedPostgres>.Instance);
        foreach (var sql in (string[])["DROP DATABASE ingestion WITH (FORCE)", "DROP ROLE ingestion_app, ingestion_owner, ingestion_worker, ingestion_web",
            "CREATE ROLE tenant LOGIN", "CREATE ROLE \"Ada \"\"Root\"\"\" LOGIN SUPERUSER", "CREATE DATABASE \"Know ledge\""])
            await Sql.RunAsync(_server.AdminConnectionString, sql);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task A_login_without_rights_is_given_the_SQL_to_run_once_and_that_is_enough()
    {
        var refusal = await RefusalAsync(As("tenant"));
        refusal.ShouldContain("as a superuser");
        var sql = refusal[refusal.IndexOf("DO $$", StringComparison.Ordinal)..];

        await Sql.RunAsync(As("postgres"), sql);
        await PrepareAsync(As("tenant"));

        await ShouldServeAsync(As("tenant"));
    }

    [Fact]
    public async Task A_login_that_may_make_roles_makes_them_whatever_its_name()
    {
        await PrepareAsync(As("Ada \"Root\""));
        await PrepareAsync(As("Ada \"Root\""));

        await ShouldServeAsync(As("Ada \"Root\""));
    }

    [Fact]
    public async Task The_file_for_administrators_prepares_a_server_and_can_be_run_again()
    {
        var sql = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "roles.sql"));
        await Sql.RunAsync(As("postgres"), sql);
        await Sql.RunAsync(As("postgres"), sql);

        await PrepareAsync(As(PostgresRoles.App));

        await ShouldServeAsync(As(PostgresRoles.App));
        (await Sql.ScalarAsync<long>(As("postgres"), "SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'unaccent')")).ShouldBe(2);
    }

    [Theory]
    [InlineData("ALTER ROLE ingestion_worker NOBYPASSRLS")]
    [InlineData("ALTER ROLE ingestion_web BYPASSRLS")]
    [InlineData("REVOKE ingestion_web FROM tenant")]
    [InlineData("REVOKE CREATE ON DATABASE \"Know ledge\" FROM ingestion_owner")]
    public async Task A_role_with_the_wrong_rights_is_refused(string damage)
    {
        await Sql.RunAsync(As("postgres"), RoleSql.CreateRoles + RoleSql.Grant("tenant") + RoleSql.GrantDatabase("Know ledge"));
        await PrepareAsync(As("tenant"));

        await Sql.RunAsync(As("postgres"), damage);

        await RefusalAsync(As("tenant"));
    }

    [Fact]
    public async Task A_database_of_another_encoding_is_refused()
    {
        await Sql.RunAsync(As("postgres"), "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");

        (await RefusalAsync(As("postgres", "latin"))).ShouldContain("LATIN1");
    }

    [Theory]
    [InlineData("Host=/nowhere;Username=x", "does not answer")]
    [InlineData("Hst=localhost", "not a connection string")]
    public async Task What_cannot_be_reached_or_read_is_said_to_be_so(string connectionString, string message)
    {
        (await RefusalAsync(connectionString)).ShouldContain(message);
    }

    private string As(string login, string database = "Know ledge") =>
        new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Username = login, Database = database }.ConnectionString;

    private static Task PrepareAsync(string connectionString) => ExternalServer.PrepareAsync(connectionString, NullLogger.Instance, CancellationToken.None);

    private static async Task<string> RefusalAsync(string connectionString) =>
        (await Should.ThrowAsync<ExternalServerException>(() => PrepareAsync(connectionString))).Message;

    private static async Task ShouldServeAsync(string connectionString)
    {
        await Sql.RunAsync(PostgresRoles.For(connectionString, PostgresRoles.Owner), "CREATE SCHEMA ours; CREATE TABLE ours.t (v int)");
        (await Sql.ScalarAsync<string>(PostgresRoles.For(connectionString, PostgresRoles.Web), "SELECT current_user::text")).ShouldBe(PostgresRoles.Web);
        (await Sql.ScalarAsync<bool>(PostgresRoles.For(connectionString, PostgresRoles.Worker), "SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")).ShouldBeTrue();
    }
}

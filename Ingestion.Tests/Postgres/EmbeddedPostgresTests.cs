using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Postgres;

public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new TemporaryDirectory().Traversable();
    private readonly LogLines _log = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task First_start_makes_a_database_in_UTF8_with_its_extensions()
    {
        await using var server = await StartAsync();

        (await Sql.ScalarAsync<string>(server.ConnectionString,
            "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"))
            .ShouldBe("UTF8 C.UTF-8 ingestion_owner");
        (await Sql.ScalarAsync<long>(server.ConnectionString, "SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'unaccent')")).ShouldBe(2);
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_stop_and_a_start()
    {
        await using (var server = await StartAsync(new() { Fast = false }))
            await WriteRowAsync(server);

        await using var again = await StartAsync(new() { Fast = false });
        await ShouldHoldRowAsync(again);
        (await Sql.ScalarAsync<string>(again.ConnectionString, "SHOW fsync")).ShouldBe("on");
    }

    [Fact]
    public async Task A_second_start_on_the_same_directory_is_refused_and_told_what_to_do()
    {
        await using var server = await StartAsync();

        var refusal = await Should.ThrowAsync<EmbeddedPostgresException>(() => StartAsync());

        refusal.Message.ShouldContain(_directory.Path);
        refusal.Message.ShouldContain($"process {Environment.ProcessId}");
        refusal.Message.ShouldContain("INGESTION_DATA");
        await Sql.RunAsync(server.ConnectionString, "SELECT 1");
    }

    [Fact]
    public async Task Two_directories_hold_two_servers_side_by_side()
    {
        using var other = new TemporaryDirectory().Traversable();
        await using var first = await StartAsync();
        await using var second = await StartAsync(new() { DataDirectory = other.Path });
        await WriteRowAsync(first);

        await Should.ThrowAsync<PostgresException>(() => ShouldHoldRowAsync(second));
    }

    [Theory]
    [InlineData("with blanks and 'quotes'")]
    [InlineData("a,b")]
    [InlineData("deep/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789")]
    public async Task The_path_of_the_data_directory_may_be_long_or_odd(string path)
    {
        await using var server = await StartAsync(new() { DataDirectory = Path.Combine(_directory.Path, path) });

        (await Sql.ScalarAsync<string>(server.ConnectionString, "SELECT current_user::text")).ShouldBe(PostgresRoles.App);
    }

    [Fact]
    public async Task An_interrupted_making_of_the_cluster_is_begun_anew()
    {
        var unfinished = Directory.CreateDirectory(Path.Combine(_directory.Path, "postgres", "data.new"));
        await File.WriteAllTextAsync(Path.Combine(unfinished.FullName, "PG_VERSION"), "15\n");

        await using var server = await StartAsync();

        await WriteRowAsync(server);
        unfinished.Refresh();
        unfinished.Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_refused_with_both_versions()
    {
        var data = Directory.CreateDirectory(Path.Combine(_directory.Path, "postgres", "data"));
        await File.WriteAllTextAsync(Path.Combine(data.FullName, "PG_VERSION"), "9\n");

        var refusal = await Should.ThrowAsync<EmbeddedPostgresException>(() => StartAsync());

        refusal.Message.ShouldContain("made by PostgreSQL 9");
        refusal.Message.ShouldMatch("this machine has PostgreSQL [0-9]{2}");
        refusal.Message.ShouldContain(data.FullName);
    }

    [Fact]
    public async Task A_folder_without_a_server_is_named()
    {
        var refusal = await Should.ThrowAsync<EmbeddedPostgresException>(() => StartAsync(new() { BinaryDirectory = "/nowhere/bin" }));

        refusal.Message.ShouldContain("/nowhere/bin");
        refusal.Message.ShouldContain("INGESTION_PG_BIN");
    }

    [Fact]
    public async Task A_server_that_does_not_start_tells_the_end_of_its_log()
    {
        var refusal = await Should.ThrowAsync<EmbeddedPostgresException>(() => StartAsync(new() { SharedBuffers = "nonsense" }));

        refusal.Message.ShouldContain("invalid value for parameter \"shared_buffers\"");
        await using var server = await StartAsync();
    }

    [Fact]
    public async Task A_server_is_found_through_the_data_directory_while_it_runs()
    {
        EmbeddedPostgres.TryFind(_directory.Path).ShouldBeNull();
        await using (var server = await StartAsync())
            EmbeddedPostgres.TryFind(_directory.Path).ShouldBe(server.ConnectionString);
        EmbeddedPostgres.TryFind(_directory.Path).ShouldBeNull();
    }

    [Fact]
    public async Task Without_TCP_the_server_listens_on_no_address()
    {
        await using var server = await StartAsync();

        (await Sql.ScalarAsync<string>(server.ConnectionString, "SHOW listen_addresses")).ShouldBe("");
        server.TcpConnectionString.ShouldBeNull();
    }

    [Fact]
    public async Task TCP_is_on_loopback_and_asks_for_the_password()
    {
        await using var server = await StartAsync(new() { TcpPort = 0 });
        var tcp = new NpgsqlConnectionStringBuilder(server.TcpConnectionString);

        tcp.Host.ShouldBe("127.0.0.1");
        (await Sql.ScalarAsync<string>(tcp.ConnectionString, "SELECT current_user::text")).ShouldBe(PostgresRoles.App);
        tcp.Password = "guessed";
        (await Should.ThrowAsync<PostgresException>(() => Sql.RunAsync(tcp.ConnectionString, "SELECT 1"))).SqlState.ShouldBe(PostgresErrorCodes.InvalidPassword);
        tcp.Username = "postgres";
        await Should.ThrowAsync<PostgresException>(() => Sql.RunAsync(tcp.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_long_log_is_set_aside_at_the_next_start()
    {
        await using (var server = await StartAsync())
        {
        }

        var log = Path.Combine(_directory.Path, "postgres", "postgres.log");
        await using (var file = File.OpenWrite(log))
            file.SetLength(11 * 1024 * 1024);

        await using var again = await StartAsync();
        new FileInfo(log).Length.ShouldBeLessThan(1024 * 1024);
        new FileInfo(log + ".1").Length.ShouldBe(11 * 1024 * 1024);
    }

    [Fact]
    public async Task The_log_holds_neither_statements_nor_values()
    {
        await using var server = await StartAsync();
        await Sql.RunAsync(server.AdminConnectionString, "CREATE TABLE t (v text UNIQUE); INSERT INTO t VALUES ('whisper')");

        await Should.ThrowAsync<PostgresException>(() => Sql.RunAsync(server.AdminConnectionString, "INSERT INTO t VALUES ('whisper')"));

        var log = await File.ReadAllTextAsync(Path.Combine(_directory.Path, "postgres", "postgres.log"));
        log.ShouldContain("duplicate key");
        log.ShouldNotContain("whisper");
    }

    [FactAsNobody]
    public async Task A_directory_that_the_servers_user_cannot_reach_is_named()
    {
        using var closed = new TemporaryDirectory();

        var refusal = await Should.ThrowAsync<EmbeddedPostgresException>(() => StartAsync(new() { DataDirectory = Path.Combine(closed.Path, "data") }));

        refusal.Message.ShouldContain(closed.Path);
        refusal.Message.ShouldContain("cannot be reached by the user postgres");
    }

    [FactAsNobody]
    public async Task Another_user_than_root_runs_the_server_as_itself()
    {
        var home = Directory.CreateDirectory(Path.Combine(_directory.Path, "home"));
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(home.FullName, (UnixFileMode)0b111_111_111);

        await using var host = await PostgresHost.StartAsync(Path.Combine(home.FullName, "data"), FactAsNobodyAttribute.Prefix);

        (await Sql.ScalarAsync<string>(host.Answer, "SELECT current_user::text")).ShouldBe(PostgresRoles.App);
    }

    private Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions? options = null)
    {
        options ??= new() { Fast = true };
        return EmbeddedPostgres.StartAsync(
            options.DataDirectory == EmbeddedPostgresOptions.DefaultDataDirectory ? options with { DataDirectory = _directory.Path } : options, _log);
    }

    private static Task WriteRowAsync(EmbeddedPostgres server) =>
        Sql.RunAsync(PostgresRoles.For(server.ConnectionString, PostgresRoles.Owner), "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 42 AS v");

    private static async Task ShouldHoldRowAsync(EmbeddedPostgres server) =>
        (await Sql.ScalarAsync<int>(PostgresRoles.For(server.ConnectionString, PostgresRoles.Owner), "SELECT v FROM s.t")).ShouldBe(42);
}

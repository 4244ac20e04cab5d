using System.Diagnostics;
using System.Globalization;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Postgres;

/// <summary>What is left when the app, the server or what holds them together is killed, and that the next start copes with it.</summary>
public sealed class ServerDeathTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new TemporaryDirectory().Traversable();
    private readonly LogLines _log = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_killed_server_is_restarted_with_all_that_was_committed()
    {
        await using var server = await StartAsync();
        await WriteRowAsync(server.ConnectionString);

        await Processes.KillAsync(Processes.Postmaster(_directory.Path));

        await _log.WaitForAsync("runs again");
        await ShouldHoldRowAsync(server.ConnectionString);
    }

    [Fact]
    public async Task A_server_killed_again_and_again_is_restarted_each_time()
    {
        await using var server = await StartAsync();
        await WriteRowAsync(server.ConnectionString);

        for (var i = 0; i < 3; i++)
        {
            await Processes.KillAsync(Processes.Postmaster(_directory.Path));
            await _log.WaitForAsync("runs again");
        }

        await ShouldHoldRowAsync(server.ConnectionString);
    }

    [Fact]
    public async Task A_killed_lifeline_is_replaced_together_with_its_server()
    {
        await using var server = await StartAsync();
        var postmaster = Processes.Postmaster(_directory.Path);
        var shell = server.LifelinePid.ShouldNotBeNull();

        await Processes.KillAsync([.. Processes.Children(shell).Where(p => p != postmaster), shell]);

        await _log.WaitForAsync("runs again");
        Processes.Postmaster(_directory.Path).ShouldNotBe(postmaster);
        await Processes.EndedAsync(postmaster);
        await WriteRowAsync(server.ConnectionString);
    }

    [Fact]
    public async Task A_disposed_server_is_gone_even_while_it_was_being_restarted()
    {
        var server = await StartAsync();
        await Processes.KillAsync(Processes.Postmaster(_directory.Path));

        await server.DisposeAsync();

        EmbeddedPostgres.TryFind(_directory.Path).ShouldBeNull();
        await using var again = await StartAsync();
    }

    [Fact]
    public async Task A_killed_app_takes_its_server_along_by_a_clean_shutdown()
    {
        var host = await PostgresHost.StartAsync(_directory.Path);
        await WriteRowAsync(host.Answer);
        var postmaster = Processes.Postmaster(_directory.Path);

        await host.KillAsync();
        await Processes.EndedAsync(postmaster);

        (await File.ReadAllTextAsync(Path.Combine(_directory.Path, "postgres", "postgres.log"))).ShouldContain("database system is shut down");
        await using var server = await StartAsync();
        await ShouldHoldRowAsync(server.ConnectionString);
    }

    [Fact]
    public async Task A_killed_app_with_a_killed_shell_takes_its_server_along_too()
    {
        var host = await PostgresHost.StartAsync(_directory.Path);
        var postmaster = Processes.Postmaster(_directory.Path);

        await Processes.KillAsync(Processes.Parent(postmaster));
        await host.KillAsync();

        await Processes.EndedAsync(postmaster);
    }

    [Fact]
    public async Task A_server_that_outlived_its_app_is_stopped_and_started()
    {
        var host = await PostgresHost.StartAsync(_directory.Path);
        await WriteRowAsync(host.Answer);
        var postmaster = Processes.Postmaster(_directory.Path);
        var shell = Processes.Parent(postmaster);
        await Processes.KillAsync([.. Processes.Children(shell).Where(p => p != postmaster), shell, Processes.Parent(shell)]);
        EmbeddedPostgres.TryFind(_directory.Path).ShouldNotBeNull("the test wants an orphan");

        await using var server = await StartAsync();

        await _log.WaitForAsync("earlier run");
        await ShouldHoldRowAsync(server.ConnectionString);
        Processes.Postmaster(_directory.Path).ShouldNotBe(postmaster);
    }

    [Fact]
    public async Task A_pid_file_that_names_a_stranger_by_now_neither_stops_the_start_nor_hurts_the_stranger()
    {
        await using (await StartAsync())
        {
        }

        var account = await ServerAccount.FindAsync(CancellationToken.None);
        var command = account.Command("sleep", "600");
        using var stranger = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = "/" })!;
        try
        {
            var pidFile = Path.Combine(_directory.Path, "postgres", "data", "postmaster.pid");
            var socket = Path.Combine(_directory.Path, "postgres", "run", ".s.PGSQL.5432.lock");
            await account.CreatePrivateDirectoryAsync(Path.GetDirectoryName(socket)!, CancellationToken.None);
            foreach (var file in (string[])[pidFile, socket])
            {
                await File.WriteAllTextAsync(file, $"{stranger.Id.ToString(CultureInfo.InvariantCulture)}\n{_directory.Path}/postgres/data\n1700000000\n5432\n{_directory.Path}/postgres/run\n\n  1 1\nready   \n");
                await account.TakeAsync(file, CancellationToken.None);
            }

            EmbeddedPostgres.TryFind(_directory.Path).ShouldBeNull();
            await using var server = await StartAsync();

            await WriteRowAsync(server.ConnectionString);
            stranger.HasExited.ShouldBeFalse();
        }
        finally
        {
            stranger.Kill();
        }
    }

    [Fact]
    public async Task A_second_app_is_refused_while_the_first_lives_and_welcome_after_its_death()
    {
        var first = await PostgresHost.StartAsync(_directory.Path);
        await using (var second = await PostgresHost.StartAsync(_directory.Path))
            second.Answer.ShouldContain("in use by another running instance (process");
        first.IsUp.ShouldBeTrue();

        await first.KillAsync();

        await using var server = await StartAsync();
        await WriteRowAsync(server.ConnectionString);
    }

    private Task<EmbeddedPostgres> StartAsync() => EmbeddedPostgres.StartAsync(new() { DataDirectory = _directory.Path }, _log);

    private static Task WriteRowAsync(string connectionString) =>
        Sql.RunAsync(PostgresRoles.For(connectionString, PostgresRoles.Owner), "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 42 AS v");

    private static async Task ShouldHoldRowAsync(string connectionString) =>
        (await Sql.ScalarAsync<int>(PostgresRoles.For(connectionString, PostgresRoles.Owner), "SELECT v FROM s.t")).ShouldBe(42);
}

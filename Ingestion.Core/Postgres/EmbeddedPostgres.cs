using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>
/// A PostgreSQL server of our own, reached over a unix socket that only this user can enter. It lives as long as this object: it is
/// restarted when it ends unasked, and shut down when we end, however that happens.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    /// <summary>A server that ran this long has recovered; the next loss starts from the first delay again.</summary>
    private static readonly TimeSpan Stable = TimeSpan.FromMinutes(1);

    private readonly ServerDirectory _directory;
    private readonly PostgresCluster _cluster;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _supervision;
    private Lifeline? _lifeline;

    private EmbeddedPostgres(ServerDirectory directory, PostgresCluster cluster, Lifeline lifeline, string? password, ILogger logger, TimeProvider time)
    {
        (_directory, _cluster, _lifeline, _logger, _time) = (directory, cluster, lifeline, logger, time);
        ConnectionString = Connect(directory.Socket, cluster.Port, PostgresRoles.App, PostgresRoles.Database);
        AdminConnectionString = Admin(directory, cluster);
        TcpConnectionString = password is null ? null : new NpgsqlConnectionStringBuilder(ConnectionString) { Host = "127.0.0.1", Password = password }.ConnectionString;
        _supervision = SuperviseAsync(lifeline);
    }

    /// <summary>Over the socket, as <see cref="PostgresRoles.App"/>. Take a role on with <see cref="PostgresRoles.For"/>.</summary>
    public string ConnectionString { get; }

    /// <summary>The same over 127.0.0.1, with a password of this start; null unless <see cref="EmbeddedPostgresOptions.TcpPort"/> is set.</summary>
    public string? TcpConnectionString { get; }

    /// <summary>As the superuser. For tests that make databases; the app never uses it.</summary>
    internal string AdminConnectionString { get; }

    /// <summary>The process that holds the server; null while there is none.</summary>
    internal int? LifelinePid => _lifeline?.Pid;

    /// <summary>Makes the cluster where there is none, starts its server and provisions roles and database.</summary>
    /// <exception cref="EmbeddedPostgresException">It cannot: the message says which directory, why, and what to do.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        EmbeddedPostgresOptions options, ILogger<EmbeddedPostgres> logger, TimeProvider? timeProvider = null, CancellationToken ct = default)
    {
        var time = timeProvider ?? TimeProvider.System;
        var started = time.GetTimestamp();
        var account = await ServerAccount.FindAsync(ct);
        var directory = await ServerDirectory.OpenAsync(options.DataDirectory, account, time, ct);
        try
        {
            var named = options.BinaryDirectory ?? Environment.GetEnvironmentVariable(PostgresBinaries.Variable);
            var binaries = await PostgresBinaries.FindAsync(string.IsNullOrEmpty(named) ? null : named, directory.Data, ct);
            var cluster = new PostgresCluster(binaries, directory, account, options, logger, time);
            var lifeline = await cluster.StartAsync(ct);
            try
            {
                var password = await ProvisionAsync(directory, cluster, options, ct);
                Log.PostgresStarted(logger, directory.Data, binaries.Major, (long)time.GetElapsedTime(started).TotalMilliseconds);
                return new EmbeddedPostgres(directory, cluster, lifeline, password, logger, time);
            }
            catch
            {
                await cluster.StopAsync(lifeline);
                throw;
            }
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    /// <summary>For a second process, such as a command-line verb: the connection string of the server that runs on this data directory, or null.</summary>
    /// <exception cref="EmbeddedPostgresException">This user may not look.</exception>
    public static string? TryFind(string dataDirectory)
    {
        try
        {
            return Postmaster.Find(ServerDirectory.DataIn(dataDirectory)) is { IsReady: true } server
                ? Connect(server.SocketDirectory, server.Port, PostgresRoles.App, PostgresRoles.Database)
                : null;
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EmbeddedPostgresException(
                $"The database in {Path.GetFullPath(dataDirectory)} is not open to the user {Environment.UserName}. Run this as the user the app runs as, or as root.", e);
        }
    }

    /// <summary>Shuts the server down and gives the data directory free.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        await _supervision;
        if (_lifeline is { } lifeline)
            await _cluster.StopAsync(lifeline);
        _directory.RemoveSocketDirectory();
        _directory.Dispose();
        _stopping.Dispose();
    }

    private static async Task<string?> ProvisionAsync(ServerDirectory directory, PostgresCluster cluster, EmbeddedPostgresOptions options, CancellationToken ct)
    {
        try
        {
            var password = await Provisioning.RunAsync(Admin(directory, cluster), options.TcpPort is not null, ct);
            return await PostgresRoles.FindFaultAsync(Connect(directory.Socket, cluster.Port, PostgresRoles.App, PostgresRoles.Database), ct) is { } fault
                ? throw new EmbeddedPostgresException(fault)
                : password;
        }
        catch (NpgsqlException e)
        {
            throw new EmbeddedPostgresException($"The server on {directory.Data} cannot be provisioned: {e.Message}", e);
        }
    }

    private async Task SuperviseAsync(Lifeline lifeline)
    {
        var delay = FirstDelay;
        try
        {
            while (true)
            {
                var started = _time.GetTimestamp();
                await lifeline.Ended.WaitAsync(_stopping.Token);
                _lifeline = null;
                lifeline.Dispose();
                delay = _time.GetElapsedTime(started) > Stable ? FirstDelay : delay;
                Log.PostgresLost(_logger, _directory.Data, delay);
                (lifeline, delay) = await RestartAsync(delay);
                _lifeline = lifeline;
                Log.PostgresRestarted(_logger, _directory.Data);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // We are asked to end; what runs is stopped by DisposeAsync.
        }
    }

    private async Task<(Lifeline Lifeline, TimeSpan NextDelay)> RestartAsync(TimeSpan delay)
    {
        while (true)
        {
            await Task.Delay(delay, _time, _stopping.Token);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            try
            {
                return (await _cluster.StartAsync(_stopping.Token), delay);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.PostgresRestartFailed(_logger, e, _directory.Data, delay);
            }
        }
    }

    private static string Admin(ServerDirectory directory, PostgresCluster cluster) =>
        Connect(directory.Socket, cluster.Port, PostgresCluster.Superuser, "postgres");

    private static string Connect(string socketDirectory, int port, string user, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = socketDirectory,
        Port = port,
        Username = user,
        Database = database,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;
}

using Ingestion.Core.Postgres;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Ingestion.Tests.Chaos;

/// <summary>A server of the test's own, durable as a real one, which it can stop at once and start again. Its database is empty at first.</summary>
internal sealed class ChaosCluster : IAsyncDisposable
{
    private readonly TemporaryDirectory _folder;
    private readonly ServerDirectory _directory;
    private readonly PostgresCluster _cluster;
    private Lifeline? _lifeline;

    private ChaosCluster(TemporaryDirectory folder, ServerDirectory directory, PostgresCluster cluster) => (_folder, _directory, _cluster) = (folder, directory, cluster);

    /// <summary>As <see cref="PostgresRoles.App"/>.</summary>
    public string ConnectionString => Connect(PostgresRoles.App, PostgresRoles.Database);

    /// <summary>As the superuser, to the same database.</summary>
    public string AdminConnectionString => Connect(PostgresCluster.Superuser, PostgresRoles.Database);

    public static async Task<ChaosCluster> StartAsync(int maxConnections = 200)
    {
        var folder = new TemporaryDirectory("chaos-cluster-").Traversable();
        var account = await ServerAccount.FindAsync(CancellationToken.None);
        var directory = await ServerDirectory.OpenAsync(folder.Path, account, TimeProvider.System, CancellationToken.None);
        var named = Environment.GetEnvironmentVariable(PostgresBinaries.Variable);
        var binaries = await PostgresBinaries.FindAsync(string.IsNullOrEmpty(named) ? null : named, directory.Data, CancellationToken.None);
        var cluster = new ChaosCluster(folder, directory,
            new(binaries, directory, account, new() { DataDirectory = folder.Path, MaxConnections = maxConnections }, NullLogger.Instance, TimeProvider.System));
        await cluster.StartAgainAsync();
        await Provisioning.RunAsync(cluster.Connect(PostgresCluster.Superuser, "postgres"), withPassword: false, CancellationToken.None);
        return cluster;
    }

    /// <summary>As <c>pg_ctl stop -m immediate</c>: no checkpoint, no word to anybody.</summary>
    public async Task StopAtOnceAsync()
    {
        var postmaster = Processes.Postmaster(_folder.Path);
        await Processes.SignalAsync(postmaster, "QUIT");
        await Processes.EndedAsync(postmaster);
        await _lifeline!.Ended;
        _lifeline.Dispose();
        _lifeline = null;
    }

    public async Task StartAgainAsync() => _lifeline = await _cluster.StartAsync(CancellationToken.None);

    /// <summary>Runs SQL as the superuser.</summary>
    public async Task<List<T>> AdminAsync<T>(string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(AdminConnectionString);
        await connection.OpenAsync();
        return await connection.QueryAsync<T>(sql, parameters);
    }

    public async ValueTask DisposeAsync()
    {
        if (_lifeline is { } lifeline) await _cluster.StopAsync(lifeline);
        _directory.RemoveSocketDirectory();
        _directory.Dispose();
        _folder.Dispose();
    }

    private string Connect(string user, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = _directory.Socket, Port = _cluster.Port, Username = user, Database = database, SslMode = SslMode.Disable, GssEncryptionMode = GssEncryptionMode.Disable, Pooling = false,
    }.ConnectionString;
}

using Ingestion.Core;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>
/// Several processes of the real program on one database and one data directory, with short leases: one that dies or freezes is taken
/// over within seconds.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    private static readonly (string, string)[] Quick =
    [
        ("Ingestion:Pipeline:Lease", "00:00:03"), ("Ingestion:Pipeline:Heartbeat", "00:00:01"), ("Ingestion:Pipeline:Sweep", "00:00:01"),
        ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"),
    ];

    private readonly TestDatabase _test;
    private readonly TemporaryDirectory _data = new("cluster-");
    private readonly Database _database;
    private readonly List<AppProcess> _started = [];

    private Cluster(TestDatabase test) => (_test, _database) = (test, new(test.ConnectionString));

    /// <summary>How long a task of a process that is gone may stay with it: a lease and a sweep, and time for two cores to notice.</summary>
    public static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(3 + 1 + 6);

    public string Data => _data.Path;

    public NpgsqlDataSource Worker => _database.Worker;

    /// <summary>An empty, migrated database; nothing runs on it yet.</summary>
    public static async Task<Cluster> CreateAsync() => new(await PostgresServer.CreateDatabaseAsync());

    /// <summary>Starts one more process; <paramref name="settings"/> go over those of these tests.</summary>
    public async Task<AppProcess> StartAsync(ServerRole role, params (string Key, string Value)[] settings)
    {
        var app = await AppProcess.StartAsync(Data, [.. Quick, ("ConnectionStrings:Ingestion", _test.ConnectionString), ("Ingestion:Role", role.ToString()), .. settings]);
        _started.Add(app);
        return app;
    }

    /// <summary>The first column of every row.</summary>
    public Task<List<T>> QueryAsync<T>(string sql, params object[] parameters) => Worker.QueryAsync<T>(sql, parameters);

    /// <summary>Asks again and again until a query answers true.</summary>
    public Task UntilAsync(string sql, params object[] parameters) =>
        Eventually.IsAsync(async () => (await QueryAsync<bool>(sql, parameters)).SequenceEqual([true]), sql, 60);

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _started) await app.DisposeAsync();
        await _database.DisposeAsync();
        await _test.DisposeAsync();
        _data.Dispose();
    }
}

using System.Globalization;
using System.Net;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;

namespace Ingestion.Tests.Chaos;

/// <summary>
/// A data directory, a site and a database for programs under fault: the program's own embedded server, or a database of the tests'
/// server, which several programs can share and which outlives them.
/// </summary>
internal sealed class ChaosRun : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How many rounds of a long fault are run: all of them, or the share of them that <c>INGESTION_CHAOS_SCALE</c> names, and at least one.
    /// </summary>
    public static int Scaled(int rounds) =>
        double.TryParse(Environment.GetEnvironmentVariable("INGESTION_CHAOS_SCALE"), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1 ? Math.Max(1, (int)(rounds * share)) : rounds;

    /// <summary>Ten pages a second, so that a small batch outlasts what is to happen to it.</summary>
    public static readonly (string Key, string Value) Paced = ("Ingestion:Acquire:RequestsPerMinutePerHost", "600");

    private readonly TemporaryDirectory _data = new TemporaryDirectory("chaos-").Traversable();
    private readonly TestDatabase? _database;
    private readonly string? _server;
    private NpgsqlDataSource? _source;

    private ChaosRun(KrithiSite site, TestDatabase? database, string? server) => (Site, _database, _server) = (site, database, server ?? database?.ConnectionString);

    public KrithiSite Site { get; }

    public string Data => _data.Path;

    /// <summary>As <see cref="PostgresRoles.App"/>.</summary>
    public string ConnectionString => _server ?? EmbeddedPostgres.TryFind(Data) ?? throw new InvalidOperationException("the program's database does not run");

    /// <summary>As the worker, each time by a connection of its own: the server may have been another one a moment ago.</summary>
    public NpgsqlDataSource Source => _source ??= NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(PostgresRoles.For(ConnectionString, PostgresRoles.Worker)) { Pooling = false }.ConnectionString);

    /// <summary>How the programs reach the database where not as the tests do: through a proxy.</summary>
    public string? Through { get; set; }

    /// <summary>On the program's own server.</summary>
    public static ChaosRun Embedded(KrithiSite site) => new(site, null, null);

    /// <summary>On a migrated database of the tests' server.</summary>
    public static async Task<ChaosRun> SharedAsync(KrithiSite site) => new(site, await PostgresServer.CreateDatabaseAsync(), null);

    /// <summary>On a server that the test keeps.</summary>
    public static ChaosRun On(string connectionString, KrithiSite site) => new(site, null, connectionString);

    /// <summary>The site's settings, the database and whatever a test adds.</summary>
    public (string Key, string Value)[] Settings(params (string Key, string Value)[] more) =>
        [.. Site.Settings, .. _server is null ? Array.Empty<(string, string)>() : [("ConnectionStrings:Ingestion", Through ?? ConnectionString)], .. more];

    public async Task<AppProcess> StartAsync(params (string Key, string Value)[] more)
    {
        var app = Begin(null, more);
        await app.ReadyAsync();
        return app;
    }

    /// <param name="fault">As INGESTION_FAULT takes it; null for none.</param>
    public AppProcess Begin(string? fault, params (string Key, string Value)[] more) =>
        AppProcess.Begin(new(Data) { Settings = Settings(more), Environment = fault is null ? [] : [("INGESTION_FAULT", fault)] });

    /// <param name="armed">The file from which on it fails.</param>
    public AppProcess Begin(string fault, string armed, (string Key, string Value)[] more) =>
        AppProcess.Begin(new(Data) { Settings = Settings(more), Environment = [("INGESTION_FAULT", fault), ("INGESTION_FAULT_ARMED_BY", armed)] });

    /// <summary>Waits until a batch has ended, where the database's troubles may cost an answer: whoever gets a 503 asks again.</summary>
    public static Task EndedAsync(AppProcess app, string id, TimeSpan patience) => Eventually.IsAsync(async () =>
    {
        using var answer = await app.Client.GetAsync($"/api/v1/batches/{id}");
        return answer.StatusCode != HttpStatusCode.ServiceUnavailable && AppProcess.HasEnded(await AppProcess.JsonAsync(answer));
    }, "the batch has ended", (int)patience.TotalSeconds);

    public WaitSampler Sample() => new(() => ConnectionString);

    public async Task<T> ScalarAsync<T>(string sql, params object[] parameters) => (await Source.QueryAsync<T>(sql, parameters)).Single();

    /// <summary>
    /// The end of every fault, beside a running program: nobody waited without a reason, the suite's statements and the program's own
    /// <c>verify</c> find nothing, and every page of the site ended as it has to.
    /// </summary>
    public async Task CheckAsync(ChaosReport report, WaitSampler? sampler = null, bool endings = true)
    {
        if (sampler is not null)
        {
            var (unexplained, items, reasons) = await sampler.StopAsync();
            unexplained.ShouldBeEmpty();
            report.Figure($"{items} waits explained ({reasons})");
        }
        await using var database = new KrithiDatabase(ConnectionString);
        (endings ? await database.ProblemsAsync(Site) : await Invariants.ProblemsAsync(Source)).ShouldBeEmpty();
        (await AppProcess.VerifyAsync(Data, Settings())).ShouldContain("Clean: 0 violations.");
        report.Figure($"0 violations");
    }

    public async ValueTask DisposeAsync()
    {
        if (_source is not null) await _source.DisposeAsync();
        await Site.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
        _data.Dispose();
    }
}

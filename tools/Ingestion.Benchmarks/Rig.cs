using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Postgres;
using Ingestion.Core.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Ingestion.Benchmarks;

/// <summary>A server of our own in a directory of its own, migrated; and on it, where asked for, the whole pipeline. All of it goes when disposed.</summary>
internal sealed class Rig : IAsyncDisposable
{
    public static readonly Actor Measured = new(Tenant.Default, "benchmark");

    /// <summary>Another tenant: what it did helps nobody else, neither by content nor by vectors.</summary>
    public static readonly Actor WarmUp = new("warm-up", "benchmark");

    private readonly string _folder;
    private readonly EmbeddedPostgres _server;
    private IHost? _host;

    private Rig(string folder, EmbeddedPostgres server, Database database) => (_folder, _server, Database) = (folder, server, database);

    public Database Database { get; }

    public IServiceProvider Services => _host!.Services;

    /// <summary>The database alone. It keeps its promises to the disk, as the product's own does.</summary>
    public static async Task<Rig> StartDatabaseAsync()
    {
        var folder = Directory.CreateTempSubdirectory("ingestion-benchmark-").FullName;
        // PostgreSQL runs as another user when we are root, and has to pass.
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var server = await StartServerAsync(folder);
        if (Statements.Wanted)
        {
            await Statements.EnableAsync(server.AdminConnectionString);
            await server.DisposeAsync();
            server = await StartServerAsync(folder);
        }
        var rig = new Rig(folder, server, new Database(server.ConnectionString));
        await new Migrator(rig.Database).MigrateAsync(CancellationToken.None);
        await using var command = rig.Database.Worker.CreateCommand("""
            WITH t AS (INSERT INTO ingestion.tenant (id, name) VALUES ('warm-up', 'Warm-up') RETURNING id)
            INSERT INTO ingestion.collection (tenant_id, key, name) SELECT id, 'default', 'Default' FROM t
            """);
        await command.ExecuteNonQueryAsync();
        return rig;
    }

    /// <summary>Runs statements that the product's own roles may not.</summary>
    public async Task AdministerAsync(string sql)
    {
        var settings = new NpgsqlConnectionStringBuilder(_server.AdminConnectionString) { Database = new NpgsqlConnectionStringBuilder(Database.ConnectionString).Database };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 600 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The statements that cost most since the last call; empty where they are not counted.</summary>
    public Task<List<string>> CostliestStatementsAsync() => Statements.Wanted ? Statements.TakeAsync(_server.AdminConnectionString) : Task.FromResult(new List<string>());

    /// <summary>The database and the pipeline, as a worker process of the product has them.</summary>
    /// <param name="settings">Made from the data directory.</param>
    /// <param name="change">What the contender replaces.</param>
    public static async Task<Rig> StartPipelineAsync(Func<string, IConfiguration> settings, Action<IServiceCollection> change)
    {
        var rig = await StartDatabaseAsync();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddConfiguration(settings(rig._folder));
        builder.Logging.AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddIngestionOptions().AddIngestion(rig.Database).AddPipeline();
        builder.Services.Configure<ParserPoolOptions>(o => o.Command = [Environment.ProcessPath!, ParseWorker.Verb]);
        change(builder.Services);
        rig._host = builder.Build();
        await rig._host.StartAsync();
        return rig;
    }

    /// <summary>Waits until a batch is final and returns the word it ended in.</summary>
    public async Task<string> EndAsync(long batch)
    {
        using var hints = Services.GetRequiredService<BatchHub>().Subscribe(batch);
        while (true)
        {
            await using var command = Database.Worker.CreateCommand("SELECT state FROM ingestion.import_batch WHERE id = $1");
            command.Parameters.Add(new() { Value = batch });
            var state = StateWords.Parse<BatchState>((string)(await command.ExecuteScalarAsync())!);
            if (state.IsFinal()) return state.Word();
            await hints.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None);
            // Every settling gives a hint; looking at each would be a load of our own.
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var command = Database.Worker.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static Task<EmbeddedPostgres> StartServerAsync(string folder) =>
        EmbeddedPostgres.StartAsync(new() { DataDirectory = folder }, NullLogger<EmbeddedPostgres>.Instance);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }
        await Database.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

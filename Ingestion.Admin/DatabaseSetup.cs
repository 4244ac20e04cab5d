using Ingestion.Admin.Logging;
using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Postgres;
using Ingestion.Core.Settings;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin;

/// <summary>The database this process works on: a server of its own, or the one that the settings name. Stops its own server at the end.</summary>
internal sealed class DatabaseSetup : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;
    private readonly Database _database;

    private DatabaseSetup(EmbeddedPostgres? embedded, Database database) => (_embedded, _database) = (embedded, database);

    /// <summary>Starts or checks the server and registers everything that stands on it.</summary>
    public static async Task<DatabaseSetup> StartAsync(WebApplicationBuilder builder, CancellationToken ct)
    {
        var options = builder.Configuration.GetSection(IngestionOptions.Section).Get<IngestionOptions>() ?? new();
        // The host's own logging exists only once it is built, and the database has to be there before.
        using var logs = LoggerFactory.Create(l => l.AddConfiguration(builder.Configuration.GetSection("Logging")).AddLines());
        // Checked here and not with the other settings, because the pools are made before there is a host.
        await using var settings = new ServiceCollection().AddSingleton<IConfiguration>(builder.Configuration).AddIngestionOptions().BuildServiceProvider();
        var pools = settings.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        // Whoever is silent in a transaction for as long as a lease is not waited for longer than for its tasks.
        var lease = settings.GetRequiredService<IOptions<PipelineOptions>>().Value.Lease;
        var setup = builder.Configuration.GetConnectionString("Ingestion") is { Length: > 0 } external
            ? await ExternalAsync(external, pools, lease, logs, ct)
            : await EmbeddedAsync(options, pools, lease, logs, ct);
        builder.Services.AddIngestion(setup._database);
        return setup;
    }

    /// <summary>Brings the schema up to date, and on a server of our own takes back what a dead predecessor held: nobody else can.</summary>
    public async Task MigrateAsync(IServiceProvider services, CancellationToken ct)
    {
        await services.GetRequiredService<Migrator>().MigrateAsync(ct);
        if (_embedded is null) return;
        services.GetRequiredService<WorkFolder>().Clear();
        await services.GetRequiredService<BatchDuties>().RescueAsync(everything: true, ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        if (_embedded is not null) await _embedded.DisposeAsync();
    }

    private static async Task<DatabaseSetup> EmbeddedAsync(IngestionOptions options, DatabaseOptions pools, TimeSpan lease, ILoggerFactory logs, CancellationToken ct)
    {
        if (options.Role != ServerRole.Both)
            throw new SettingException("Several processes need a database that all of them reach: set ConnectionStrings__Ingestion, or leave the role at both.");
        var data = new DataDirectory(Options.Create(options)).Path;
        var embedded = await EmbeddedPostgres.StartAsync(new() { DataDirectory = data }, logs.CreateLogger<EmbeddedPostgres>(), ct: ct);
        return new(embedded, new(embedded.ConnectionString, pools, lease));
    }

    private static async Task<DatabaseSetup> ExternalAsync(string connectionString, DatabaseOptions pools, TimeSpan lease, ILoggerFactory logs, CancellationToken ct)
    {
        await ExternalServer.PrepareAsync(connectionString, logs.CreateLogger("Ingestion.Postgres"), ct);
        return new(null, new(connectionString, pools, lease));
    }
}

internal static class PipelineSetup
{
    /// <summary>Runs the pipeline in this process where its role says so.</summary>
    public static WebApplicationBuilder AddPipeline(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.GetSection(IngestionOptions.Section).Get<IngestionOptions>() ?? new();
        if (options.RunsPipeline) builder.Services.AddPipeline();
        return builder;
    }
}

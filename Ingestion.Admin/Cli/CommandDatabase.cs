using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Postgres;
using Ingestion.Core.Settings;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Cli;

/// <summary>
/// The database as a verb of the command line reaches it: the server that the settings name, else the one that runs on the data
/// directory, else one that is started for the verb and stopped after it. Nothing of the pipeline runs here by itself.
/// </summary>
internal sealed class CommandDatabase : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _started;
    private readonly Database _database;
    private readonly ServiceProvider _services;

    private CommandDatabase(EmbeddedPostgres? started, Database database, ServiceProvider services) => (_started, _database, _services) = (started, database, services);

    public static async Task<CommandDatabase> OpenAsync(string[] settings, CancellationToken ct)
    {
        var builder = new ConfigurationBuilder();
        builder.AddSettings(SettingPlaces.OfProcess(settings));
        var configuration = builder.Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging().AddIngestionOptions();
        EmbeddedPostgres? started = null;
        if (configuration.GetConnectionString("Ingestion") is not { Length: > 0 } connection)
        {
            var data = new DataDirectory(Options.Create(configuration.GetSection(IngestionOptions.Section).Get<IngestionOptions>() ?? new())).Path;
            if (EmbeddedPostgres.TryFind(data) is { } running) connection = running;
            else connection = (started = await EmbeddedPostgres.StartAsync(new() { DataDirectory = data }, NullLogger<EmbeddedPostgres>.Instance, ct: ct)).ConnectionString;
        }
        var database = new Database(connection);
        return new(started, database, services.AddIngestion(database).BuildServiceProvider());
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _database.DisposeAsync();
        if (_started is not null) await _started.DisposeAsync();
    }
}

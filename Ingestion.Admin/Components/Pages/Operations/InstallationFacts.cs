using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Settings;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Admin.Components.Pages.Operations;

/// <summary>Facts of the running installation, as name and value. None of them is a secret.</summary>
internal sealed class InstallationFacts(Database database, Contexts contexts, DataDirectory data, EmbeddingModels models, IConfiguration configuration, IOptions<IngestionOptions> options)
{
    public async Task<IReadOnlyList<KeyValuePair<string, string>>> ReadAsync(CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var migrations = await db.Database.GetAppliedMigrationsAsync(ct);
        var model = models.Resolve(EmbeddingOptions.DefaultModel);
        return
        [
            new("Version", typeof(IngestionOptions).Assembly.GetName().Version?.ToString(3) ?? "unknown"),
            new("Role", options.Value.Role.ToString().ToLowerInvariant()),
            new("PostgreSQL", await ServerVersionAsync(ct)),
            new("Database", string.IsNullOrEmpty(configuration.GetConnectionString("Ingestion")) ? "embedded, in the data directory" : "external"),
            new("Schema", migrations.LastOrDefault() ?? "empty"),
            new("Data directory", data.Path),
            new("Embedding model", model.Id),
            new("Why this model", model.Note ?? "It is the configured one."),
            new(".NET", Environment.Version.ToString()),
        ];
    }

    private async Task<string> ServerVersionAsync(CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("SHOW server_version");
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }
}

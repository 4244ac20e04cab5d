using System.Data.Common;
using Ingestion.Core.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Ingestion.Core.Data;

/// <summary>Makes contexts, one for each operation: for the pipeline over all tenants, for pages and APIs for one tenant.</summary>
public sealed class Contexts(Database database)
{
    private readonly DbContextOptions<IngestionDb> _worker = Options(database.Worker).Options;

    /// <summary>Sees every tenant: callers name the tenant in each query.</summary>
    public IngestionDb Worker() => new(_worker);

    /// <summary>Sees what a scope covers, by row-level security.</summary>
    public IngestionDb For(Scope scope) => new(Options(database.Web).AddInterceptors(new ScopeInterceptor(scope)).Options);

    /// <summary>The table of the migrations that were applied.</summary>
    internal const string History = "migration";

    internal static DbContextOptionsBuilder<IngestionDb> Options(DbDataSource source) => new DbContextOptionsBuilder<IngestionDb>()
        .UseNpgsql(source, o => o.MigrationsHistoryTable(History, IngestionDb.Schema));

    private sealed class ScopeInterceptor(Scope scope) : DbConnectionInterceptor
    {
        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = Database.SetScope(connection, scope);
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = Database.SetScope(connection, scope);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}

using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Ingestion.Core.Data;

/// <summary>Makes contexts, one for each operation: for the pipeline over all tenants, for pages and APIs for one tenant.</summary>
public sealed class Contexts(Database database)
{
    private readonly DbContextOptions<IngestionDb> _worker = Options(database.Worker).Options;

    /// <summary>Sees every tenant: callers name the tenant in each query.</summary>
    public IngestionDb Worker() => new(_worker);

    /// <summary>Sees one tenant, by row-level security.</summary>
    public IngestionDb For(string tenantId) => new(Options(database.Web).AddInterceptors(new TenantInterceptor(tenantId)).Options);

    internal static DbContextOptionsBuilder<IngestionDb> Options(DbDataSource source) => new DbContextOptionsBuilder<IngestionDb>()
        .UseNpgsql(source, o => o.MigrationsHistoryTable("migration", IngestionDb.Schema));

    private sealed class TenantInterceptor(string tenantId) : DbConnectionInterceptor
    {
        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = Command(connection);
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = Command(connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        private DbCommand Command(DbConnection connection)
        {
            var command = connection.CreateCommand();
            command.CommandText = "SELECT set_config('ingestion.tenant', @tenant, false)";
            var p = command.CreateParameter();
            p.ParameterName = "tenant";
            p.Value = tenantId;
            command.Parameters.Add(p);
            return command;
        }
    }
}

using System.Data.Common;
using Ingestion.Core.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace Ingestion.Core.Data;

/// <summary>Makes contexts, one for each operation: for the pipeline over all tenants, for pages and APIs for one tenant.</summary>
public sealed class Contexts(Database database)
{
    /// <summary>Sees every tenant: callers name the tenant in each query.</summary>
    public IngestionDb Worker() => new(Of(database.Worker).Options);

    /// <summary>Sees what a scope covers, by row-level security.</summary>
    public IngestionDb For(Scope scope) => new(Of(database.Web).AddInterceptors(new ScopeInterceptor(scope)).Options);

    /// <summary>The table of the migrations that were applied.</summary>
    internal const string History = "migration";

    // A connection and not the source: the framework keeps a model, services and translated queries for each source it is given, and builds them anew.
    private static DbContextOptionsBuilder<IngestionDb> Of(NpgsqlDataSource source) => new DbContextOptionsBuilder<IngestionDb>().UseNpgsql(source.CreateConnection(), contextOwnsConnection: true, Configure);

    /// <summary>For whoever changes the schema.</summary>
    internal static DbContextOptionsBuilder<IngestionDb> Options(DbDataSource source) => new DbContextOptionsBuilder<IngestionDb>().UseNpgsql(source, Configure);

    private static void Configure(NpgsqlDbContextOptionsBuilder options) => options.MigrationsHistoryTable(History, IngestionDb.Schema);

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

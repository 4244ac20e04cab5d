using System.Runtime.CompilerServices;
using Ingestion.Core.Data;

namespace Ingestion.Tests.Support;

/// <summary>Migrates the template that every test database is a copy of.</summary>
internal static class Template
{
    [ModuleInitializer]
    internal static void Register() => PostgresServer.Prepare = async connectionString =>
    {
        await using var database = new Database(connectionString);
        await new Migrator(database).MigrateAsync(CancellationToken.None);
    };
}

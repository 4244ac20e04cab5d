using System.Diagnostics;
using System.Globalization;
using Ingestion.Core.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>
/// One cluster for the whole test process, started by the product's own code at the first use and removed at the end. Each test class
/// takes a database of its own, copied from a template that <see cref="Prepare"/> has filled once.
/// </summary>
public static class PostgresServer
{
    private const string Template = "ingestion";
    private static readonly Lazy<Task<EmbeddedPostgres>> Server = new(StartAsync);
    private static int databases;

    /// <summary>Fills the template, given its connection string as <see cref="PostgresRoles.App"/>. Set before the first database is made.</summary>
    public static Func<string, Task>? Prepare { get; set; }

    /// <summary>The superuser's connection string, for tests that look at the server from outside.</summary>
    public static async Task<string> AdminConnectionStringAsync() => (await Server.Value).AdminConnectionString;

    /// <summary>A copy of the template; dropped when disposed.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var server = await Server.Value;
        var name = "test_" + Interlocked.Increment(ref databases).ToString(CultureInfo.InvariantCulture);
        await ExecuteAsync(server, $"CREATE DATABASE {name} TEMPLATE {Template} OWNER {PostgresRoles.Owner}");
        return new TestDatabase(name, new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString);
    }

    internal static async Task DropAsync(string database) => await ExecuteAsync(await Server.Value, $"DROP DATABASE {database} WITH (FORCE)");

    private static async Task<EmbeddedPostgres> StartAsync()
    {
        var directory = TemporaryDirectory.InMemory("ingestion-tests-").Traversable();
        var server = await EmbeddedPostgres.StartAsync(new EmbeddedPostgresOptions { DataDirectory = directory.Path, Fast = true }, NullLogger<EmbeddedPostgres>.Instance);
        RemoveAfterUs(directory.Path, server.LifelinePid!.Value);
        if (Prepare is { } prepare)
            await prepare(server.ConnectionString);
        // A template must have no connections; this one gets none any more, not even from a pool.
        await ExecuteAsync(server, $"ALTER DATABASE {Template} ALLOW_CONNECTIONS false");
        await ExecuteAsync(server, $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{Template}'");
        return server;
    }

    private static async Task ExecuteAsync(EmbeddedPostgres server, string sql)
    {
        var admin = new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// The runner does not wait for a test process to tidy up, and may kill it. So a shell waits for our end, then for the server's (its
    /// lifeline ends it), and removes the directory.
    /// </summary>
    private static void RemoveAfterUs(string directory, int lifeline)
    {
        const string Script = """cat; while kill -0 "$2" 2>/dev/null; do sleep 0.1; done; rm -rf "$1" """;
        Process.Start(new ProcessStartInfo("setsid", ["sh", "-c", Script, "sh", directory, lifeline.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        });
    }
}

/// <summary>A database of one test class.</summary>
/// <param name="Name">Its name on the server.</param>
/// <param name="ConnectionString">As <see cref="PostgresRoles.App"/>; take a role on with <see cref="PostgresRoles.For"/>.</param>
public sealed record TestDatabase(string Name, string ConnectionString) : IAsyncDisposable
{
    /// <summary>The connection string with a role taken on.</summary>
    public string As(string role) => PostgresRoles.For(ConnectionString, role);

    public async ValueTask DisposeAsync() => await PostgresServer.DropAsync(Name);
}

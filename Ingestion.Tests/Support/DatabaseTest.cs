using Ingestion.Core.Data;
using Npgsql;
using Xunit;

namespace Ingestion.Tests.Support;

/// <summary>A migrated database for each test, with the rows it makes and the spine's services on it.</summary>
public abstract class DatabaseTest : IAsyncLifetime
{
    private TestDatabase? _test;
    private Spine? _spine;

    private protected Make Make { get; private set; } = null!;

    private protected Spine Spine => _spine!;

    protected Database Database => Spine.Database;

    protected NpgsqlDataSource Worker => Database.Worker;

    protected TestDatabase Test => _test!;

    public async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        _spine = new Spine(new Database(_test.ConnectionString));
        Make = new Make(Worker);
    }

    public async Task DisposeAsync()
    {
        await Spine.DisposeAsync();
        await Test.DisposeAsync();
    }

    /// <summary>The first column of every row, as the worker.</summary>
    protected Task<List<T>> QueryAsync<T>(string sql, params object[] parameters) => Worker.QueryAsync<T>(sql, parameters);

    protected async Task<T> ScalarAsync<T>(string sql, params object[] parameters) => (await QueryAsync<T>(sql, parameters)).Single();

    protected Task ExecuteAsync(string sql, params object[] parameters) => Worker.QueryAsync<object>(sql, parameters);

    /// <summary>As the superuser with triggers and foreign keys off: the way to rows that the product itself cannot make.</summary>
    protected async Task BreakAsync(string sql)
    {
        var admin = new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SET session_replication_role = replica; " + sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }
}

internal static class Queries
{
    public static async Task<List<T>> QueryAsync<T>(this NpgsqlDataSource source, string sql, params object[] parameters)
    {
        await using var connection = await source.OpenConnectionAsync();
        return await connection.QueryAsync<T>(sql, parameters);
    }

    public static async Task<List<T>> QueryAsync<T>(this NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var p in parameters) command.Parameters.Add(new() { Value = p });
        await using var r = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await r.ReadAsync()) rows.Add(r.IsDBNull(0) ? default! : r.GetFieldValue<T>(0));
        return rows;
    }
}

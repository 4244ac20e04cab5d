using Npgsql;

namespace Ingestion.Tests.Postgres;

/// <summary>One statement on a connection of its own, past the pool unless the test is about it.</summary>
internal static class Sql
{
    public static async Task<T?> ScalarAsync<T>(string connectionString, string sql, bool pooled = false)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = pooled }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync();
    }

    public static async Task RunAsync(string connectionString, string sql) => await ScalarAsync<object>(connectionString, sql);
}

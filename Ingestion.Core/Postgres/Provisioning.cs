using System.Security.Cryptography;
using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>What the embedded server's superuser does, once at every start: roles, database, extensions. All of it can be repeated.</summary>
internal static class Provisioning
{
    /// <param name="superuser">A connection string of the superuser, to the database postgres.</param>
    /// <param name="withPassword">Gives the login a new password, for TCP.</param>
    /// <param name="ct">Ends the work; what is done stays.</param>
    /// <returns>The new password, or null.</returns>
    public static async Task<string?> RunAsync(string superuser, bool withPassword, CancellationToken ct)
    {
        var password = withPassword ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)) : null;
        await using (var connection = await OpenAsync(superuser, ct))
        {
            await ExecuteAsync(connection, RoleSql.CreateRoles + "\n" + RoleSql.CreateLogin + "\n" + RoleSql.Grant(PostgresRoles.App) + "\n" + RoleSql.GrantStatistics, ct);
            if (password is not null)
                await ExecuteAsync(connection, $"ALTER ROLE {PostgresRoles.App} PASSWORD '{password}'", ct);
            if (!await ExistsAsync(connection, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", PostgresRoles.Database, ct))
                await ExecuteAsync(connection, CreateDatabase, ct);
        }

        await using var database = await OpenAsync(new NpgsqlConnectionStringBuilder(superuser) { Database = PostgresRoles.Database }.ConnectionString, ct);
        foreach (var extension in RoleSql.Extensions)
        {
            if (await ExistsAsync(database, "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)", extension, ct))
                await ExecuteAsync(database, $"CREATE EXTENSION IF NOT EXISTS {extension}", ct);
        }

        return password;
    }

    private const string CreateDatabase = $"""
        CREATE DATABASE {PostgresRoles.Database}
        OWNER {PostgresRoles.Owner}
        ENCODING 'UTF8'
        LC_COLLATE 'C.UTF-8'
        LC_CTYPE 'C.UTF-8'
        TEMPLATE template0
        """;

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string sql, string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = name } } };
        return await command.ExecuteScalarAsync(ct) is true;
    }
}

using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>Checks a server that others run, before the first migration: version, encoding, roles. Makes the roles where it is allowed to.</summary>
public static class ExternalServer
{
    /// <param name="connectionString">The login must be able to take on the three roles of <see cref="PostgresRoles"/>.</param>
    /// <param name="logger">Told when roles were made.</param>
    /// <param name="ct">Ends the check.</param>
    /// <exception cref="ExternalServerException">It cannot be used; the message says what to do, with the SQL to run once where that is it.</exception>
    public static async Task PrepareAsync(string connectionString, ILogger logger, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(ct);
            var login = await CheckServerAsync(connection, ct);
            if (!await IsPreparedAsync(connection, ct))
            {
                await PrepareRolesAsync(connection, login, ct);
                Log.ExternalRolesMade(logger, login);
            }

            await GrantStatisticsAsync(connection, logger, ct);
            if (await PostgresRoles.FindFaultAsync(connectionString, ct) is { } fault)
                throw new ExternalServerException(fault);
        }
        catch (NpgsqlException e)
        {
            throw new ExternalServerException($"The database of ConnectionStrings__Ingestion does not answer as it should: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            throw new ExternalServerException($"ConnectionStrings__Ingestion is not a connection string: {e.Message}", e);
        }
    }

    private static async Task<string> CheckServerAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (connection.PostgreSqlVersion.Major < PostgresBinaries.OldestMajor)
            throw new ExternalServerException(
                $"The server of ConnectionStrings__Ingestion is PostgreSQL {connection.PostgreSqlVersion}; {PostgresBinaries.OldestMajor} or newer is needed.");
        await using var command = new NpgsqlCommand(
            "SELECT session_user::text, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetString(1) == "UTF8" ? reader.GetString(0) : throw new ExternalServerException(
            $"The database {connection.Database} has the encoding {reader.GetString(1)}. Make one with ENCODING 'UTF8'.");
    }

    private static async Task<bool> IsPreparedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*) = 3
               AND bool_and(pg_has_role(session_user, oid, 'MEMBER'))
               AND bool_and(rolbypassrls OR rolname <> 'ingestion_worker')
               AND bool_and(NOT rolbypassrls AND NOT rolsuper OR rolname <> 'ingestion_web')
               AND bool_and(has_database_privilege(oid, current_database(), 'CREATE') OR rolname <> 'ingestion_owner')
            FROM pg_roles
            WHERE rolname IN ('ingestion_owner', 'ingestion_worker', 'ingestion_web')
            """, connection);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private static async Task PrepareRolesAsync(NpgsqlConnection connection, string login, CancellationToken ct)
    {
        var sql = string.Join('\n', RoleSql.CreateRoles, $"ALTER ROLE {PostgresRoles.Worker} BYPASSRLS;", RoleSql.Grant(login), RoleSql.GrantDatabase(connection.Database));
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using (var command = new NpgsqlCommand(sql, connection, transaction))
                await command.ExecuteNonQueryAsync(ct);
            if (!await IsPreparedAsync(connection, ct))
                throw new ExternalServerException(Ask(login, connection.Database, sql, $"The role {PostgresRoles.Web} must be neither superuser nor BYPASSRLS."));
            await transaction.CommitAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ExternalServerException(Ask(login, connection.Database, sql, $"The login {login} may not make them itself ({e.MessageText})."), e);
        }
    }

    // Everything works without it, but for the watch on transactions, which then sees none of other logins and says so.
    private static async Task GrantStatisticsAsync(NpgsqlConnection connection, ILogger logger, CancellationToken ct)
    {
        await using var granted = new NpgsqlCommand($"SELECT pg_has_role('{PostgresRoles.Worker}', 'pg_read_all_stats', 'USAGE')", connection);
        if (await granted.ExecuteScalarAsync(ct) is true) return;
        try
        {
            await using var grant = new NpgsqlCommand(RoleSql.GrantStatistics, connection);
            await grant.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            Log.StatisticsHidden(logger, RoleSql.GrantStatistics);
        }
    }

    private static string Ask(string login, string database, string sql, string why) =>
        $"The database {database} lacks the roles that the app works as. {why} Run this once as a superuser of that server, connected to {database}, then start again as {login}:\n\n{sql}\n";
}

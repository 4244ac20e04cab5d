using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>
/// The three roles the app works as, and the one login that may take each of them on. The login inherits none of their rights, so a
/// connection that forgot its role can do nothing.
/// </summary>
public static class PostgresRoles
{
    /// <summary>Owns the database and its schemas: migrations and the scheduler's tables.</summary>
    public const string Owner = "ingestion_owner";

    /// <summary>Runs stages for every tenant; row-level security does not apply to it.</summary>
    public const string Worker = "ingestion_worker";

    /// <summary>Serves pages and the API; row-level security shows it one tenant at a time.</summary>
    public const string Web = "ingestion_web";

    /// <summary>The embedded server's login.</summary>
    public const string App = "ingestion_app";

    /// <summary>The embedded server's database.</summary>
    public const string Database = "ingestion";

    internal static readonly IReadOnlyList<string> All = [Owner, Worker, Web];

    /// <summary>
    /// The connection string with a role taken on at connect. It is a start-up option, so it is the session's default: DISCARD ALL, which
    /// the pool sends before each reuse, and RESET ROLE come back to it.
    /// </summary>
    public static string For(string connectionString, string role)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        builder.Options = $"{builder.Options} -c role={role}".TrimStart();
        return builder.ConnectionString;
    }

    /// <summary>
    /// Takes each role on and resets the session as the pool does. Server releases before 15.9, 16.5 and 17.1 lose the role there.
    /// </summary>
    /// <returns>Null where all is well, or a sentence that says which role fails and how.</returns>
    internal static async Task<string?> FindFaultAsync(string connectionString, CancellationToken ct)
    {
        foreach (var role in All)
        {
            try
            {
                await using var connection = new NpgsqlConnection(For(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString, role));
                await connection.OpenAsync(ct);
                if (await CurrentUserAsync(connection, ct) != role)
                    return $"Connections do not take on the role {role}: a connection pooler in between perhaps drops start-up options. Connect to the server itself.";
                await using (var discard = new NpgsqlCommand("DISCARD ALL", connection))
                    await discard.ExecuteNonQueryAsync(ct);
                if (await CurrentUserAsync(connection, ct) != role)
                    return $"PostgreSQL {connection.PostgreSqlVersion} loses the role of a session when it is reset. Update it to its latest minor release (15.9, 16.5, 17.1 or newer).";
            }
            catch (PostgresException e)
            {
                return $"The role {role} cannot be taken on: {e.MessageText}.";
            }
        }

        return null;
    }

    private static async Task<string?> CurrentUserAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT current_user", connection);
        return await command.ExecuteScalarAsync(ct) as string;
    }
}

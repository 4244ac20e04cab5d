using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>The statements that make the roles. Each can be run again, and by two at once.</summary>
internal static class RoleSql
{
    public static readonly string CreateRoles = string.Join('\n',
        Create(PostgresRoles.Owner, "NOLOGIN"),
        Create(PostgresRoles.Worker, "NOLOGIN BYPASSRLS"),
        Create(PostgresRoles.Web, "NOLOGIN NOBYPASSRLS"));

    public static readonly string CreateLogin = Create(PostgresRoles.App, "LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS");

    /// <summary>Lets a login take on each of the roles.</summary>
    public static string Grant(string login) =>
        $"GRANT {string.Join(", ", PostgresRoles.All)} TO {Quote(login)};";

    /// <summary>Lets the owner role make its schemas in an existing database.</summary>
    public static string GrantDatabase(string database) =>
        $"GRANT CREATE, CONNECT, TEMPORARY ON DATABASE {Quote(database)} TO {PostgresRoles.Owner};";

    /// <summary>Lets the worker role see the sessions of every login, for the watch on transactions. Not needed for anything else.</summary>
    public static readonly string GrantStatistics = $"GRANT pg_read_all_stats TO {PostgresRoles.Worker};";

    /// <summary>What search uses, where the server offers it.</summary>
    public static readonly IReadOnlyList<string> Extensions = ["pg_trgm", "unaccent"];

    public static string Quote(string identifier)
    {
        using var builder = new NpgsqlCommandBuilder();
        return builder.QuoteIdentifier(identifier);
    }

    private static string Create(string role, string attributes) =>
        $"DO $$ BEGIN CREATE ROLE {role} {attributes}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;";
}

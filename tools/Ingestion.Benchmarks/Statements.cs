using System.Text.RegularExpressions;
using Npgsql;

namespace Ingestion.Benchmarks;

/// <summary>PostgreSQL's own account of what each statement cost, for finding what to make faster.</summary>
internal static partial class Statements
{
    public const string Option = "--statements";
    public const string Variable = "INGESTION_BENCHMARK_STATEMENTS";

    public static bool Wanted => Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>Has the server count from its next start on.</summary>
    public static Task EnableAsync(string superuser) => ExecuteAsync(superuser,
        "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'", "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");

    /// <summary>The twenty that took longest since the last call, a line each, and a fresh start for the next.</summary>
    public static async Task<List<string>> TakeAsync(string superuser)
    {
        const string sql = """
            SELECT sum(total_exec_time + total_plan_time), sum(calls)::bigint, query, sum(sum(total_exec_time)) OVER (), sum(sum(calls)) OVER ()::bigint
            FROM pg_stat_statements GROUP BY query ORDER BY 1 DESC LIMIT 20
            """;
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(superuser) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        var lines = new List<string>();
        await using (var command = new NpgsqlCommand(sql, connection))
        await using (var r = await command.ExecuteReaderAsync())
        {
            while (await r.ReadAsync())
            {
                if (lines.Count == 0) lines.Add($"{r.GetDouble(3),8:0} ms in {r.GetInt64(4)} statements in all");
                var text = Blanks().Replace(r.GetString(2), " ");
                lines.Add($"{r.GetDouble(0),8:0} ms {r.GetInt64(1),8} × {r.GetDouble(0) / r.GetInt64(1),7:0.00} ms  {text[..Math.Min(150, text.Length)]}");
            }
        }
        await using var reset = new NpgsqlCommand("SELECT pg_stat_statements_reset()", connection);
        await reset.ExecuteNonQueryAsync();
        return lines;
    }

    private static async Task ExecuteAsync(string superuser, params string[] statements)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(superuser) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        foreach (var sql in statements)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();
}

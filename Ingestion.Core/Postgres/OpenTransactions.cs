using Npgsql;

namespace Ingestion.Core.Postgres;

/// <summary>A transaction of this database that is still open. Its statement is not read: it may hold a document's text.</summary>
/// <param name="Pid">The server's process, as <c>pg_terminate_backend</c> takes it.</param>
/// <param name="Application">What the client calls itself; empty where it does not.</param>
/// <param name="State"><c>active</c>, or <c>idle in transaction</c> for a client that forgot it.</param>
public sealed record OpenTransaction(int Pid, string Login, string Application, string State, DateTimeOffset Since, TimeSpan Age);

/// <summary>What a look at the server's sessions showed.</summary>
/// <param name="Complete">False where the server hides the sessions of other logins from us.</param>
/// <param name="Found">Oldest first.</param>
public sealed record TransactionLook(bool Complete, IReadOnlyList<OpenTransaction> Found);

/// <summary>Looks at every session of this database, not only at ours: it is mostly a forgotten console that holds a transaction open.</summary>
public sealed class OpenTransactions(NpgsqlDataSource worker)
{
    /// <summary>The grant without which a look is not complete, for a superuser to run once.</summary>
    public static readonly string Grant = RoleSql.GrantStatistics;

    /// <summary>Transactions open for longer; at most 20.</summary>
    public async Task<TransactionLook> OlderThanAsync(TimeSpan age, CancellationToken ct)
    {
        const string all = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')";
        const string open = """
            SELECT pid, coalesce(usename::text, ''), coalesce(application_name, ''), state, xact_start, now() - xact_start
            FROM pg_stat_activity
            WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start < now() - $1
            ORDER BY xact_start
            LIMIT 20
            """;
        await using var batch = worker.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(all));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(open) { Parameters = { new() { Value = age } } });
        await using var r = await batch.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var complete = r.GetBoolean(0);
        await r.NextResultAsync(ct);
        var found = new List<OpenTransaction>();
        while (await r.ReadAsync(ct))
            found.Add(new(r.GetInt32(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4), r.GetFieldValue<TimeSpan>(5)));
        return new(complete, found);
    }
}

using Ingestion.Core.Postgres;
using Ingestion.Tests.Chaos;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>Looks from outside at what a run of <see cref="KrithiSite"/> left in the program's database.</summary>
internal sealed class KrithiDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    /// <param name="connectionString">As <see cref="PostgresRoles.App"/>.</param>
    public KrithiDatabase(string connectionString) => _source = NpgsqlDataSource.Create(PostgresRoles.For(connectionString, PostgresRoles.Worker));

    /// <summary>The server that runs on a data directory.</summary>
    public static Task<KrithiDatabase> OpenAsync(string data) => Task.FromResult(new KrithiDatabase(EmbeddedPostgres.TryFind(data)!));

    /// <summary>What does not add up, a sentence each.</summary>
    public async Task<IReadOnlyList<string>> ProblemsAsync(KrithiSite site)
    {
        var problems = new List<string>(await Invariants.ProblemsAsync(_source));
        if (await CountAsync($"SELECT abs(count(*) - {site.Count})::int + (count(*) - count(DISTINCT (source_key, row, input_id)))::int FROM ingestion.import_item WHERE source_type = 'manifest'") is var n and > 0)
            problems.Add($"{n} × row is missing or doubled");
        problems.AddRange(await EndingsAsync(site));
        return problems;
    }

    public async Task<int> CountAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return (int)(await command.ExecuteScalarAsync())!;
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    // Each page decides how its item ends and what the retries cost.
    private async Task<List<string>> EndingsAsync(KrithiSite site)
    {
        const string sql = """
            SELECT i.source_key, i.state, i.error_code, (SELECT coalesce(max(t.failures), 0) FROM ingestion.import_task_run t WHERE t.item_id = i.id),
                   (SELECT string_agg(e.data ->> 'message', ' ' ORDER BY e.seq) FROM ingestion.import_event e WHERE e.item_id = i.id AND e.kind = 'attempt_failed')
            FROM ingestion.import_item i
            WHERE i.source_type = 'manifest'
            ORDER BY i.id
            """;
        var problems = new List<string>();
        await using var command = _source.CreateCommand(sql);
        await using var r = await command.ExecuteReaderAsync();
        while (await r.ReadAsync())
        {
            var (key, state, code, failures) = (r.GetString(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.GetInt32(3));
            var right = site.Kinds[key] switch
            {
                PageKind.Missing => (state, code) == ("failed", "not_found") && failures == 1,
                PageKind.Down => (state, code) == ("failed", "http_server_error") && failures == 4,
                PageKind.Huge => (state, code) == ("failed", "too_large") && failures == 1,
                PageKind.Recovers => state == "done" && failures <= 2,
                _ => state is "done" or "skipped" && failures == 0,
            };
            if (!right) problems.Add($"{site.Kinds[key]} {key} ended {state} ({code}) with {failures} failures: {(r.IsDBNull(4) ? "" : r.GetString(4))}");
        }
        return problems;
    }
}

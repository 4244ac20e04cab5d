using Ingestion.Core.Postgres;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>Looks from outside at what a run of <see cref="KrithiSite"/> left in the program's own database.</summary>
internal sealed class KrithiDatabase : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private KrithiDatabase(NpgsqlDataSource source) => _source = source;

    public static Task<KrithiDatabase> OpenAsync(string data) =>
        Task.FromResult(new KrithiDatabase(NpgsqlDataSource.Create(PostgresRoles.For(EmbeddedPostgres.TryFind(data)!, PostgresRoles.Worker))));

    /// <summary>What does not add up, a sentence each.</summary>
    public async Task<IReadOnlyList<string>> ProblemsAsync(KrithiSite site)
    {
        var problems = new List<string>();
        async Task NoneAsync(string what, string sql)
        {
            if (await CountAsync(sql) is var n and > 0) problems.Add($"{n} × {what}");
        }
        await NoneAsync("item is open", "SELECT count(*)::int FROM ingestion.import_item WHERE state = 'open'");
        await NoneAsync("task is not final", "SELECT count(*)::int FROM ingestion.import_task_run WHERE state IN ('ready', 'running', 'blocked')");
        await NoneAsync("row is missing or doubled", $"SELECT abs(count(*) - {KrithiSite.Rows})::int + (count(*) - count(DISTINCT (source_key, row, input_id)))::int FROM ingestion.import_item");
        await NoneAsync("gap or repeat in the event numbers", """
            SELECT count(*)::int FROM (SELECT seq, row_number() OVER (PARTITION BY batch_id ORDER BY seq) AS n FROM ingestion.import_event) e WHERE e.seq <> e.n
            """);
        await NoneAsync("batch completed twice or never", "SELECT abs(count(*) - 1)::int FROM ingestion.import_event WHERE kind = 'batch_completed'");
        await NoneAsync("content claim is left over", "SELECT count(*)::int FROM ingestion.content_claim");
        await NoneAsync("published chunk has no words or no vector", """
            SELECT count(*)::int
            FROM ingestion.publication p
            JOIN ingestion.chunk c ON c.document_version_id = p.document_version_id
            LEFT JOIN ingestion.chunk_fts f ON f.chunk_id = c.id
            LEFT JOIN ingestion.chunk_vector v ON v.tenant_id = c.tenant_id AND v.generation_id = f.generation_id AND v.text_hash = c.text_hash
            WHERE f.chunk_id IS NULL OR v.text_hash IS NULL
            """);
        await NoneAsync("stage succeeded twice for an item", """
            SELECT count(*)::int FROM (SELECT 1 FROM ingestion.import_task_run WHERE state = 'succeeded' GROUP BY item_id, input_id, stage HAVING count(*) > 1) x
            """);
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

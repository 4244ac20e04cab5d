using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// The hosts that a tenant asked something of, with their budgets. Members who reach only some of the tenant see none: what is asked of a
/// host tells of documents.
/// </summary>
public sealed class HostQueries(Database database, IOptionsMonitor<AcquireOptions> acquire)
{
    /// <summary>Waiting addresses that are counted, of documents and of crawls each.</summary>
    public const int MostWaiting = 100_000;

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    // A pause that robots.txt asked for is of crawls: it is told of while one may be running.
    private const string Hosts = """
        SELECT u.host, u.requests, u.bytes, u.first_asked_at, u.last_asked_at, u.last_status, u.last_problem, b.requests_per_minute, b.changed_at,
               (SELECT m.account_id FROM ingestion.membership m WHERE m.account_id = b.changed_by AND m.tenant_id = u.tenant_id),
               CASE WHEN u.crawl_delay_at > ingestion.clock() - interval '10 minutes' THEN u.crawl_delay END,
               CASE WHEN b.paused_until > ingestion.clock() THEN b.paused_until END, count(*) OVER ()::int
        FROM ingestion.host_use u
        LEFT JOIN ingestion.host_budget b ON b.host = u.host
        """;

    private const string Waiting = """
        SELECT origin, count(*)::int
        FROM (
            (SELECT substring(i.source_key FROM '^https?://[^/?#]+') AS origin
             FROM ingestion.import_task_run t JOIN ingestion.import_item i ON i.id = t.item_id
             WHERE t.state = 'ready' AND t.stage = 'acquire' AND t.scheduled_at > ingestion.clock() AND t.wait_reason IN ('host_pacing', 'host_paused')
             LIMIT @most)
            UNION ALL
            (SELECT substring(p.url FROM '^https?://[^/?#]+')
             FROM ingestion.import_input n
             JOIN ingestion.import_batch b ON b.id = n.batch_id AND b.completed_at IS NULL AND b.deleted_at IS NULL
             JOIN ingestion.crawl_page p ON p.input_id = n.id AND p.state = 'waiting'
             LIMIT @most)
        ) w
        WHERE origin IS NOT NULL
        GROUP BY origin
        """;

    /// <summary>The hosts asked last first.</summary>
    /// <param name="text">A part of the host's name; empty for all.</param>
    public async Task<Page<HostView>> ListAsync(Scope scope, string text, int skip, int take, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"{Hosts} WHERE @text = '' OR strpos(u.host, @text) > 0 ORDER BY u.last_asked_at DESC, u.host OFFSET @skip LIMIT @take", connection)
        {
            Parameters = { new("text", text.ToLowerInvariant()), new("skip", skip), new("take", take) },
        };
        var (rows, total) = await ReadAsync(command, ct);
        var waiting = rows.Count == 0 ? [] : await WaitingAsync(connection, ct);
        return new([.. rows.Select(h => h with { Waiting = waiting.GetValueOrDefault(h.Host) })], total);
    }

    /// <summary>Null where nothing in reach asked anything of it.</summary>
    /// <param name="host">Host and port, lower case.</param>
    public async Task<HostView?> FindAsync(Scope scope, string host, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        return await FindAsync(connection, host, ct);
    }

    /// <inheritdoc cref="FindAsync(Scope, string, CancellationToken)"/>
    public async Task<HostDetails?> DetailsAsync(Scope scope, string host, CancellationToken ct)
    {
        const string sql = """
            SELECT minute, requests, bytes, failed FROM ingestion.host_minute WHERE host = @host AND minute > ingestion.clock() - interval '1 hour' ORDER BY minute DESC;
            SELECT rule, sum(waits)::int, sum(waited) FROM ingestion.host_wait WHERE host = @host AND minute > ingestion.clock() - interval '1 hour' GROUP BY rule ORDER BY 3 DESC;
            SELECT recent::text FROM ingestion.host_use WHERE host = @host;
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        if (await FindAsync(connection, host, ct) is not { } view) return null;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("host", host) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var (minutes, waits) = (new List<HostMinute>(), new List<HostWait>());
        while (await r.ReadAsync(ct)) minutes.Add(new(r.GetFieldValue<DateTimeOffset>(0), r.GetInt32(1), r.GetInt64(2), r.GetInt32(3)));
        await r.NextResultAsync(ct);
        while (await r.ReadAsync(ct)) waits.Add(new(HostRules.Parse(r.GetString(0)), r.GetInt32(1), r.GetFieldValue<TimeSpan>(2)));
        await r.NextResultAsync(ct);
        var recent = await r.ReadAsync(ct) ? JsonSerializer.Deserialize<List<HostRequest>>(r.GetString(0), Json)! : [];
        return new(view, minutes, waits, recent);
    }

    private async Task<HostView?> FindAsync(NpgsqlConnection connection, string host, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"{Hosts} WHERE u.host = @host", connection) { Parameters = { new("host", host) } };
        var (rows, _) = await ReadAsync(command, ct);
        return rows is [var one] ? one with { Waiting = (await WaitingAsync(connection, ct)).GetValueOrDefault(host) } : null;
    }

    private async Task<(List<HostView> Rows, int Total)> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var (rows, total, rate) = (new List<HostView>(), 0, acquire.CurrentValue.RequestsPerMinutePerHost);
        await using var r = await command.ExecuteReaderAsync(ct);
        while (await r.ReadAsync(ct))
        {
            rows.Add(new(r.GetString(0), r.GetInt64(1), r.GetInt64(2), r.GetFieldValue<DateTimeOffset>(3), r.GetFieldValue<DateTimeOffset>(4), rate)
            {
                LastStatus = r.IsDBNull(5) ? null : r.GetInt32(5), LastProblem = r.IsDBNull(6) ? null : r.GetString(6), OwnPerMinute = r.IsDBNull(7) ? null : r.GetInt32(7),
                ChangedAt = r.IsDBNull(8) ? null : r.GetFieldValue<DateTimeOffset>(8), ChangedBy = r.IsDBNull(9) ? null : r.GetString(9),
                CrawlDelay = r.IsDBNull(10) ? null : r.GetFieldValue<TimeSpan>(10), PausedUntil = r.IsDBNull(11) ? null : r.GetFieldValue<DateTimeOffset>(11),
            });
            total = r.GetInt32(12);
        }
        return (rows, total);
    }

    private static async Task<Dictionary<string, int>> WaitingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Waiting, connection) { Parameters = { new("most", MostWaiting) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var waiting = new Dictionary<string, int>();
        while (await r.ReadAsync(ct))
            if (Uri.TryCreate(r.GetString(0), UriKind.Absolute, out var origin)) waiting[HostBudgets.KeyOf(origin)] = waiting.GetValueOrDefault(HostBudgets.KeyOf(origin)) + r.GetInt32(1);
        return waiting;
    }
}

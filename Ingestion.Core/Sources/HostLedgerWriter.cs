using System.Text.Json;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>
/// Writes down once a second what this process asked of hosts: a row a host and minute, and the last requests in a ring. A crash loses a
/// second of it. In return it learns the rates that hosts have of their own.
/// </summary>
public sealed class HostLedgerWriter(NpgsqlDataSource worker, HostLedger ledger, HostRates rates, TimeProvider time, ILogger<HostLedgerWriter> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    // In one order everywhere, so that two processes never wait for each other in a circle.
    private const string Write = """
        INSERT INTO ingestion.host_use AS u (tenant_id, host, first_asked_at, last_asked_at, requests, bytes, last_status, last_problem, crawl_delay, crawl_delay_at, recent)
        SELECT tenant, host, ingestion.clock(), ingestion.clock(), requests, bytes, status, problem, delay, CASE WHEN delay IS NOT NULL THEN ingestion.clock() END, recent::jsonb
        FROM unnest(@tenants, @hosts, @requests, @bytes, @statuses, @problems, @delays, @recent) AS n (tenant, host, requests, bytes, status, problem, delay, recent)
        ORDER BY tenant, host
        ON CONFLICT (tenant_id, host) DO UPDATE
        SET last_asked_at = CASE WHEN excluded.requests > 0 THEN excluded.last_asked_at ELSE u.last_asked_at END, requests = u.requests + excluded.requests, bytes = u.bytes + excluded.bytes,
            last_status = CASE WHEN excluded.requests > 0 THEN excluded.last_status ELSE u.last_status END,
            last_problem = CASE WHEN excluded.requests > 0 THEN excluded.last_problem ELSE u.last_problem END,
            crawl_delay = coalesce(excluded.crawl_delay, u.crawl_delay), crawl_delay_at = coalesce(excluded.crawl_delay_at, u.crawl_delay_at),
            recent = (SELECT coalesce(jsonb_agg(e ORDER BY n), '[]') FROM (SELECT e, n FROM jsonb_array_elements(excluded.recent || u.recent) WITH ORDINALITY AS x (e, n) ORDER BY n LIMIT @keep) y);

        INSERT INTO ingestion.host_minute AS m (tenant_id, host, minute, requests, bytes, failed)
        SELECT tenant, host, date_trunc('minute', ingestion.clock()), requests, bytes, failed
        FROM unnest(@tenants, @hosts, @requests, @bytes, @failed) AS n (tenant, host, requests, bytes, failed)
        WHERE requests > 0
        ORDER BY tenant, host
        ON CONFLICT (tenant_id, host, minute) DO UPDATE
        SET requests = m.requests + excluded.requests, bytes = m.bytes + excluded.bytes, failed = m.failed + excluded.failed;

        INSERT INTO ingestion.host_wait AS w (tenant_id, host, minute, rule, waits, waited)
        SELECT tenant, host, date_trunc('minute', ingestion.clock()), rule, waits, waited
        FROM unnest(@wait_tenants, @wait_hosts, @rules, @waits, @waited) AS n (tenant, host, rule, waits, waited)
        ORDER BY tenant, host, rule
        ON CONFLICT (tenant_id, host, minute, rule) DO UPDATE SET waits = w.waits + excluded.waits, waited = w.waited + excluded.waited;

        SELECT h.host, b.requests_per_minute FROM unnest(@hosts) AS h (host) LEFT JOIN ingestion.host_budget b ON b.host = h.host;
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await TryWriteAsync(stoppingToken.IsCancellationRequested ? CancellationToken.None : stoppingToken);
        }
    }

    /// <summary>Writes what was counted since the last time.</summary>
    internal async Task WriteAsync(CancellationToken ct)
    {
        var taken = ledger.Take();
        if (taken.Count == 0) return;
        try
        {
            await WriteAsync(taken, ct);
        }
        catch
        {
            ledger.Return(taken);
            throw;
        }
    }

    private async Task TryWriteAsync(CancellationToken ct)
    {
        try
        {
            await WriteAsync(ct);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or ObjectDisposedException)
        {
            // It is counted on and written with the next; at a stop the last second of it is lost.
            if (!ct.IsCancellationRequested) log.LedgerNotWritten(e.Message);
        }
    }

    private async Task WriteAsync(IReadOnlyDictionary<(string Tenant, string Host), HostTally> taken, CancellationToken ct)
    {
        var rows = taken.ToList();
        var waits = rows.SelectMany(r => r.Value.Waits.Select(w => (r.Key.Tenant, r.Key.Host, Rule: w.Key.Word(), w.Value.Waits, w.Value.Waited))).ToList();
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var command = new NpgsqlCommand(Write, connection)
        {
            Parameters =
            {
                new("tenants", rows.Select(r => r.Key.Tenant).ToArray()), new("hosts", rows.Select(r => r.Key.Host).ToArray()),
                new("requests", rows.Select(r => r.Value.Requests).ToArray()), new("bytes", rows.Select(r => r.Value.Bytes).ToArray()), new("failed", rows.Select(r => r.Value.Failed).ToArray()),
                new("statuses", NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = rows.Select(r => r.Value.Last.FirstOrDefault()?.Status).ToArray() },
                new("problems", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = rows.Select(r => r.Value.Last.FirstOrDefault()?.Problem).ToArray() },
                new("delays", NpgsqlDbType.Array | NpgsqlDbType.Interval) { Value = rows.Select(r => r.Value.CrawlDelay).ToArray() },
                new("recent", rows.Select(r => JsonSerializer.Serialize(r.Value.Last, Json)).ToArray()), new("keep", HostLedger.Recent),
                new("wait_tenants", waits.Select(w => w.Tenant).ToArray()), new("wait_hosts", waits.Select(w => w.Host).ToArray()), new("rules", waits.Select(w => w.Rule).ToArray()),
                new("waits", waits.Select(w => w.Waits).ToArray()), new("waited", waits.Select(w => w.Waited).ToArray()),
            },
        })
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) rates.Note(r.GetString(0), r.IsDBNull(1) ? null : r.GetInt32(1));
        await transaction.CommitAsync(ct);
    }
}

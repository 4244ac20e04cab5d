using Ingestion.Tests.Support;
using Npgsql;

namespace Ingestion.Tests.Admin;

/// <summary>Hosts that a tenant has asked something of.</summary>
internal static class UsedHosts
{
    /// <summary>Three requests of the last minute to <c>/handbook.html</c>, of which two waited.</summary>
    public static async Task HostUsedAsync(this NpgsqlDataSource worker, string host, string tenant = "default")
    {
        await worker.QueryAsync<object>("""
            INSERT INTO ingestion.host_use (tenant_id, host, first_asked_at, last_asked_at, requests, bytes, last_status, crawl_delay, crawl_delay_at, recent)
            VALUES ($1, $2, now(), now(), 3, 4096, 200, interval '0.1 s', now(), '[{"at":"2026-01-15T10:30:00Z","path":"/handbook.html","status":200,"problem":null,"bytes":4096,"milliseconds":12}]') ON CONFLICT DO NOTHING
            """, tenant, host);
        await worker.QueryAsync<object>("INSERT INTO ingestion.host_minute VALUES ($1, $2, date_trunc('minute', now()), 3, 4096, 0) ON CONFLICT DO NOTHING", tenant, host);
        await worker.QueryAsync<object>("INSERT INTO ingestion.host_wait VALUES ($1, $2, date_trunc('minute', now()), 'crawl_delay', 2, '1 s') ON CONFLICT DO NOTHING", tenant, host);
    }
}

using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Turns at hosts, shared by every process through one row a host: each reservation moves the host's next free moment, so the rate
/// holds whoever asks, and a task that must wait knows until when.
/// </summary>
public sealed class HostBudgets(NpgsqlDataSource worker)
{
    /// <summary>The key of an address's host: host and port, lower case.</summary>
    public static string KeyOf(Uri url) => $"{url.IdnHost.ToLowerInvariant()}:{url.Port}";

    /// <summary>
    /// Reserves the next turn at a host and says how long until it comes. A host that asked us to stay away gives no turn: then the
    /// wait is until it may be asked again, and <c>Paused</c> is true.
    /// </summary>
    /// <param name="host">Host and port, lower case.</param>
    /// <param name="perMinute">The installation's rate; 0 for none. A rate on the host's own row goes before.</param>
    public async Task<(TimeSpan Wait, bool Paused)> ReserveAsync(string host, int perMinute, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.host_budget AS h (host, next_at)
            VALUES (@host, ingestion.clock() + @spacing)
            ON CONFLICT (host) DO UPDATE
            SET next_at = CASE WHEN h.paused_until > ingestion.clock() THEN h.next_at
                               ELSE greatest(h.next_at, ingestion.clock()) + coalesce(interval '1 minute' / nullif(h.requests_per_minute, 0), @spacing) END
            RETURNING greatest(h.next_at - coalesce(interval '1 minute' / nullif(h.requests_per_minute, 0), @spacing) - ingestion.clock(), interval '0'),
                      greatest(coalesce(h.paused_until, ingestion.clock()) - ingestion.clock(), interval '0')
            """;
        if (perMinute == 0 && await FreeAsync(host, ct)) return (TimeSpan.Zero, false);
        var spacing = perMinute > 0 ? TimeSpan.FromMinutes(1) / perMinute : TimeSpan.Zero;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("host", host));
        command.Parameters.Add(new("spacing", spacing));
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var paused = r.GetFieldValue<TimeSpan>(1);
        return paused > TimeSpan.Zero ? (paused, true) : (r.GetFieldValue<TimeSpan>(0), false);
    }

    // Where no rate is set, a host that is not paused and has no rate of its own needs no reservation, and its row no write.
    private async Task<bool> FreeAsync(string host, CancellationToken ct)
    {
        const string sql = """
            SELECT NOT EXISTS (SELECT FROM ingestion.host_budget WHERE host = $1 AND (coalesce(requests_per_minute, 0) > 0 OR paused_until > ingestion.clock()))
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = host });
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The host asked us to stay away for a while; nobody asks it before.</summary>
    public async Task PauseAsync(string host, TimeSpan pause, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.host_budget AS h (host, next_at, paused_until) VALUES (@host, ingestion.clock(), ingestion.clock() + @pause)
            ON CONFLICT (host) DO UPDATE SET paused_until = greatest(h.paused_until, excluded.paused_until)
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("host", host));
        command.Parameters.Add(new("pause", pause));
        await command.ExecuteNonQueryAsync(ct);
    }
}

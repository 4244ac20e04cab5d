using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>A turn at a host.</summary>
/// <param name="Wait">How long until it comes.</param>
/// <param name="Paused">True: the host asked us to stay away, no turn was given, and <paramref name="Wait"/> is until it may be asked again.</param>
/// <param name="ChangedAt">When a person last changed the host's rate; null for never.</param>
public sealed record HostTurn(TimeSpan Wait, bool Paused, DateTimeOffset? ChangedAt);

/// <summary>
/// Turns at hosts, shared by every process through one row a host: each reservation moves the host's next free moment, so the rate
/// holds whoever asks, and a task that must wait knows until when. A rate that a person changes gives the turns anew.
/// </summary>
public sealed class HostBudgets(NpgsqlDataSource worker, HostLedger ledger, HostRates rates)
{
    // How often whoever waits for a far turn looks whether the rate was changed.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // A crawl without pacing asks so often that looking each time would cost more than asking. A pause or a rate is felt so much later.
    private static readonly TimeSpan FreeFor = TimeSpan.FromMilliseconds(100);
    private const int MostFree = 1000;
    private readonly ConcurrentDictionary<string, long> _free = new();

    /// <summary>The key of an address's host: host and port, lower case.</summary>
    public static string KeyOf(Uri url) => $"{url.IdnHost.ToLowerInvariant()}:{url.Port}";

    /// <summary>
    /// Reserves the next turn at a host and says how long until it comes. A host that asked us to stay away gives no turn: then the
    /// wait is until it may be asked again, and <c>Paused</c> is true.
    /// </summary>
    /// <param name="host">Host and port, lower case.</param>
    /// <param name="perMinute">The installation's rate; 0 for none. A rate on the host's own row goes before.</param>
    /// <param name="crawlDelay">The pause that the site's robots.txt asks for; the longer of it and what follows from the rate is kept.</param>
    public async Task<HostTurn> ReserveAsync(string host, int perMinute, CancellationToken ct, TimeSpan crawlDelay = default)
    {
        const string sql = """
            INSERT INTO ingestion.host_budget AS h (host, next_at)
            VALUES (@host, ingestion.clock() + greatest(@spacing, @delay))
            ON CONFLICT (host) DO UPDATE
            SET next_at = CASE WHEN h.paused_until > ingestion.clock() THEN h.next_at
                               ELSE greatest(h.next_at, ingestion.clock()) + greatest(coalesce(interval '1 minute' / nullif(h.requests_per_minute, 0), @spacing), @delay) END
            RETURNING greatest(h.next_at - greatest(coalesce(interval '1 minute' / nullif(h.requests_per_minute, 0), @spacing), @delay) - ingestion.clock(), interval '0'),
                      greatest(coalesce(h.paused_until, ingestion.clock()) - ingestion.clock(), interval '0'), h.requests_per_minute, h.changed_at
            """;
        if (perMinute == 0 && crawlDelay == TimeSpan.Zero && await FreeAsync(host, ct)) return new(TimeSpan.Zero, false, null);
        var spacing = Spacing(perMinute);
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("host", host));
        command.Parameters.Add(new("spacing", spacing));
        command.Parameters.Add(new("delay", crawlDelay));
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var (wait, paused) = (r.GetFieldValue<TimeSpan>(0), r.GetFieldValue<TimeSpan>(1));
        int? own = r.IsDBNull(2) ? null : r.GetInt32(2);
        var changed = r.IsDBNull(3) ? (DateTimeOffset?)null : r.GetFieldValue<DateTimeOffset>(3);
        rates.Note(host, own);
        var turn = paused > TimeSpan.Zero ? new HostTurn(paused, true, changed) : new(wait, false, changed);
        ledger.Waited(host, turn.Paused ? HostRule.RetryAfter : crawlDelay > Spacing(own ?? perMinute) ? HostRule.CrawlDelay : HostRule.Rate, turn.Wait);
        return turn;
    }

    /// <summary>
    /// Takes a turn and waits until it has come, for as long as it takes; where the rate is changed meanwhile, for the turn that follows from
    /// the new one. Null once it has come, else how long the host wants to be left alone.
    /// </summary>
    /// <inheritdoc cref="ReserveAsync"/>
    public async Task<TimeSpan?> TakeAsync(string host, int perMinute, CancellationToken ct, TimeSpan crawlDelay = default)
    {
        while (true)
        {
            var turn = await ReserveAsync(host, perMinute, ct, crawlDelay);
            if (turn.Paused) return turn.Wait;
            if (await ComesAsync(host, turn, ct)) return null;
        }
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
        _free.TryRemove(host, out _);
    }

    private static TimeSpan Spacing(int perMinute) => perMinute > 0 ? TimeSpan.FromMinutes(1) / perMinute : TimeSpan.Zero;

    // False where the turn does not count any more, because the rate was changed.
    private async Task<bool> ComesAsync(string host, HostTurn turn, CancellationToken ct)
    {
        for (var left = turn.Wait; left > TimeSpan.Zero;)
        {
            var step = left < Look ? left : Look;
            await Task.Delay(step, ct);
            left -= step;
            if (left > TimeSpan.Zero && await ChangedAsync(host, ct) != turn.ChangedAt) return false;
        }
        return true;
    }

    private async Task<DateTimeOffset?> ChangedAsync(string host, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT changed_at FROM ingestion.host_budget WHERE host = $1");
        command.Parameters.Add(new() { Value = host });
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) && !r.IsDBNull(0) ? r.GetFieldValue<DateTimeOffset>(0) : null;
    }

    // Where no rate is set, a host that is not paused and has no rate of its own needs no reservation, and its row no write.
    private async Task<bool> FreeAsync(string host, CancellationToken ct)
    {
        const string sql = """
            SELECT NOT EXISTS (SELECT FROM ingestion.host_budget WHERE host = $1 AND (coalesce(requests_per_minute, 0) > 0 OR paused_until > ingestion.clock()))
            """;
        if (_free.TryGetValue(host, out var looked) && Stopwatch.GetElapsedTime(looked) < FreeFor) return true;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = host });
        var free = (bool)(await command.ExecuteScalarAsync(ct))!;
        if (!free)
        {
            _free.TryRemove(host, out _);
            return false;
        }
        rates.Note(host, null);
        if (_free.Count >= MostFree) _free.Clear();
        _free[host] = Stopwatch.GetTimestamp();
        return true;
    }
}

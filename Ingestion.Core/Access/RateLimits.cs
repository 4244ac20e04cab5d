using System.Collections.Concurrent;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Access;

/// <summary>
/// How often something may be done in a minute, counted over all processes: a row a minute and counter. A process takes allowances in
/// blocks of a twentieth, so that a busy caller does not cost a row's update with every request.
/// </summary>
public sealed class RateLimits(Database database, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private const int Many = 10_000;
    private readonly ConcurrentDictionary<string, Leased> _leased = new();

    /// <summary>Counts one. Null where it is allowed, else how long to wait.</summary>
    /// <param name="counter">What is counted and whose: <c>search/usr_…</c>.</param>
    /// <param name="perMinute">0 for no limit.</param>
    public async Task<TimeSpan?> TakeAsync(string counter, int perMinute, CancellationToken ct)
    {
        if (perMinute <= 0) return null;
        var now = time.GetUtcNow();
        var minute = now.Ticks / Window.Ticks;
        var wait = Window - TimeSpan.FromTicks(now.Ticks % Window.Ticks);
        if (_leased.Count > Many) Forget(minute);
        var leased = _leased.GetOrAdd(counter, _ => new());
        await leased.Gate.WaitAsync(ct);
        try
        {
            if (leased.Minute != minute) (leased.Minute, leased.Left, leased.Spent) = (minute, 0, false);
            if (leased.Left == 0 && !leased.Spent)
            {
                var block = Math.Max(1, perMinute / 20);
                leased.Left = (int)Math.Clamp(perMinute - (await AddAsync(counter, minute, block, ct) - block), 0, block);
                leased.Spent = leased.Left == 0;
            }
            if (leased.Left == 0) return wait;
            leased.Left--;
            return null;
        }
        finally
        {
            leased.Gate.Release();
        }
    }

    /// <summary>
    /// Counts bytes of a day of UTC in the caller's transaction, so that what is rolled back is not counted. Throws <c>quota_exceeded</c> where
    /// they would be more than are allowed.
    /// </summary>
    /// <param name="counter">Whose: <c>uploads/default/usr_…</c>.</param>
    /// <param name="perDay">Bytes; 0 for no limit.</param>
    public static async Task SpendAsync(NpgsqlConnection connection, string counter, long bytes, long perDay, DateTimeOffset now, CancellationToken ct)
    {
        if (perDay <= 0) return;
        const string sql = """
            INSERT INTO ingestion.rate_count (counter, minute, taken) VALUES ('day/' || $1, $2, $3)
            ON CONFLICT (counter, minute) DO UPDATE SET taken = rate_count.taken + excluded.taken
            RETURNING taken
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = counter });
        command.Parameters.Add(new() { Value = now.UtcDateTime.Date.Ticks / Window.Ticks });
        command.Parameters.Add(new() { Value = bytes });
        if ((long)(await command.ExecuteScalarAsync(ct))! > perDay)
            throw new IngestionException(ErrorCodes.QuotaExceeded, $"With {bytes:N0} bytes more the files of today are more than the {perDay:N0} bytes that are allowed.");
    }

    private async Task<long> AddAsync(string counter, long minute, int count, CancellationToken ct)
    {
        const string sql = """
            WITH old AS (
                DELETE FROM ingestion.rate_count WHERE minute < @minute - CASE WHEN counter LIKE 'day/%' THEN 1440 ELSE 5 END AND @sweep
            )
            INSERT INTO ingestion.rate_count (counter, minute, taken) VALUES (@counter, @minute, @count)
            ON CONFLICT (counter, minute) DO UPDATE SET taken = rate_count.taken + excluded.taken
            RETURNING taken
            """;
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[] { new("counter", counter), new("minute", minute), new("count", (long)count), new("sweep", Random.Shared.Next(100) == 0) });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    private void Forget(long minute)
    {
        foreach (var old in _leased.Where(l => l.Value.Minute < minute).ToList()) _leased.TryRemove(old);
    }

    private sealed class Leased
    {
        public readonly SemaphoreSlim Gate = new(1, 1);
        public long Minute;
        public int Left;
        public bool Spent;
    }
}

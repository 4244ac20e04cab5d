using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>Gives hosts a rate of their own, or takes it back. It holds for everybody who asks the host, from the next request on.</summary>
public sealed class HostDesk(Database database, HostQueries hosts, StageWaker waker)
{
    /// <summary>Most requests a minute: a thousand a second is no rate any more.</summary>
    public const int MostPerMinute = 60_000;

    private const int Slice = 5000;

    /// <summary>
    /// Sets a host's rate, and gives anew the turns that were given by the one before. False where nothing in reach asked anything of the host.
    /// Throws <c>invalid_option</c> where the rate is none.
    /// </summary>
    /// <param name="perMinute">Requests a minute; null takes the rate back, so that the installation's holds.</param>
    public async Task<bool> SetAsync(Actor actor, string host, int? perMinute, CancellationToken ct)
    {
        if (await hosts.FindAsync(actor.Scope, host, ct) is not { } before) return false;
        if (perMinute is < 1 or > MostPerMinute) throw new IngestionException(ErrorCodes.InvalidOption, $"requests_per_minute must be a whole number from 1 to {MostPerMinute}.");
        await using (var connection = await database.Worker.OpenConnectionAsync(ct))
        {
            const string sql = """
                INSERT INTO ingestion.host_budget AS h (host, requests_per_minute, next_at, changed_at, changed_by)
                VALUES (@host, @rate, ingestion.clock(), ingestion.clock(), @who)
                ON CONFLICT (host) DO UPDATE SET requests_per_minute = excluded.requests_per_minute, next_at = excluded.next_at, changed_at = excluded.changed_at, changed_by = excluded.changed_by
                """;
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters = { new("host", host), new("rate", NpgsqlDbType.Integer) { Value = (object?)perMinute ?? DBNull.Value }, new("who", actor.Name) },
            };
            await command.ExecuteNonQueryAsync(ct);
            await AuditLog.WriteAsync(connection, actor, "change_host_rate", $"host {host}", ct,
                JsonSerializer.Serialize(new { before = before.OwnPerMinute, after = perMinute, @default = before.DefaultPerMinute }));
            await transaction.CommitAsync(ct);
        }
        await TurnsAnewAsync(host, ct);
        waker.WakeAll();
        return true;
    }

    // Whoever waits for a turn by the old rate asks for one again. A crash in between leaves some their old turns, which come as they were promised.
    private async Task TurnsAnewAsync(string host, CancellationToken ct)
    {
        const string waiting = """
            SELECT DISTINCT substring(i.source_key FROM '^https?://[^/?#]+')
            FROM ingestion.import_task_run t JOIN ingestion.import_item i ON i.id = t.item_id
            WHERE t.state = 'ready' AND t.stage = 'acquire' AND t.scheduled_at > ingestion.clock() AND t.wait_reason = 'host_pacing'
            """;
        const string anew = """
            UPDATE ingestion.import_task_run SET scheduled_at = ingestion.clock(), wait_reason = NULL
            WHERE id IN (
                SELECT t.id
                FROM ingestion.import_task_run t JOIN ingestion.import_item i ON i.id = t.item_id
                WHERE t.state = 'ready' AND t.stage = 'acquire' AND t.scheduled_at > ingestion.clock() AND t.wait_reason = 'host_pacing'
                  AND substring(i.source_key FROM '^https?://[^/?#]+') = ANY($1)
                ORDER BY t.id
                LIMIT $2
                FOR NO KEY UPDATE OF t SKIP LOCKED)
            """;
        var origins = new List<string>();
        await using (var command = database.Worker.CreateCommand(waiting))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct))
                if (!r.IsDBNull(0) && Uri.TryCreate(r.GetString(0), UriKind.Absolute, out var origin) && HostBudgets.KeyOf(origin) == host) origins.Add(r.GetString(0));
        if (origins.Count == 0) return;
        for (var changed = Slice; changed == Slice;)
        {
            await using var command = database.Worker.CreateCommand(anew);
            command.Parameters.Add(new() { Value = origins.ToArray() });
            command.Parameters.Add(new() { Value = Slice });
            changed = await command.ExecuteNonQueryAsync(ct);
        }
    }
}

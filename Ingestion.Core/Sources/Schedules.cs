using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;
using Quartz;

namespace Ingestion.Core.Sources;

/// <summary>
/// When connections are synced by themselves. The next time is a row, computed from the database's clock; whoever finds it due submits
/// the sync under a key made of that time, so that however many ask, one batch comes of it.
/// </summary>
public sealed class Schedules(Database database, SourceConnections connections, Submission submission)
{
    /// <summary>Who a sync's batches are by where its connection's owner is not known.</summary>
    private const string By = "schedule";

    /// <summary>What is wrong with a schedule, in a sentence; null where nothing is.</summary>
    public static string? Problem(string cron, string zone) =>
        !InRange(cron) || !CronExpression.TryParse(cron, CronFormat.Unix, out _) ? "The schedule has five fields, such as 30 2 * * 1-5: minutes, hours, day of month, month, day of week."
        : !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _) ? "The zone is one of the IANA names, such as Europe/Berlin."
        : null;

    // The scheduler takes minute 99 without a word, and means another one by it.
    private static bool InRange(string cron)
    {
        int[] most = [59, 23, 31, 12, 7];
        var fields = cron.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length == most.Length && fields.Zip(most).All(f => f.First.Split(',', '-', '/').All(part => !int.TryParse(part, out var n) || n <= f.Second));
    }

    /// <summary>Sets or ends the schedule. False where there is no such connection in reach. Throws <c>invalid_option</c>.</summary>
    /// <param name="cron">Five fields; null ends the schedule.</param>
    /// <param name="collection">The key of the collection that is filled.</param>
    public async Task<bool> SetAsync(Actor actor, string key, string? cron, string zone, string collection, CancellationToken ct)
    {
        if (cron is not null && Problem(cron, zone) is { } problem) throw new IngestionException(ErrorCodes.InvalidOption, problem);
        if (await connections.FindAsync(actor.Scope, key, ct) is null) return false;
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var update = new NpgsqlCommand("""
            UPDATE ingestion.connection n
            SET schedule = @cron, schedule_zone = CASE WHEN @cron IS NOT NULL THEN @zone END, next_run_at = @next, collection_id = c.id, schedule_note = NULL
            FROM ingestion.collection c
            WHERE n.tenant_id = @tenant AND n.key = @key AND n.deleted_at IS NULL
              AND c.tenant_id = n.tenant_id AND c.key = @collection AND (@reach IS NULL OR c.id = ANY (@reach))
            """, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("key", key), new("cron", NpgsqlDbType.Text) { Value = (object?)cron ?? DBNull.Value }, new("zone", zone), new("collection", collection),
                new("next", NpgsqlDbType.TimestampTz) { Value = cron is null ? DBNull.Value : (object?)Next(cron, zone, await NowAsync(connection, ct))?.UtcDateTime ?? DBNull.Value },
                new("reach", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)actor.Narrowing.Collections?.ToArray() ?? DBNull.Value },
            },
        };
        if (await update.ExecuteNonQueryAsync(ct) == 0) throw new IngestionException(ErrorCodes.InvalidOption, $"There is no collection '{collection}'.");
        await AuditLog.WriteAsync(connection, actor, "schedule_connection", $"connection {key}", ct, System.Text.Json.JsonSerializer.Serialize(new { schedule = cron, zone, collection }));
        await transaction.CommitAsync(ct);
        return true;
    }

    /// <summary>Submits what is due and returns how many batches came of it.</summary>
    public async Task<int> RunDueAsync(CancellationToken ct)
    {
        var begun = 0;
        foreach (var due in await DueAsync(ct))
        {
            string? note = null;
            try
            {
                if (due.Busy) note = "The sync before was still running, so this turn was left out.";
                else if (!(await SubmitAsync(due, ct)).Repeated) begun++;
            }
            catch (IngestionException e)
            {
                note = e.Message;
            }
            await MoveOnAsync(due, note, ct);
        }
        return begun;
    }

    private Task<Submitted> SubmitAsync(Due due, CancellationToken ct)
    {
        var key = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{By}/{due.Key}/{due.At.UtcDateTime:O}");
        return submission.SubmitAsync(new Actor(due.TenantId, due.Owner, By), new($"{due.Name}, by schedule") { Collection = due.Collection, Sources = [new(due.Kind, due.Key)] },
            new(key, System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key))), ct);
    }

    private async Task<List<Due>> DueAsync(CancellationToken ct)
    {
        const string sql = """
            SELECT n.id, n.tenant_id, n.key, n.kind, n.name, n.created_by, c.key, n.schedule, n.schedule_zone, n.next_run_at,
                   EXISTS (SELECT FROM ingestion.sync_source s JOIN ingestion.sync_run r ON r.sync_source_id = s.id JOIN ingestion.import_batch b ON b.id = r.batch_id
                           WHERE s.tenant_id = n.tenant_id AND s.connection_id = n.key AND b.completed_at IS NULL AND b.deleted_at IS NULL)
            FROM ingestion.connection n
            JOIN ingestion.collection c ON c.id = n.collection_id
            JOIN ingestion.tenant t ON t.id = n.tenant_id
            WHERE n.next_run_at <= ingestion.clock() AND n.disabled_at IS NULL AND n.deleted_at IS NULL AND t.disabled_at IS NULL
            ORDER BY n.next_run_at
            LIMIT 100
            """;
        await using var command = database.Worker.CreateCommand(sql);
        await using var r = await command.ExecuteReaderAsync(ct);
        var due = new List<Due>();
        while (await r.ReadAsync(ct))
            due.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetString(7), r.GetString(8), r.GetFieldValue<DateTimeOffset>(9), r.GetBoolean(10)));
        return due;
    }

    // Turns that were missed are not made up for: the next one is after now.
    private async Task MoveOnAsync(Due due, string? note, CancellationToken ct)
    {
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var update = new NpgsqlCommand("UPDATE ingestion.connection SET next_run_at = @next, schedule_note = @note WHERE id = @id AND next_run_at = @at", connection)
        {
            Parameters =
            {
                new("id", due.Id), new("at", due.At.UtcDateTime), new("note", NpgsqlDbType.Text) { Value = (object?)note ?? DBNull.Value },
                new("next", NpgsqlDbType.TimestampTz) { Value = (object?)Next(due.Cron, due.Zone, await NowAsync(connection, ct))?.UtcDateTime ?? DBNull.Value },
            },
        };
        await update.ExecuteNonQueryAsync(ct);
    }

    private static DateTimeOffset? Next(string cron, string zone, DateTimeOffset now) =>
        CronExpression.Parse(cron, CronFormat.Unix).WithTimeZone(TimeZoneInfo.FindSystemTimeZoneById(zone)).GetNextValidTimeAfter(now);

    private static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT ingestion.clock()", connection);
        return new((DateTime)(await command.ExecuteScalarAsync(ct))!);
    }

    private sealed record Due(long Id, string TenantId, string Key, string Kind, string Name, string Owner, string Collection, string Cron, string Zone, DateTimeOffset At, bool Busy);
}

using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>
/// Decides which process runs a duty, by a row and the database's clock: whoever asks first after it is due has the turn, the others see
/// that it has moved on. Nobody holds anything between turns, so one that dies is followed by whoever asks next.
/// </summary>
public sealed class DutyTurns(NpgsqlDataSource worker, RunningTasks running)
{
    // Between two turns lies an interval and the wait for the next question; long ones are asked for often enough that a dead process is
    // followed within a minute.
    private static readonly TimeSpan SeldomEnough = TimeSpan.FromMinutes(1);

    /// <summary>How often a process asks for a turn.</summary>
    public static TimeSpan AskEvery(IDuty duty) => duty.Interval < SeldomEnough ? duty.Interval : SeldomEnough;

    /// <summary>Makes the rows of duties that have none; an interval that was shortened holds at once.</summary>
    public async Task EnsureAsync(IEnumerable<IDuty> duties, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.duty (name, purpose, interval, next_due)
            SELECT name, purpose, every, ingestion.clock() FROM unnest(@names, @purposes, @intervals) AS d (name, purpose, every) ORDER BY name
            ON CONFLICT (name) DO UPDATE
                SET purpose = excluded.purpose, interval = excluded.interval, next_due = least(duty.next_due, ingestion.clock() + excluded.interval)
            WHERE (duty.interval, duty.purpose) <> (excluded.interval, excluded.purpose)
            """;
        var all = duties.ToList();
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("names", all.Select(d => d.Name).ToArray()));
        command.Parameters.Add(new("purposes", all.Select(d => d.Purpose).ToArray()));
        command.Parameters.Add(new("intervals", all.Select(d => d.Interval).ToArray()));
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The turn, where the duty is due and nobody else has taken it; else null.</summary>
    public async Task<DutyTurn?> TakeAsync(IDuty duty, CancellationToken ct)
    {
        // Due a little early, so that whoever asks exactly an interval after the last turn is not sent away for another whole one.
        const string sql = """
            UPDATE ingestion.duty d
            SET next_due = ingestion.clock() + d.interval * 0.9, last_started_at = ingestion.clock(), worker = @me
            FROM (SELECT name, last_started_at FROM ingestion.duty WHERE name = @name AND next_due <= ingestion.clock() FOR UPDATE SKIP LOCKED) due
            WHERE d.name = due.name
            RETURNING d.last_started_at, due.last_started_at
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("name", duty.Name));
        command.Parameters.Add(new("me", running.Worker));
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? new(r.GetFieldValue<DateTimeOffset>(0), r.IsDBNull(1) ? null : r.GetFieldValue<DateTimeOffset>(1)) : null;
    }

    /// <summary>Notes the end of this process's turn; not where another has taken over meanwhile.</summary>
    public async Task FinishAsync(IDuty duty, string? error, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("UPDATE ingestion.duty SET last_finished_at = ingestion.clock(), last_error = @error WHERE name = @name AND worker = @me");
        command.Parameters.Add(new("name", duty.Name));
        command.Parameters.Add(new("me", running.Worker));
        command.Parameters.Add(new("error", NpgsqlDbType.Text) { Value = (object?)error ?? DBNull.Value });
        await command.ExecuteNonQueryAsync(ct);
    }
}

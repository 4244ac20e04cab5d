using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>
/// Removes what retention no longer keeps: events and task runs of whole batches that ended, audit entries, what was sent to webhooks, and
/// rows of processes that are long gone. In slices, each a short transaction. What remains of a batch is its row with the final counts, its items, and how much
/// was removed.
/// </summary>
public sealed class PruneDetails(NpgsqlDataSource worker, RetentionOptions retention, ILogger<PruneDetails> log) : IDuty
{
    private const int Slice = 5000;

    // Their tasks were taken back long ago; after a week nobody asks who they were.
    private static readonly TimeSpan ProcessLife = TimeSpan.FromDays(7);

    // A week of minutes shows what a host was asked last Tuesday night.
    private static readonly TimeSpan HostMinuteLife = TimeSpan.FromDays(7);

    public string Name => "prune";

    public string Purpose => "Removes details that retention no longer keeps.";

    public TimeSpan Interval => TimeSpan.FromHours(1);

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        var events = retention.EventsDays == 0 ? 0 : await BatchesAsync("import_event", "prune_events", TimeSpan.FromDays(retention.EventsDays), ct);
        var runs = retention.TaskRunsDays == 0 ? 0 : await BatchesAsync("import_task_run", "prune_task_runs", TimeSpan.FromDays(retention.TaskRunsDays), ct);
        var audit = retention.AuditDays == 0 ? 0 : await SlicesAsync("SELECT ingestion.prune_audit($1, $2)", ct, TimeSpan.FromDays(retention.AuditDays), Slice);
        if (retention.EventsDays > 0)
            for (var slice = Slice; slice == Slice;) slice = await DeliveriesAsync(TimeSpan.FromDays(retention.EventsDays), ct);
        await HostsAsync(ct);
        await using var processes = worker.CreateCommand("DELETE FROM ingestion.worker_process w WHERE w.last_seen_at < ingestion.clock() - $1 AND NOT EXISTS (SELECT FROM ingestion.import_task_run t WHERE t.worker = w.id AND t.state = 'running')");
        processes.Parameters.Add(new() { Value = ProcessLife });
        await processes.ExecuteNonQueryAsync(ct);
        if (events + runs + audit > 0) log.Pruned(events, runs, audit);
    }

    // What is told of single minutes is for whoever looks now; hosts that are not asked any more go as the events that tell of them do.
    private async Task HostsAsync(CancellationToken ct)
    {
        await using var minutes = worker.CreateCommand("DELETE FROM ingestion.host_minute WHERE minute < ingestion.clock() - @life; DELETE FROM ingestion.host_wait WHERE minute < ingestion.clock() - @life");
        minutes.Parameters.Add(new("life", HostMinuteLife));
        await minutes.ExecuteNonQueryAsync(ct);
        // A row without a rate or a wait says nothing that the next request would not write anew.
        await using var turns = worker.CreateCommand("DELETE FROM ingestion.host_budget WHERE requests_per_minute IS NULL AND next_at < ingestion.clock() - $1 AND coalesce(paused_until, next_at) < ingestion.clock() - $1");
        turns.Parameters.Add(new() { Value = HostMinuteLife });
        await turns.ExecuteNonQueryAsync(ct);
        if (retention.EventsDays == 0) return;
        await using var hosts = worker.CreateCommand("DELETE FROM ingestion.host_use WHERE last_asked_at < ingestion.clock() - $1");
        hosts.Parameters.Add(new() { Value = TimeSpan.FromDays(retention.EventsDays) });
        await hosts.ExecuteNonQueryAsync(ct);
    }

    private async Task<int> DeliveriesAsync(TimeSpan keep, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("DELETE FROM ingestion.webhook_delivery WHERE id IN (SELECT id FROM ingestion.webhook_delivery WHERE ended_at < ingestion.clock() - $1 ORDER BY id LIMIT $2)");
        command.Parameters.Add(new() { Value = keep });
        command.Parameters.Add(new() { Value = Slice });
        return await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<long> BatchesAsync(string table, string function, TimeSpan keep, CancellationToken ct)
    {
        var removed = 0L;
        foreach (var batch in await DueAsync(table, keep, ct)) removed += await SlicesAsync($"SELECT ingestion.{function}($1, $2, $3)", ct, batch, keep, Slice);
        return removed;
    }

    // Ended ones that still have such rows; the function judges each again under its locks.
    private async Task<List<long>> DueAsync(string table, TimeSpan keep, CancellationToken ct)
    {
        await using var command = worker.CreateCommand($"""
            SELECT b.id FROM ingestion.import_batch b
            WHERE b.completed_at < ingestion.clock() - $1 AND EXISTS (SELECT FROM ingestion.{table} d WHERE d.batch_id = b.id)
            ORDER BY b.completed_at
            """);
        command.Parameters.Add(new() { Value = keep });
        await using var r = await command.ExecuteReaderAsync(ct);
        var due = new List<long>();
        while (await r.ReadAsync(ct)) due.Add(r.GetInt64(0));
        return due;
    }

    private async Task<long> SlicesAsync(string sql, CancellationToken ct, params object[] parameters)
    {
        for (var removed = 0L; ;)
        {
            await using var command = worker.CreateCommand(sql);
            foreach (var p in parameters) command.Parameters.Add(new() { Value = p });
            var slice = (int)(await command.ExecuteScalarAsync(ct))!;
            removed += slice;
            if (slice < Slice) return removed;
        }
    }
}

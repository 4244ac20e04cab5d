using System.Text.Json;
using Ingestion.Core.Data;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Announces this process in the database, says again and again that it lives, and says so when it stops. Every role does.</summary>
public sealed class ProcessBeat(
    NpgsqlDataSource worker, RunningTasks running, ConnectionBudget budget, PipelineOptions pipeline, IOptions<DatabaseOptions> database,
    IOptions<IngestionOptions> ingestion, TimeProvider time, ILogger<ProcessBeat> log) : BackgroundService
{
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await BeatAsync(cancellationToken);
        if (await budget.ReadAsync(cancellationToken) is { Fits: false } asked) log.PoolsTooLarge(asked.Processes, asked.Asked, asked.Allowed);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(pipeline.Heartbeat, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                await BeatAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was: a process that lives must not fall silent.
                log.BeatFailed(e.Message);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var command = worker.CreateCommand("UPDATE ingestion.worker_process SET stopped_at = ingestion.clock(), last_seen_at = ingestion.clock() WHERE id = $1");
            command.Parameters.Add(new() { Value = running.Worker });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception e) when (Transient.Is(e) || e is ObjectDisposedException)
        {
            // The database stops with us, or did at an earlier stop; the row's last beat tells the same a little later.
            return;
        }
    }

    internal async Task BeatAsync(CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.worker_process (id, host, pid, role, version, slots, connections, started_at, last_seen_at)
            VALUES (@id, @host, @pid, @role, @version, @slots, @connections, ingestion.clock(), ingestion.clock())
            ON CONFLICT (id) DO UPDATE SET last_seen_at = excluded.last_seen_at
            """;
        var role = ingestion.Value.Role;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new("id", running.Worker));
        command.Parameters.Add(new("host", Environment.MachineName));
        command.Parameters.Add(new("pid", Environment.ProcessId));
        command.Parameters.Add(new("role", role.ToString().ToLowerInvariant()));
        command.Parameters.Add(new("version", typeof(ProcessBeat).Assembly.GetName().Version?.ToString(3) ?? "0"));
        command.Parameters.Add(new("slots", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(Slots()) });
        command.Parameters.Add(new("connections", database.Value.Connections(role)));
        await command.ExecuteNonQueryAsync(ct);
    }

    private Dictionary<string, int> Slots() => ingestion.Value.RunsPipeline
        ? StageOrder.Standard.Where(pipeline.Serves).ToDictionary(s => s.Word(), pipeline.SlotsOf)
        : [];
}

using System.Diagnostics.Metrics;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Telemetry;

/// <summary>
/// What the database tells of the installation, read at most every few seconds and only while somebody asks: progress of the batches at
/// work, how many ended and how, and what waits at each stage. At most <see cref="MostBatches"/> batches have a series of their own.
/// </summary>
public sealed class InstallationGauges : IDisposable
{
    /// <summary>Batches with a series of their own: those that began last.</summary>
    public const int MostBatches = 50;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private readonly NpgsqlDataSource _worker;
    private readonly TimeProvider _time;
    private readonly ILogger<InstallationGauges> _log;
    private readonly Meter _meter;
    private readonly Lock _lock = new();
    private Look _look = new([], [], [], []);
    private long _readAt;

    public InstallationGauges(NpgsqlDataSource worker, BatchHub hub, TimeProvider time, ILogger<InstallationGauges> log)
    {
        (_worker, _time, _log) = (worker, time, log);
        // One of this object's own: several installations in one process, as in tests, measure apart, and it ends with the object.
        _meter = new(new MeterOptions(PipelineTelemetry.Name) { Scope = this });
        _meter.CreateObservableGauge("bulk_job_download_progress", () => Now().Batches.Select(b => new Measurement<double>(b.Download, new KeyValuePair<string, object?>("job_id", b.Id))), "%", "Documents of a running batch that are fetched, 0 to 100.");
        _meter.CreateObservableGauge("bulk_job_ingestion_progress", () => Now().Batches.Select(b => new Measurement<double>(b.Ingestion, new KeyValuePair<string, object?>("job_id", b.Id))), "%", "Documents of a running batch that have ended, 0 to 100.");
        _meter.CreateObservableGauge("ingestion_jobs", () => Now().Jobs.Select(j => new Measurement<long>(j.Count, new KeyValuePair<string, object?>("status", j.Word))), null, "Batches by state; those that ended add up to the completion rate.");
        _meter.CreateObservableGauge("ingestion_queue_tasks", () => Now().Tasks.Select(t => new Measurement<long>(t.Count, new("stage", t.Stage), new KeyValuePair<string, object?>("state", t.State))), null, "Tasks that wait, run, or wait for a person.");
        _meter.CreateObservableGauge("ingestion_webhook_deliveries", () => Now().Deliveries.Select(d => new Measurement<long>(d.Count, new KeyValuePair<string, object?>("state", d.Word))), null, "Webhook deliveries by state.");
        _meter.CreateObservableGauge("ingestion_batch_watchers", () => hub.Watchers, null, "Pages and live channels of this process that watch batches.");
    }

    public void Dispose() => _meter.Dispose();

    private Look Now()
    {
        lock (_lock)
        {
            if (_readAt != 0 && _time.GetElapsedTime(_readAt) < Fresh) return _look;
            try
            {
                _look = Read();
            }
            catch (Exception e) when (Transient.Is(e) || e is NpgsqlException)
            {
                // What is not known is not told: a gauge that stands still would look like one that is well.
                _log.GaugesNotRead(e.Message);
                _look = new([], [], [], []);
            }
            _readAt = _time.GetTimestamp();
            return _look;
        }
    }

    // Instruments are asked synchronously.
    private Look Read()
    {
        const string sql = """
            SELECT b.public_id, i.total, i.acquired, i.ended
            FROM (
                SELECT id, public_id FROM ingestion.import_batch WHERE state IN ('running', 'retrying', 'paused') AND NOT draft AND deleted_at IS NULL ORDER BY started_at DESC NULLS LAST, id DESC LIMIT @most
            ) b
            CROSS JOIN LATERAL (
                SELECT count(*) AS total, count(*) FILTER (WHERE state <> 'open' OR stage <> 'acquire') AS acquired, count(*) FILTER (WHERE state <> 'open') AS ended
                FROM ingestion.import_item WHERE batch_id = b.id
            ) i;
            SELECT state, count(*) FROM ingestion.import_batch WHERE NOT draft GROUP BY state ORDER BY 1;
            SELECT stage, state, count(*) FROM ingestion.import_task_run WHERE state IN ('ready', 'running', 'blocked') GROUP BY stage, state ORDER BY 1, 2;
            SELECT state, count(*) FROM ingestion.webhook_delivery GROUP BY state ORDER BY 1
            """;
        using var connection = _worker.OpenConnection();
        using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("most", MostBatches) }, CommandTimeout = (int)Patience.TotalSeconds };
        using var r = command.ExecuteReader();
        var batches = new List<Progress>();
        while (r.Read()) batches.Add(new(r.GetString(0), Percent(r.GetInt64(2), r.GetInt64(1)), Percent(r.GetInt64(3), r.GetInt64(1))));
        r.NextResult();
        var jobs = new List<Counted>();
        while (r.Read()) jobs.Add(new(r.GetString(0), r.GetInt64(1)));
        r.NextResult();
        var tasks = new List<Queued>();
        while (r.Read()) tasks.Add(new(r.GetString(0), r.GetString(1), r.GetInt64(2)));
        r.NextResult();
        var deliveries = new List<Counted>();
        while (r.Read()) deliveries.Add(new(r.GetString(0), r.GetInt64(1)));
        return new(batches, jobs, tasks, deliveries);
    }

    private static double Percent(long part, long whole) => whole == 0 ? 0 : Math.Round(100.0 * part / whole, 1);

    private sealed record Look(IReadOnlyList<Progress> Batches, IReadOnlyList<Counted> Jobs, IReadOnlyList<Queued> Tasks, IReadOnlyList<Counted> Deliveries);

    private sealed record Progress(string Id, double Download, double Ingestion);

    private sealed record Counted(string Word, long Count);

    private sealed record Queued(string Stage, string State, long Count);
}

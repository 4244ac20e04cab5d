using Npgsql;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Says that this process lives.</summary>
public sealed class WorkerBeat(NpgsqlDataSource worker, RunningTasks running, PipelineOptions options) : IDuty
{
    public string Name => "beat";

    public TimeSpan Interval => options.Heartbeat;

    public Task RunAsync(CancellationToken ct) => WorkerHost.BeatAsync(worker, running.Worker, ct);
}

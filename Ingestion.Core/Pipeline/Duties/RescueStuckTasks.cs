namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Takes tasks back from workers that no longer answer.</summary>
public sealed class RescueStuckTasks(BatchDuties duties, PipelineOptions options) : IDuty
{
    public string Name => "rescue";

    public TimeSpan Interval => options.Sweep;

    public Task RunAsync(CancellationToken ct) => duties.RescueAsync(everything: false, ct);
}

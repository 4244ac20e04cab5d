namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Takes tasks back from workers that no longer answer.</summary>
public sealed class RescueStuckTasks(BatchDuties duties, PipelineOptions options) : IDuty
{
    public string Name => "rescue";

    public string Purpose => "Takes tasks back from workers that no longer answer.";

    public TimeSpan Interval => options.Sweep;

    public Task RunAsync(DutyTurn turn, CancellationToken ct) => duties.RescueAsync(everything: false, ct);
}

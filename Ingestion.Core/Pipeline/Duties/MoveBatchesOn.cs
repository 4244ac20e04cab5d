namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Lets queued batches in and finishes what a crash left half done.</summary>
public sealed class MoveBatchesOn(BatchDuties duties, PipelineOptions options) : IDuty
{
    public string Name => "batches";

    public string Purpose => "Lets queued batches in and finishes what a crash left half done.";

    public TimeSpan Interval => options.Poll;

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        await duties.ActivateAsync(ct);
        await duties.FinishAsync(ct);
    }
}

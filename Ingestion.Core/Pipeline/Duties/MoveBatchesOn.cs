namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Lets queued batches in and finishes what a crash left half done.</summary>
public sealed class MoveBatchesOn(BatchDuties duties, PipelineOptions options) : IDuty
{
    public string Name => "batches";

    public TimeSpan Interval => options.Poll;

    public async Task RunAsync(CancellationToken ct)
    {
        await duties.ActivateAsync(ct);
        await duties.FinishAsync(ct);
    }
}

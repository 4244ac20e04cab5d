using Ingestion.Core.Review;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Carries out what reviewers decided of many documents at once.</summary>
public sealed class DecideInBulk(BulkReviews bulks, PipelineOptions options) : IDuty
{
    public string Name => "bulk-reviews";

    public string Purpose => "Carries out what reviewers decided of many documents at once.";

    public TimeSpan Interval => options.Poll;

    public Task RunAsync(DutyTurn turn, CancellationToken ct) => bulks.CarryOutAsync(ct);
}

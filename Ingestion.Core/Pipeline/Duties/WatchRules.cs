using Ingestion.Core.Review.Rules;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Carries out what rules that were switched on mean for open reviews, and stops those that samples show to be wrong too often.</summary>
public sealed class WatchRules(RuleApplication application, RuleChecks checks, PipelineOptions options) : IDuty
{
    public string Name => "rules";

    public string Purpose => "Lets rules act on open reviews, and stops those that samples show to be wrong too often.";

    public TimeSpan Interval => options.Poll * 5;

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        await checks.RunAsync(ct);
        await application.RunAsync(ct);
    }
}

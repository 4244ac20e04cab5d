using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;

namespace Ingestion.Core.Review;

/// <summary>What came of a row of a table of decisions.</summary>
public enum WrittenOutcome
{
    /// <summary>It was decided, or would be.</summary>
    Decided,
    /// <summary>It stands so already.</summary>
    Already,
    /// <summary>Somebody decided otherwise since the table was made.</summary>
    Conflict,
    /// <summary>It cannot be decided so.</summary>
    Refused,
    /// <summary>There is no such review in reach.</summary>
    Unknown,
    /// <summary>The row cannot be read.</summary>
    Invalid,
}

/// <summary>A row of the report.</summary>
/// <param name="Review">Null where the row names none.</param>
/// <param name="Message">A sentence for the person who filled the row in.</param>
/// <param name="Version">The review's fence as it is now; null where there is no such review.</param>
public sealed record WrittenResult(int Line, long? Review, string Action, WrittenOutcome Outcome, string Message, int? Version);

/// <summary>What came of a table of decisions, row by row.</summary>
/// <param name="Blank">Rows without a decision, which are left alone.</param>
public sealed record WrittenReport(bool DryRun, int Blank, IReadOnlyList<WrittenResult> Rows)
{
    public int Count(WrittenOutcome outcome) => Rows.Count(r => r.Outcome == outcome);
}

/// <summary>
/// Decisions that somebody wrote into an exported table. Each row is decided on its own, fenced by the version that was exported; one that fails
/// keeps none of the others back, and a table that comes again decides nothing twice. A dry run makes each decision and takes it back with its
/// transaction, so it says what the real one will.
/// </summary>
public sealed class ReviewImports(ReviewDesk desk, ReviewQueries reviews)
{
    /// <summary>Throws <c>invalid_manifest</c> where the table as a whole cannot be read; then nothing was decided.</summary>
    public async Task<WrittenReport> RunAsync(Actor actor, Stream table, bool dryRun, CancellationToken ct)
    {
        var (rows, blank) = await DecisionTables.ReadAsync(table, ct);
        var results = new List<WrittenResult>(rows.Count);
        foreach (var row in rows) results.Add(await DecideAsync(actor, row, dryRun, ct));
        return new(dryRun, blank, results);
    }

    private async Task<WrittenResult> DecideAsync(Actor actor, WrittenDecision row, bool dryRun, CancellationToken ct)
    {
        WrittenResult Of(WrittenOutcome outcome, string message, int? version = null) => new(row.Line, row.Review > 0 ? row.Review : null, row.Action, outcome, message, version);
        if (row.Problem is { } problem) return Of(WrittenOutcome.Invalid, problem);
        var result = await desk.DecideTogetherAsync(actor with { Reason = row.Reason }, row.Review, row.Version, row.Picks, row.Action, row.To, keep: !dryRun, ct);
        return result.Outcome switch
        {
            ReviewOutcome.Done => Of(WrittenOutcome.Decided, result.Message, result.Version),
            ReviewOutcome.NotFound => Of(WrittenOutcome.Unknown, result.Message),
            _ when await StandsAsync(actor.Scope, row, ct) => Of(WrittenOutcome.Already, "It stands so already.", result.Version),
            ReviewOutcome.Conflict => Of(WrittenOutcome.Conflict, result.Message, result.Version),
            _ => Of(WrittenOutcome.Refused, result.Message, result.Version),
        };
    }

    // True where nothing is left to do for the row, whoever did it.
    private async Task<bool> StandsAsync(Scope scope, WrittenDecision row, CancellationToken ct)
    {
        if (await reviews.FindAsync(scope, row.Review, ct) is not { } review) return false;
        var state = row.Action switch
        {
            ReviewActions.Approve => ReviewStates.Approved,
            ReviewActions.Reject => ReviewStates.Rejected,
            ReviewActions.SendBack => ReviewStates.SentBack,
            _ => null,
        };
        return (state is null || review.Review.State == state)
            && row.Picks.All(p => review.Fields.Any(f => f.Name == p.Field && f.Entity == p.Entity && f.State == FieldState.Picked));
    }
}

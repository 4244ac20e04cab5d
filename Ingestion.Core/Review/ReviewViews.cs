using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;

namespace Ingestion.Core.Review;

/// <summary>A review in a list.</summary>
/// <param name="Version">The fence that a decision names.</param>
/// <param name="BlockedFor">Since when a person is waited for.</param>
public sealed record ReviewRow(
    long Id, int Version, string State, string BatchPublicId, string Collection, long ItemId, string Name, IReadOnlyList<string> Reasons,
    double? Confidence, double? Quality, DateTimeOffset BlockedFor, string? DecidedBy, DateTimeOffset? DecidedAt, string? DecisionReason);

/// <summary>A page of reviews, and how many there are in all.</summary>
public sealed record ReviewPage(IReadOnlyList<ReviewRow> Rows, int Total);

/// <summary>A decision as the log of a review tells it.</summary>
/// <param name="TakenBack">Somebody undid it.</param>
public sealed record DecisionView(long Id, string Action, string By, string? Reason, DateTimeOffset At, string Chosen, bool TakenBack);

/// <summary>Everything that is known of one review.</summary>
/// <param name="QualityParts">By name, 0 to 1; empty where it was not measured.</param>
/// <param name="PublishedVersionId">The version of the same document that readers see now; null where there is none.</param>
public sealed record ReviewDetail(
    ReviewRow Review, string SourceKey, ItemState ItemState, long? DocumentVersionId, long? PublishedVersionId, IReadOnlyList<ResolvedField> Fields,
    IReadOnlyDictionary<string, double> QualityParts, IReadOnlyList<DecisionView> Decisions);

/// <summary>How many reviews there are of a kind.</summary>
public sealed record ReviewCount(string Word, int Count);

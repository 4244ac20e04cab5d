using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;

namespace Ingestion.Core.Review;

/// <summary>Somebody looked and could not say.</summary>
public sealed record UnsureMark(string By, string? Reason, DateTimeOffset At);

/// <summary>The field of a record that most wants a person, with what it may mean.</summary>
/// <param name="Value">As it was found; null where nothing was.</param>
/// <param name="Meaning">The entity that was chosen, or the likeliest; null where nothing is close.</param>
/// <param name="State">How the field stands.</param>
public sealed record FieldQuestion(string Field, FieldState State, string? Value, string? Meaning, double? Confidence, bool Conflict);

/// <summary>A review in a list.</summary>
/// <param name="Version">The fence that a decision names.</param>
/// <param name="BlockedFor">Since when a person is waited for.</param>
public sealed record ReviewRow(
    long Id, int Version, string State, string BatchPublicId, string Collection, long ItemId, string Name, IReadOnlyList<string> Reasons,
    double? Confidence, double? Quality, DateTimeOffset BlockedFor, string? DecidedBy, DateTimeOffset? DecidedAt, string? DecisionReason)
{
    /// <summary>Null where nobody was unsure.</summary>
    public UnsureMark? Unsure { get; init; }

    /// <summary>The account that is to decide it; null where anybody may.</summary>
    public string? AssignedTo { get; init; }

    public long BatchId { get; init; }

    public string BatchName { get; init; } = "";

    /// <summary>What the document calls itself; null where it was never parsed.</summary>
    public string? Title { get; init; }

    /// <summary>What people call it: its title, else its name in the batch.</summary>
    public string Shown => string.IsNullOrWhiteSpace(Title) ? Name : Title;

    /// <summary>Null where no field means an entity.</summary>
    public FieldQuestion? Question { get; init; }
}

/// <summary>Where a review stands among those of a filter.</summary>
/// <param name="Place">From 1; 0 where the filter does not find it (any more).</param>
public sealed record ReviewNeighbours(long? Previous, long? Next, int Place, int Total);

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

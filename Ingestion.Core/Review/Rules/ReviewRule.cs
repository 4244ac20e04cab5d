namespace Ingestion.Core.Review.Rules;

/// <summary>What an accepted pick became.</summary>
public static class RuleKinds
{
    /// <summary>The value is a certain spelling of the entity, in its list and for every field of the type.</summary>
    public const string Alias = "alias";
    /// <summary>The value means the entity in this one field; the list stays as it is.</summary>
    public const string Value = "value";

    public static IReadOnlyList<string> All { get; } = [Alias, Value];
}

/// <summary>The word a rule is in.</summary>
public static class RuleStates
{
    /// <summary>Made, and never switched on.</summary>
    public const string Draft = "draft";
    public const string On = "on";
    /// <summary>A person switched it off.</summary>
    public const string Off = "off";
    /// <summary>It was surely wrong too often.</summary>
    public const string Stopped = "stopped";

    public static IReadOnlyList<string> All { get; } = [Draft, On, Off, Stopped];
}

/// <summary>What a rule did since it was switched on last, and what people found when they looked.</summary>
/// <param name="Passed">Documents that nobody was asked about because of it, with those of the sample.</param>
/// <param name="Sampled">Of these, those that a person looks at all the same.</param>
/// <param name="Looked">Of the sample, those that were decided.</param>
/// <param name="Wrong">Of the decided, those that were rejected or meant another entity.</param>
public sealed record RuleFigures(int Passed, int Sampled, int Looked, int Wrong)
{
    /// <summary>Null while nobody has looked.</summary>
    public ErrorInterval? Error => ErrorInterval.Of(Wrong, Looked);

    /// <summary>True where it is wrong more often than the limit, with next to no doubt.</summary>
    public bool SurelyAbove(ReviewOptions options) => Looked >= options.LeastSamples && Error is { } error && error.Low > options.ErrorLimit;
}

/// <summary>A value that means an entity: learnt from a decision, tried, switched on by a person, watched by samples.</summary>
/// <param name="Version">The fence: one more with each change.</param>
/// <param name="Value">As it is found in documents, composed and with single blanks.</param>
/// <param name="Reason">Why it is in its state; null where nobody said.</param>
/// <param name="Applying">Open reviews are still to be resolved again by it.</param>
public sealed record ReviewRule(
    long Id, int Version, string Collection, string Kind, string Field, string EntityType, string Value, string Entity, string EntityName, string State,
    string CreatedBy, DateTimeOffset CreatedAt, string ChangedBy, DateTimeOffset ChangedAt, string? Reason, bool Applying, RuleFigures Figures);

/// <summary>A change of a rule's state.</summary>
/// <param name="Figures">As they stood then; null where it had done nothing.</param>
public sealed record RuleChange(string State, string By, string? Reason, RuleFigures? Figures, DateTimeOffset At);

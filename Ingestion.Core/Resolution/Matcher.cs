namespace Ingestion.Core.Resolution;

/// <summary>A way to compare a value with the names of a list.</summary>
public enum MatchStep
{
    /// <summary>The same characters.</summary>
    Exact,
    /// <summary>The same letters without marks, blanks and case.</summary>
    Folded,
    /// <summary>The same sound, whatever habit of romanisation.</summary>
    Transliterated,
    /// <summary>Many of the same runs of three letters.</summary>
    Trigram,
    /// <summary>Few letters to change.</summary>
    EditDistance,
}

/// <summary>How the values of one type are matched, and what is done with the outcome.</summary>
/// <param name="Steps">The ways that are tried.</param>
/// <param name="Reading">How the values (and aliases) mean upper and lower case; names of the list are read plainly.</param>
/// <param name="Identity">
/// Attributes that together tell what an entity is. Two entities of a list that share them all, one's name within the other's, are suspected
/// to be one: a person decides between them.
/// </param>
/// <param name="Accept">Confidence from which a value is linked without a person, 0 to 1.</param>
/// <param name="Reject">Confidence below which the document is turned away, 0 to 1; 0 never does.</param>
public sealed record Matcher(
    IReadOnlyList<MatchStep> Steps, Reading Reading = Reading.Plain, IReadOnlyList<string>? Identity = null, double Accept = Matcher.DefaultAccept, double Reject = 0)
{
    public const double DefaultAccept = 0.9;

    public static readonly Matcher Default = new([MatchStep.Exact, MatchStep.Folded, MatchStep.Trigram, MatchStep.EditDistance]);

    public bool Uses(MatchStep step) => Steps.Contains(step);
}

/// <summary>An entity that a value may mean.</summary>
/// <param name="Confidence">0 to 1.</param>
/// <param name="Why">A sentence for a person.</param>
public sealed record Candidate(string Key, string Name, double Confidence, string Why);

/// <summary>What a value may mean, surest first; empty where nothing is close.</summary>
/// <param name="Doubt">Why a person should decide although something is close; null where nothing speaks against the first one.</param>
public sealed record MatchResult(IReadOnlyList<Candidate> Candidates, string? Doubt)
{
    public static readonly MatchResult None = new([], null);

    public Candidate? Best => Candidates.Count > 0 ? Candidates[0] : null;

    public double Confidence => Best?.Confidence ?? 0;
}

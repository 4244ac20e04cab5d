namespace Ingestion.Core.Review;

/// <summary>How rules learnt from decisions are watched: section <c>Ingestion:Review</c>.</summary>
public sealed class ReviewOptions
{
    public const string Section = "Ingestion:Review";

    /// <summary>Share of what a rule lets pass that a person looks at all the same, 0 to 1.</summary>
    public double SampleShare { get; set; } = 0.02;

    /// <summary>A rule that is surely wrong more often than this is stopped, 0 to 1.</summary>
    public double ErrorLimit { get; set; } = 0.05;

    /// <summary>Documents that people have to have looked at before anything is sure.</summary>
    public int LeastSamples { get; set; } = 20;
}

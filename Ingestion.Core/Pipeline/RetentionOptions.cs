namespace Ingestion.Core.Pipeline;

/// <summary>How many days details are kept after they ended; 0 keeps them for ever: section <c>Ingestion:Retention</c>.</summary>
public sealed class RetentionOptions
{
    public const string Section = "Ingestion:Retention";

    /// <summary>Events of batches. Half a year answers questions about a whole term or season; afterwards the counts stay.</summary>
    public int EventsDays { get; set; } = 180;

    /// <summary>Task runs of batches with their attempts and errors; as long as the events that tell of them.</summary>
    public int TaskRunsDays { get; set; } = 180;

    /// <summary>Who asked for what. Kept, because it is small and giving it up is a decision that nobody but the operator can take.</summary>
    public int AuditDays { get; set; }
}

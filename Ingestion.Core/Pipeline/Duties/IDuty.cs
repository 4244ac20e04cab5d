namespace Ingestion.Core.Pipeline.Duties;

/// <summary>
/// Something the product does by itself, again and again, once for all processes. Safe to run twice at once: a process that froze in its
/// turn may wake beside the one that took over.
/// </summary>
public interface IDuty
{
    /// <summary>Its name in logs, to the scheduler and in the database.</summary>
    string Name { get; }

    /// <summary>What it is for, in a sentence for whoever looks after the installation.</summary>
    string Purpose { get; }

    TimeSpan Interval { get; }

    Task RunAsync(DutyTurn turn, CancellationToken ct);
}

/// <summary>The right to run a duty now.</summary>
/// <param name="At">When it began, by the database's clock.</param>
/// <param name="Before">When the turn before it began; null for the first ever.</param>
public sealed record DutyTurn(DateTimeOffset At, DateTimeOffset? Before);

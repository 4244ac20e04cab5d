namespace Ingestion.Core.Pipeline.Verify;

/// <summary>Something that does not add up: what it is about (<c>item 12</c>) and a sentence on what is wrong with it.</summary>
public sealed record Violation(string Subject, string Sentence);

/// <summary>What one check found.</summary>
/// <param name="Invariant"><c>I1</c> to <c>I8</c>.</param>
/// <param name="Name">A word that scripts may rely on.</param>
/// <param name="Count">All violations, also those that are not listed.</param>
/// <param name="First">At most <see cref="VerifyReport.Listed"/> of them.</param>
public sealed record CheckResult(string Invariant, string Name, long Count, double Milliseconds, IReadOnlyList<Violation> First);

/// <summary>What a verification looked at and what it found.</summary>
/// <param name="At">The moment whose state was checked.</param>
/// <param name="Notes">Sentences on what is not wrong but worth knowing.</param>
/// <param name="Repairs">Sentences on what was repaired before this look; empty without repair.</param>
public sealed record VerifyReport(DateTimeOffset At, IReadOnlyList<CheckResult> Checks, IReadOnlyList<string> Notes, IReadOnlyList<string> Repairs)
{
    /// <summary>Violations listed by name for each check.</summary>
    public const int Listed = 20;

    public long Violations => Checks.Sum(c => c.Count);

    public bool Clean => Violations == 0;
}

/// <summary>How thorough a verification is.</summary>
/// <param name="Quick">Compares only the lengths of stored files; otherwise every byte is read and hashed.</param>
/// <param name="Repair">Mends first what can be mended without a decision, then looks again.</param>
/// <param name="Only">Mends what this check found and nothing else; null for everything.</param>
/// <param name="By">Who asks for the repair, for the audit log; null for whoever has the command line.</param>
public sealed record VerifyRequest(bool Quick = false, bool Repair = false, string? Only = null, Actor? By = null);

/// <summary>
/// One thing that must hold, as a query for the rows that break it: <c>subject</c> and <c>sentence</c>. It may use <c>@sweep</c>, the
/// time after which an expired lease must have been noticed.
/// </summary>
internal sealed record Check(string Invariant, string Name, string Sql);

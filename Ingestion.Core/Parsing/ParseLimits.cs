namespace Ingestion.Core.Parsing;

/// <summary>What one document may cost. Whoever exceeds it ends as <c>parse_timeout</c> or <c>limit_exceeded</c>.</summary>
/// <param name="Timeout">Wall-clock time of the parse itself, waiting for a free worker not counted.</param>
/// <param name="MaxMemoryBytes">Memory that a child process may hold for this document.</param>
/// <param name="MaxCharacters">Longest Markdown that is accepted, in UTF-16 units.</param>
public sealed record ParseLimits(TimeSpan Timeout, long MaxMemoryBytes, long MaxCharacters)
{
    /// <summary>300 s, 1 GiB and 50 million characters.</summary>
    public static ParseLimits Default { get; } = new(TimeSpan.FromSeconds(300), 1L << 30, 50_000_000);

    /// <summary>The largest file worth reading: no character set needs more than four bytes a character, and markup is not free.</summary>
    internal long MaxBytes => Math.Max(MaxCharacters, 1_000_000) * 4;
}

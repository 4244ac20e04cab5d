namespace Ingestion.Core.Sources;

/// <summary>A host as whoever uses it sees it.</summary>
/// <param name="Host">Host and port, lower case: <c>example.org:443</c>.</param>
/// <param name="Requests">In all, of the tenant.</param>
/// <param name="Bytes">Of the answers' bodies, unpacked.</param>
/// <param name="DefaultPerMinute">Requests a minute that the installation allows itself at any host; 0 for no limit.</param>
public sealed record HostView(string Host, long Requests, long Bytes, DateTimeOffset FirstAskedAt, DateTimeOffset LastAskedAt, int DefaultPerMinute)
{
    /// <summary>Of the last answer; null where none came.</summary>
    public int? LastStatus { get; init; }

    /// <summary>The code of the last request's failure; null where it had none.</summary>
    public string? LastProblem { get; init; }

    /// <summary>The host's own rate, in requests a minute; null where the default holds.</summary>
    public int? OwnPerMinute { get; init; }

    public DateTimeOffset? ChangedAt { get; init; }

    /// <summary>The account that changed the rate last, where it is one of the tenant.</summary>
    public string? ChangedBy { get; init; }

    /// <summary>The pause that robots.txt asks of crawls; null where no crawl of late was asked for one.</summary>
    public TimeSpan? CrawlDelay { get; init; }

    /// <summary>The host asked us to stay away until then; null where it did not, or that is over.</summary>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>Addresses that wait for a turn, at most <see cref="HostQueries.MostWaiting"/> of documents and as many of crawls.</summary>
    public int Waiting { get; init; }

    /// <summary>The rate in force; 0 for no limit.</summary>
    public int PerMinute => OwnPerMinute ?? DefaultPerMinute;

    /// <summary>The rule that keeps requests apart at the moment.</summary>
    public HostRule Binding => PausedUntil is not null ? HostRule.RetryAfter
        : CrawlDelay is { } delay && (PerMinute == 0 || delay > TimeSpan.FromMinutes(1) / PerMinute) ? HostRule.CrawlDelay
        : PerMinute > 0 ? HostRule.Rate
        : HostRule.Concurrency;
}

/// <summary>What was asked in one minute.</summary>
/// <param name="Failed">Requests that ended in a failure.</param>
public sealed record HostMinute(DateTimeOffset Minute, int Requests, long Bytes, int Failed);

/// <summary>How often requests waited by one rule within the last hour, and how long together.</summary>
public sealed record HostWait(HostRule Rule, int Waits, TimeSpan Waited);

/// <summary>A host with what was asked of it of late.</summary>
/// <param name="Minutes">The minutes of the last hour in which something was asked, newest first.</param>
/// <param name="Waits">Of the last hour, the longest first.</param>
/// <param name="Recent">The last requests, newest first, at most <see cref="HostLedger.Recent"/>.</param>
public sealed record HostDetails(HostView Host, IReadOnlyList<HostMinute> Minutes, IReadOnlyList<HostWait> Waits, IReadOnlyList<HostRequest> Recent);

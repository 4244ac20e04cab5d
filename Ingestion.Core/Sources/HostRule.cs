namespace Ingestion.Core.Sources;

/// <summary>By which rule a request to a host waits.</summary>
public enum HostRule
{
    /// <summary>So many requests a minute: the host's own rate, or the installation's.</summary>
    Rate,

    /// <summary>The site's robots.txt asks for a pause between requests.</summary>
    CrawlDelay,

    /// <summary>As many requests are in flight as are allowed at once.</summary>
    Concurrency,

    /// <summary>The host asked us to stay away for a while.</summary>
    RetryAfter,
}

/// <summary>The rules' words in rows and APIs.</summary>
public static class HostRules
{
    public static string Word(this HostRule rule) => rule switch
    {
        HostRule.Rate => "requests_per_minute",
        HostRule.CrawlDelay => "crawl_delay",
        HostRule.Concurrency => "concurrency",
        _ => "retry_after",
    };

    public static HostRule Parse(string word) => Enum.GetValues<HostRule>().Single(r => r.Word() == word);
}

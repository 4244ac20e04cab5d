using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Components.Pages.Sources;

/// <summary>What is said of hosts, in sentences.</summary>
internal static class HostWords
{
    /// <summary>The rule that binds now.</summary>
    public static string Rule(HostView host) => host.Binding switch
    {
        HostRule.RetryAfter => "It asked us to stay away for a while.",
        HostRule.CrawlDelay => $"Its robots.txt asks for {Format.Duration(host.CrawlDelay!.Value)} between requests.",
        HostRule.Rate => $"At most {Format.Count(host.PerMinute, "request")} a minute, {(host.OwnPerMinute is null ? "as every host" : "a rate of its own")}.",
        _ => "Only so many requests at once.",
    };

    public static string Rate(int perMinute) => perMinute == 0 ? "no limit" : $"{Format.Count(perMinute)} a minute";

    public static string Name(HostRule rule) => rule switch
    {
        HostRule.Rate => "Requests per minute",
        HostRule.CrawlDelay => "Pause that robots.txt asks for",
        HostRule.Concurrency => "Requests at once",
        _ => "The host asked us to stay away",
    };

    /// <summary>What came of the last request.</summary>
    public static string Answer(int? status, string? problem) => (status, problem) switch
    {
        ({ } code, null) => $"answered {code}",
        ({ } code, _) => $"answered {code}: {problem}",
        (null, { } code) => $"no answer: {code}",
        _ => "–",
    };
}

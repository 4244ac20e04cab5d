using System.Globalization;

namespace Ingestion.Core.Sources;

/// <summary>
/// What a site's robots.txt asks of this program: the groups that name it (or else those for all), of whose rules the longest match
/// decides, the allowing one where two are equally long. Pure: no lookup, no state.
/// </summary>
public sealed class RobotsRules
{
    /// <summary>More of the file is not read, in characters.</summary>
    public const int MaxLength = 512 * 1024;

    private const int MaxRules = 10_000;
    private readonly List<(string Pattern, bool Allow)> _rules = [];

    /// <summary>What a site without such a file asks: nothing.</summary>
    public static RobotsRules AllowAll { get; } = new();

    /// <summary>The pause between two requests; null where none is asked for.</summary>
    public TimeSpan? CrawlDelay { get; private set; }

    /// <summary>Addresses of sitemaps, as written; they belong to no group.</summary>
    public IReadOnlyList<string> Sitemaps { get; private set; } = [];

    /// <param name="product">The name of this program in its User-Agent header, without a version.</param>
    public static RobotsRules Parse(string text, string product)
    {
        var groups = new List<(List<string> Agents, List<(string, bool)> Rules, TimeSpan? Delay)>();
        var sitemaps = new List<string>();
        var naming = false;
        var count = 0;
        foreach (var line in (text.Length <= MaxLength ? text : text[..MaxLength]).EnumerateLines())
        {
            var content = line[..(line.IndexOf('#') is >= 0 and var hash ? hash : line.Length)].Trim().TrimStart('\uFEFF');
            if (content.IndexOf(':') is not (> 0 and var colon)) continue;
            var (name, value) = (content[..colon].Trim().ToString().ToLowerInvariant(), content[(colon + 1)..].Trim().ToString());
            switch (name)
            {
                case "user-agent":
                    if (!naming) groups.Add(([], [], null));
                    groups[^1].Agents.Add(value.ToLowerInvariant());
                    naming = true;
                    break;
                case "allow" or "disallow":
                    naming = false;
                    if (groups.Count > 0 && value.Length > 0 && count++ < MaxRules) groups[^1].Rules.Add((Normal(value), name == "allow"));
                    break;
                case "crawl-delay":
                    naming = false;
                    if (groups.Count > 0 && double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 86_400)
                        groups[^1] = groups[^1] with { Delay = TimeSpan.FromSeconds(seconds) };
                    break;
                case "sitemap" when value.Length > 0 && sitemaps.Count < 100:
                    sitemaps.Add(value);
                    break;
            }
        }
        var mine = groups.Where(g => g.Agents.Any(a => Names(a, product))).ToList();
        if (mine.Count == 0) mine = [.. groups.Where(g => g.Agents.Contains("*"))];
        var rules = new RobotsRules { Sitemaps = sitemaps, CrawlDelay = mine.Select(g => g.Delay).Where(d => d is not null).Max() };
        rules._rules.AddRange(mine.SelectMany(g => g.Rules));
        return rules;
    }

    /// <param name="pathAndQuery">As in the request: it begins with a slash.</param>
    public bool Allows(string pathAndQuery)
    {
        var path = Normal(pathAndQuery);
        if (path == "/robots.txt") return true;
        var (length, allowed) = (-1, true);
        foreach (var (pattern, allow) in _rules)
            if (pattern.Length >= length && Matches(pattern, path) && (pattern.Length > length || allow)) (length, allowed) = (pattern.Length, allow);
        return allowed;
    }

    private static bool Names(string agent, string product) => agent.Length > 0 && agent != "*" && agent.Split('/')[0].Trim() == product.ToLowerInvariant();

    // A star is anything, a dollar at the end the end; all else the beginning. A star that failed is tried again one further, and only the
    // last one: time is bounded by the product of both lengths.
    private static bool Matches(string pattern, string path)
    {
        var whole = pattern.EndsWith('$');
        var end = whole ? pattern.Length - 1 : pattern.Length;
        var (p, s, star, from) = (0, 0, -1, 0);
        while (true)
        {
            if (p == end)
            {
                if (!whole || s == path.Length) return true;
            }
            else if (pattern[p] == '*')
            {
                (star, from) = (p++, s);
                continue;
            }
            else if (s < path.Length && pattern[p] == path[s])
            {
                (p, s) = (p + 1, s + 1);
                continue;
            }
            if (star < 0 || from >= path.Length) return false;
            (p, s) = (star + 1, ++from);
        }
    }

    /// <summary>One spelling for both sides: escapes in capitals, and none where a letter would do.</summary>
    private static string Normal(string text) => CrawlUrl.Escapes(text);
}

namespace Ingestion.Core.Pipeline;

/// <summary>Gathers what will be refused, by reason, while a plan is made.</summary>
internal sealed class PlanRefusals
{
    private const int Examples = 5;
    private const int LongestExample = 160;
    private readonly Dictionary<(string Code, string Why), (long Count, List<string> Names)> _groups = [];

    public void Add(IngestionException refusal, string name)
    {
        var key = (refusal.Code.Code, refusal.Message);
        var (count, names) = _groups.TryGetValue(key, out var group) ? group : (0, []);
        if (names.Count < Examples) names.Add(name.Length <= LongestExample ? name : name[..LongestExample] + "…");
        _groups[key] = (count + 1, names);
    }

    public IReadOnlyList<PlanRefusal> ToList() =>
        [.. _groups.Select(g => new PlanRefusal(g.Key.Code, g.Key.Why, g.Value.Count, g.Value.Names)).OrderByDescending(r => r.Count).ThenBy(r => r.Code, StringComparer.Ordinal)];
}

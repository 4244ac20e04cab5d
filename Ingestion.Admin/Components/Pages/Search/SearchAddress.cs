using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Ingestion.Admin.Components.Pages.Search;

/// <summary>A search as the address says it: <c>q</c>, <c>collection</c> and any number of <c>meta.NAME=value</c>.</summary>
public sealed record SearchAddress(string Text, string? Collection, IReadOnlyDictionary<string, string> Filter)
{
    public const string FilterPrefix = "meta.";

    // As many as a person can look over; an address made by a machine must not become an endless condition.
    private const int MaxFilters = 20;

    public static SearchAddress Of(IEnumerable<KeyValuePair<string, StringValues>> query)
    {
        var values = query.GroupBy(p => p.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Last().Value.LastOrDefault() ?? "", StringComparer.Ordinal);
        var filter = values.Where(v => v.Key.StartsWith(FilterPrefix, StringComparison.Ordinal) && v.Key.Length > FilterPrefix.Length)
            .Take(MaxFilters).ToDictionary(v => v.Key[FilterPrefix.Length..], v => v.Value);
        return new(values.GetValueOrDefault("q", "").Trim(), values.GetValueOrDefault("collection") is { Length: > 0 } key ? key : null, filter);
    }

    public static SearchAddress Of(string uri) => Of(QueryHelpers.ParseQuery(new Uri(uri).Query));

    public SearchAddress With(string name, string value) => this with { Filter = new Dictionary<string, string>(Filter) { [name] = value } };

    public SearchAddress Without(string name) => this with { Filter = Filter.Where(f => f.Key != name).ToDictionary() };

    public override string ToString()
    {
        var parts = new List<KeyValuePair<string, string?>>();
        if (Text.Length > 0) parts.Add(new("q", Text));
        if (Collection is not null) parts.Add(new("collection", Collection));
        parts.AddRange(Filter.Select(f => KeyValuePair.Create(FilterPrefix + f.Key, (string?)f.Value)));
        return QueryHelpers.AddQueryString("/search", parts);
    }
}

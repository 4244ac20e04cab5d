using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>Which documents of a list a person picked: some by hand, or everything that the filter matches but for some.</summary>
public sealed class ItemSelection
{
    private readonly HashSet<long> _named = [];

    /// <summary>True where everything that matches is meant, except the named ones.</summary>
    public bool Everything { get; private set; }

    public bool Contains(long item) => _named.Contains(item) != Everything;

    /// <param name="matching">How many documents match the filter.</param>
    public int Count(int matching) => Everything ? Math.Max(0, matching - _named.Count) : _named.Count;

    public void Set(long item, bool picked)
    {
        if (picked != Everything) _named.Add(item);
        else _named.Remove(item);
    }

    public void All(bool picked)
    {
        _named.Clear();
        Everything = picked;
    }

    /// <summary>The ids of what is meant now.</summary>
    public async Task<IReadOnlyList<long>> IdsAsync(BatchQueries batches, Scope scope, long batch, ItemFilter filter) =>
        Everything ? [.. (await batches.ItemIdsAsync(scope, batch, filter, CancellationToken.None)).Where(i => !_named.Contains(i))] : [.. _named];
}

namespace Ingestion.Core.Indexing;

/// <summary>Joins ranked lists whose scores cannot be compared: reciprocal rank fusion. Each list gives an id 1 / (60 + rank), rank from 1.</summary>
public static class RankFusion
{
    /// <summary>How much the very first ranks stand out: the larger, the flatter. 60 is the value of the original publication.</summary>
    public const int Flatness = 60;

    /// <summary>
    /// Every id of any list, best first. Equal scores keep the order of first appearance, list by list. An id that a list repeats counts there once, at its best rank.
    /// </summary>
    public static IReadOnlyList<Fused<T>> Fuse<T>(params ReadOnlySpan<IReadOnlyList<T>> lists) where T : notnull
    {
        var scores = new Dictionary<T, double>();
        var order = new List<T>();
        foreach (var list in lists)
        {
            var seen = new HashSet<T>();
            for (var i = 0; i < list.Count; i++)
            {
                if (!seen.Add(list[i])) continue;
                if (!scores.TryGetValue(list[i], out var score)) order.Add(list[i]);
                scores[list[i]] = score + 1.0 / (Flatness + i + 1);
            }
        }
        // OrderByDescending is stable, which is what keeps equal scores in order of appearance.
        return [.. order.Select(id => new Fused<T>(id, scores[id])).OrderByDescending(f => f.Score)];
    }
}

/// <param name="Score">Sum of 1 / (60 + rank) over the lists; only its order means something.</param>
public readonly record struct Fused<T>(T Id, double Score);

using Ingestion.Core.Access;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Components.Pages.Reviews;

/// <summary>People as reviewers read them; an id that is nobody's stays an id.</summary>
public sealed class ReviewerNames(Members members)
{
    private readonly Dictionary<string, string> _names = [];

    /// <summary>Learns the names of everybody who has to do with these reviews.</summary>
    public Task LearnAsync(IEnumerable<ReviewRow> reviews, CancellationToken ct) => LearnAsync(reviews.SelectMany(r => new[] { r.AssignedTo, r.DecidedBy, r.Unsure?.By }), ct);

    public async Task LearnAsync(IEnumerable<string?> ids, CancellationToken ct)
    {
        var unknown = ids.OfType<string>().Where(id => !_names.ContainsKey(id)).Distinct().ToList();
        if (unknown.Count == 0) return;
        foreach (var id in unknown) _names[id] = id;
        foreach (var (id, name) in await members.NamesAsync(unknown, ct)) _names[id] = name;
    }

    public string Of(string? id) => id is null ? "" : _names.GetValueOrDefault(id, id);
}

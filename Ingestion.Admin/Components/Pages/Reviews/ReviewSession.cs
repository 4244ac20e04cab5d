namespace Ingestion.Admin.Components.Pages.Reviews;

/// <summary>A decision that this window made and can take back.</summary>
/// <param name="Version">The review's fence after it.</param>
/// <param name="What">As a sentence goes on: <c>Approved</c>.</param>
public sealed record MadeDecision(long Review, int Version, string Name, string What);

/// <summary>What one window remembers of its reviewing: what it decided, last one first, and where it was.</summary>
public sealed class ReviewSession
{
    private readonly List<MadeDecision> _made = [];

    /// <summary>The decision that taking back means; null where there is none.</summary>
    public MadeDecision? Last => _made.Count > 0 ? _made[^1] : null;

    /// <summary>The review that was open last, and how to get back to it; null before the first.</summary>
    public (long Review, string Name, string Address)? Place { get; set; }

    public void Made(MadeDecision decision) => _made.Add(decision);

    /// <summary>Forgets the last decision: it was taken back, or cannot be any more.</summary>
    /// <param name="version">The review's fence since then; what was decided on it before stands on that now.</param>
    public void Forget(int? version)
    {
        if (Last is not { } last) return;
        _made.RemoveAt(_made.Count - 1);
        if (version is not { } now) return;
        var before = _made.FindLastIndex(d => d.Review == last.Review);
        if (before >= 0) _made[before] = _made[before] with { Version = now };
    }
}

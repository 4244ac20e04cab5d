using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Components.Pages.Reviews;

/// <summary>A decision that somebody wants to make on the review before them.</summary>
/// <param name="Verb">As a button says it: <c>Approve</c>.</param>
/// <param name="Past">What is said when it is done: <c>Approved</c>.</param>
/// <param name="Leaves">True where the next review is to be opened afterwards.</param>
/// <param name="Make">Makes it, on a review as it was seen.</param>
public sealed record WantedDecision(string Verb, string Past, bool Leaves, Func<ReviewDesk, Actor, long, int, Task<ReviewResult>> Make)
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static WantedDecision Approve { get; } = new("Approve", "Approved", true, (desk, actor, review, seen) => desk.ApproveAsync(actor, review, seen, None));

    public static WantedDecision Reject(string reason) => new("Reject", "Rejected", true, (desk, actor, review, seen) => desk.RejectAsync(actor with { Reason = reason }, review, seen, None));

    public static WantedDecision Unsure(string? reason) => new("Mark as unsure", "Marked as unsure", true, (desk, actor, review, seen) => desk.UnsureAsync(actor with { Reason = reason }, review, seen, None));

    public static WantedDecision SendBack(Stage to) => new($"Send back to {to.Word()}", $"Sent back to {to.Word()}", true, (desk, actor, review, seen) => desk.SendBackAsync(actor, review, seen, to, None));

    public static WantedDecision Pick(string field, string key, string name) => new($"Choose {name}", $"{field} is {name}", false, (desk, actor, review, seen) => desk.PickAsync(actor, review, seen, field, key, None));

    public static WantedDecision NewEntity(string field, ReferenceEntity entity) => new($"Make {entity.Name}", $"{field} is {entity.Name}", false, (desk, actor, review, seen) => desk.NewEntityAsync(actor, review, seen, field, entity, None));

    public static WantedDecision Merge(string field, string from, string into) => new("Merge the two", "Merged", false, (desk, actor, review, seen) => desk.MergeAsync(actor, review, seen, field, from, into, None));

    public static WantedDecision Split(string field, string from, IReadOnlyList<string> spellings, string key, string name) =>
        new($"Split {name} off", $"{field} is {name}", false, (desk, actor, review, seen) => desk.SplitAsync(actor, review, seen, field, from, spellings, key, name, None));
}

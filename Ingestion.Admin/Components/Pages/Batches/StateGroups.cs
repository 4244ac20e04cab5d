using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>The filters over the list, by the word in the URL.</summary>
/// <param name="Word">The value of <c>?state=</c>; empty for all.</param>
public sealed record StateGroup(string Word, string Label, IReadOnlyList<BatchState> States, bool Drafts = false)
{
    public static readonly IReadOnlyList<StateGroup> All =
    [
        new("", "All", []),
        new("running", "Running", [BatchState.Queued, BatchState.Running, BatchState.Retrying]),
        new("pending", "Not started", [BatchState.Pending]),
        new("paused", "Paused", [BatchState.Paused]),
        new("completed", "Completed", [BatchState.Completed]),
        new("failed", "Failed", [BatchState.Failed]),
        new("cancelled", "Cancelled", [BatchState.Cancelled]),
        new("drafts", "Drafts", [], Drafts: true),
    ];

    /// <summary>The group of a word; all where it is not known.</summary>
    public static StateGroup Of(string? word) => All.FirstOrDefault(g => g.Word == word) ?? All[0];
}

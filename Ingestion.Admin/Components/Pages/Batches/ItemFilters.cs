using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>What the list of items can be narrowed to, by the word in the URL: states that ended, and stages of those still open.</summary>
/// <param name="Word">The value of <c>?show=</c>; empty for all.</param>
public sealed record ItemGroup(string Word, string Label, ItemState? State = null, Stage? Stage = null)
{
    public static readonly IReadOnlyList<ItemGroup> All =
    [
        new("", "All"),
        new("acquire", "To download", Stage: Core.Pipeline.Stage.Acquire),
        new("parse", "To parse", Stage: Core.Pipeline.Stage.Parse),
        new("embed", "To embed", Stage: Core.Pipeline.Stage.Embed),
        new("index", "To publish", Stage: Core.Pipeline.Stage.Index),
        new("done", "Published", ItemState.Done),
        new("skipped", "Skipped", ItemState.Skipped),
        new("failed", "Failed", ItemState.Failed),
        new("cancelled", "Cancelled", ItemState.Cancelled),
    ];

    /// <summary>The group of a word; all where it is not known.</summary>
    public static ItemGroup Of(string? word) => All.FirstOrDefault(g => g.Word == word) ?? All[0];

    public ItemFilter Filter => new() { States = State is { } state ? [state] : null, Stage = Stage };
}

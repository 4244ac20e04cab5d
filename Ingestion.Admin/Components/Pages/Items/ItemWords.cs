using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Items;

/// <summary>What items, stages and facts are called on pages.</summary>
internal static class ItemWords
{
    /// <summary>The word for the badge: an open item shows what its task does.</summary>
    public static string State(ItemView item) => item.State == ItemState.Open ? (item.TaskState ?? TaskState.Ready).Word() : item.State.Word();

    /// <summary>A stage as a person calls it.</summary>
    public static string Name(this Stage stage) => stage switch
    {
        Stage.Discover => "Discover",
        Stage.Acquire => "Acquire",
        Stage.Parse => "Parse",
        Stage.Resolve => "Resolve",
        Stage.Review => "Review",
        Stage.Embed => "Embed",
        _ => "Publish",
    };

    /// <summary>What it does right now.</summary>
    public static string Name(this ItemStep step) => step switch
    {
        ItemStep.Pending => "Waiting",
        ItemStep.Accessing => "Opening the source",
        ItemStep.Downloading => "Downloading",
        ItemStep.Parsing => "Reading the document",
        ItemStep.Chunking => "Cutting it into chunks",
        ItemStep.Embedding => "Computing vectors",
        ItemStep.Storing => "Storing and publishing",
        ItemStep.Reviewing => "Waiting for a person",
        _ => "Finished",
    };

    public static string Source(string type) => type switch
    {
        SourceTypes.Upload => "Uploaded file",
        SourceTypes.Url => "Address",
        SourceTypes.Manifest => "Manifest",
        _ => type,
    };
}

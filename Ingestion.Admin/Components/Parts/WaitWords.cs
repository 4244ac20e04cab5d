using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Parts;

/// <summary>Why a whole batch stands still, where there is no room for more.</summary>
public static class WaitWords
{
    /// <summary>Null where it does not.</summary>
    public static string? Of(BatchView batch) => batch switch
    {
        { Cancelling: true } => "The batch is being cancelled.",
        { Draft: true } => "The batch is still being put together.",
        { State: BatchState.Pending } => "The batch has not been started.",
        { State: BatchState.Paused } => "The batch is paused.",
        { State: BatchState.Queued } => "The batch waits for its turn among the active ones.",
        _ => null,
    };
}

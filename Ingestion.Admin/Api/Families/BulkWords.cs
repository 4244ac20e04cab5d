using Ingestion.Admin.Api.Live;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>The words of <c>/ingest</c>: what a job and a document are called there, and how far a document is.</summary>
internal static class BulkWords
{
    public static string Document(ItemView i) => i.State switch
    {
        ItemState.Done => "COMPLETED",
        ItemState.Skipped => "SKIPPED",
        ItemState.Failed or ItemState.Rejected => "FAILED",
        ItemState.Cancelled => "CANCELLED",
        _ when i.TaskState == TaskState.Blocked => "REVIEW",
        _ => InStage(i.Stage, i.TaskState == TaskState.Running || i.Failures > 0),
    };

    /// <summary>What a fact makes of its document; null where it says nothing of one.</summary>
    public static string? Document(StoredEvent e) => e.Kind switch
    {
        _ when e.ItemId is null => null,
        EventKinds.ItemDone => "COMPLETED",
        EventKinds.ItemSkipped => "SKIPPED",
        EventKinds.ItemFailed => "FAILED",
        EventKinds.ItemCancelled => "CANCELLED",
        EventKinds.ReviewRequested => "REVIEW",
        // Whatever stage is done, the document is here now.
        EventKinds.StageDone => "INGESTING",
        _ => e.Stage is null ? null : InStage(StateWords.Parse<Stage>(e.Stage), begun: e.Kind != EventKinds.ItemRetried),
    };

    /// <summary>How the job's fetching stands.</summary>
    public static string Download(BatchView b) => b.Counts switch
    {
        { Total: 0 } when !b.State.IsFinal() => "pending",
        var c when c.Acquired >= c.Total => "completed",
        _ when b.State is BatchState.Pending or BatchState.Queued => "pending",
        _ when b.State == BatchState.Paused => "paused",
        _ => "running",
    };

    /// <summary>0 to 100: an upload is here, and what ended has nothing left to fetch.</summary>
    public static int DownloadPercent(ItemView i)
    {
        if (i.State != ItemState.Open || i.Stage != Stage.Acquire || i.SourceType == SourceTypes.Upload) return 100;
        return i.TaskState == TaskState.Running && i.ShownStep == ItemStep.Downloading ? Part(i, 99) : 0;
    }

    /// <summary>0 to 100 over parsing, embedding and indexing; what ended is at its end.</summary>
    public static int IngestionPercent(ItemView i)
    {
        if (i.State != ItemState.Open) return 100;
        var (from, length) = i.Stage switch
        {
            Stage.Parse => i.ShownStep == ItemStep.Chunking ? (25, 8) : (0, 25),
            Stage.Resolve or Stage.Review => (33, 0),
            Stage.Embed => (33, 50),
            Stage.Index => (83, 16),
            _ => (0, 0),
        };
        return from + (i.TaskState == TaskState.Running ? Part(i, length) : 0);
    }

    private static string InStage(Stage stage, bool begun) => stage is Stage.Acquire or Stage.Discover ? begun ? "DOWNLOADING" : "PENDING" : "INGESTING";

    private static int Part(ItemView i, int whole) => i.ProgressTotal is > 0 and var total ? (int)(whole * Math.Min(1, (double)i.ProgressCurrent / total)) : 0;
}

/// <summary>The stream's words: <c>document</c> for a fact of a document, <c>job</c> for one of the job, <c>progress</c> for the state.</summary>
internal sealed class BulkStreamWords : LiveDialect
{
    public override int Index => 1;

    public override byte[] Fact(StoredEvent e) => BulkWords.Document(e) is { } status
        ? BatchStream.Message("document", e.Seq, BulkAnswers.Document(e, status))
        : BatchStream.Message("job", e.Seq, BulkAnswers.Job(e));

    public override byte[] State(LiveState state) => BatchStream.Message("progress", null, BulkAnswers.Progress(state.Batch));
}

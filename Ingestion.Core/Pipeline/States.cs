namespace Ingestion.Core.Pipeline;

/// <summary>The word a batch is in. Drawn in docs/states.md.</summary>
public enum BatchState
{
    /// <summary>Created, not started: a draft, or a batch whose client starts it by itself.</summary>
    Pending,
    /// <summary>Started, nothing claimed yet, or waiting for a place among the active batches.</summary>
    Queued,
    /// <summary>At least one task has been claimed.</summary>
    Running,
    /// <summary>Nothing new is claimed until somebody resumes it.</summary>
    Paused,
    /// <summary>Nothing but review is left, and at least one item is done or skipped (or none was found).</summary>
    Completed,
    /// <summary>Every item failed, or discovery failed and found nothing.</summary>
    Failed,
    /// <summary>A person ended it.</summary>
    Cancelled,
    /// <summary>Running again after an end, because somebody asked for a retry.</summary>
    Retrying,
}

/// <summary>What people asked of a batch; the pipeline follows. Written alone, before any task is moved.</summary>
public enum DesiredState { Run, Pause, Cancel }

/// <summary>The word an item is in. Everything but <see cref="Open"/> is final until somebody retries it.</summary>
public enum ItemState
{
    /// <summary>On its way; exactly one task of it is not final.</summary>
    Open,
    /// <summary>Published and searchable.</summary>
    Done,
    /// <summary>The collection already holds this content.</summary>
    Skipped,
    /// <summary>Ended with an error; see its code.</summary>
    Failed,
    /// <summary>A reviewer said no.</summary>
    Rejected,
    /// <summary>It, or its whole batch, was cancelled before it ended.</summary>
    Cancelled,
}

/// <summary>The word a task run is in. The last three are final and never change again.</summary>
public enum TaskState
{
    /// <summary>May be claimed once <c>scheduled_at</c> has come and no limit is in the way.</summary>
    Ready,
    /// <summary>Held by a worker under a lease.</summary>
    Running,
    /// <summary>Waits for a person.</summary>
    Blocked,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>The stages in their order; the names are what the database stores, in lower case.</summary>
public enum Stage { Discover, Acquire, Parse, Resolve, Review, Embed, Index }

/// <summary>Higher is sooner. Ageing makes sure that lower still comes.</summary>
public enum Priority { Low, Normal, High, Urgent }

/// <summary>Finer than the stage: what a person sees while a task runs.</summary>
public enum ItemStep { Pending, Accessing, Downloading, Parsing, Chunking, Embedding, Storing, Reviewing, Finished }

/// <summary>Which stage follows which, and what a stage's items show when nothing finer is reported.</summary>
public static class StageOrder
{
    /// <summary>The stages every batch has a job for. Most documents pass from parse to embed at once: see <see cref="StageOutcome.Done.Next"/>.</summary>
    public static IReadOnlyList<Stage> All { get; } = Enum.GetValues<Stage>();

    /// <summary>The stages that workers serve. Review is people's: its tasks are opened blocked and never claimed.</summary>
    public static IReadOnlyList<Stage> Standard { get; } = [Stage.Discover, Stage.Acquire, Stage.Parse, Stage.Resolve, Stage.Embed, Stage.Index];

    /// <summary>The stage an item enters when this one is done and says nothing else; null after the last.</summary>
    public static Stage? After(Stage stage) => stage switch
    {
        Stage.Acquire => Stage.Parse,
        Stage.Parse => Stage.Embed,
        Stage.Resolve or Stage.Review => Stage.Embed,
        Stage.Embed => Stage.Index,
        _ => null,
    };

    public static ItemStep FirstStep(Stage stage) => stage switch
    {
        Stage.Acquire => ItemStep.Accessing,
        Stage.Parse or Stage.Resolve => ItemStep.Parsing,
        Stage.Review => ItemStep.Reviewing,
        Stage.Embed => ItemStep.Embedding,
        Stage.Index => ItemStep.Storing,
        _ => ItemStep.Pending,
    };
}

public static class StateWords
{
    /// <summary>The stored word of a state: its name in snake case.</summary>
    public static string Word<T>(this T value) where T : struct, Enum => EnumWords<T>.ToWord[value];

    public static T Parse<T>(string word) where T : struct, Enum => EnumWords<T>.FromWord[word];

    public static bool IsFinal(this BatchState s) => s is BatchState.Completed or BatchState.Failed or BatchState.Cancelled;

    public static bool IsFinal(this TaskState s) => s is TaskState.Succeeded or TaskState.Failed or TaskState.Cancelled;

    private static class EnumWords<T> where T : struct, Enum
    {
        public static readonly Dictionary<T, string> ToWord = Enum.GetValues<T>().ToDictionary(v => v, v => v.ToString().ToLowerInvariant());
        public static readonly Dictionary<string, T> FromWord = ToWord.ToDictionary(p => p.Value, p => p.Key);
    }
}

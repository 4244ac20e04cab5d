using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What <c>/v1/admin/bulk-import</c> calls things: a batch has jobs, one for each kind of work, and tasks, one for each document and listing.</summary>
internal static class ImportWords
{
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Paused = "paused";
    public const string Retryable = "retryable";
    public const string Blocked = "blocked";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    public static IReadOnlyList<string> BatchStatuses { get; } = [Pending, Running, Paused, Succeeded, Failed, Cancelled];

    public static IReadOnlyList<string> TaskStatuses { get; } = [Pending, Running, Retryable, Blocked, Succeeded, Failed, Cancelled];

    /// <summary>Kinds of work in the order of a document's way, each with its stages.</summary>
    public static IReadOnlyList<(string Type, Stage[] Stages)> Jobs { get; } =
    [
        ("MANIFEST_INGEST", [Stage.Discover]),
        ("SCRAPE", [Stage.Acquire, Stage.Parse]),
        ("ENTITY_RESOLUTION", [Stage.Resolve]),
        ("REVIEW_PREP", [Stage.Review]),
        ("ENRICH", [Stage.Embed, Stage.Index]),
    ];

    public static string Of(BatchState state) => state switch
    {
        BatchState.Pending or BatchState.Queued => Pending,
        BatchState.Running or BatchState.Retrying => Running,
        BatchState.Paused => Paused,
        BatchState.Completed => Succeeded,
        BatchState.Failed => Failed,
        _ => Cancelled,
    };

    public static string Of(ItemStanding standing) => standing switch
    {
        ItemStanding.Waiting or ItemStanding.Between => Pending,
        ItemStanding.Running => Running,
        ItemStanding.Retrying => Retryable,
        ItemStanding.Blocked => Blocked,
        ItemStanding.Done or ItemStanding.Skipped => Succeeded,
        ItemStanding.Failed => Failed,
        _ => Cancelled,
    };

    public static string Of(TaskState state, bool again) => state switch
    {
        TaskState.Ready => again ? Retryable : Pending,
        TaskState.Running => Running,
        TaskState.Blocked => Blocked,
        TaskState.Succeeded => Succeeded,
        TaskState.Failed => Failed,
        _ => Cancelled,
    };

    /// <summary>The status of a job by those of its tasks: what moves decides, then what waits, then how they ended.</summary>
    public static string OfJob(IReadOnlyDictionary<string, int> tasks) =>
        tasks.ContainsKey(Running) || (tasks.ContainsKey(Pending) && tasks.Keys.Any(w => w is Succeeded or Failed or Cancelled)) ? Running
        : tasks.ContainsKey(Pending) ? Pending
        : tasks.ContainsKey(Retryable) ? Retryable
        : tasks.ContainsKey(Blocked) ? Blocked
        : tasks.ContainsKey(Succeeded) ? Succeeded
        : tasks.ContainsKey(Failed) ? Failed
        : Cancelled;

    public static string JobOf(Stage stage) => Jobs.First(j => j.Stages.Contains(stage)).Type;

    /// <summary>Throws <c>invalid_option</c> for a word that is none.</summary>
    public static IReadOnlyList<BatchState> Batches(string word) => States<BatchState>(word, Of, BatchStatuses);

    /// <inheritdoc cref="Batches"/>
    public static IReadOnlyList<ItemStanding> Tasks(string word) => States<ItemStanding>(word, Of, TaskStatuses);

    /// <summary>The stages of a job type; throws <c>invalid_option</c> for a word that is none.</summary>
    public static IReadOnlyList<Stage> Stages(string type) => Jobs.FirstOrDefault(j => j.Type == type).Stages
        ?? throw new IngestionException(ErrorCodes.InvalidOption, $"job_type must be one of {string.Join(", ", Jobs.Select(j => j.Type))}.");

    private static List<T> States<T>(string word, Func<T, string> of, IReadOnlyList<string> known) where T : struct, Enum =>
        Enum.GetValues<T>().Where(s => of(s) == word).ToList() is { Count: > 0 } states
            ? states
            : throw new IngestionException(ErrorCodes.InvalidOption, $"status must be one of {string.Join(", ", known)}.");
}

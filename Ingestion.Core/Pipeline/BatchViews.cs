namespace Ingestion.Core.Pipeline;

/// <summary>Rows of a longer list, and how long it is.</summary>
public sealed record Page<T>(IReadOnlyList<T> Rows, int Total);

public sealed record BatchFilter
{
    public IReadOnlyList<BatchState>? States { get; init; }
    /// <summary>Part of the name, or a whole public id.</summary>
    public string? Text { get; init; }
    public string? Collection { get; init; }
    /// <summary>These and no others: rows that a reader already looks at.</summary>
    public IReadOnlyList<long>? Ids { get; init; }
    /// <summary>Only batches of this person's.</summary>
    public string? CreatedBy { get; init; }
    public bool Drafts { get; init; }
}

public sealed record ItemFilter
{
    public IReadOnlyList<ItemState>? States { get; init; }
    /// <summary>Open items at this stage.</summary>
    public Stage? Stage { get; init; }
    public string? ErrorCode { get; init; }
    /// <summary>The host of the address, as <see cref="FailureGroup.Host"/> says it; empty for what has no address.</summary>
    public string? Host { get; init; }
    /// <summary>Of the error message, as <see cref="FailureGroup.Fingerprint"/> says it.</summary>
    public string? Fingerprint { get; init; }
    /// <summary>Part of the name or of the source key.</summary>
    public string? Text { get; init; }
}

/// <summary>A batch as pages and APIs show it.</summary>
public sealed record BatchView
{
    public long Id { get; init; }
    public required string PublicId { get; init; }
    /// <summary>Another name of the batch, for clients that want a UUID.</summary>
    public Guid Uuid { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }
    public required string CollectionKey { get; init; }
    public required string CollectionName { get; init; }
    public BatchState State { get; init; }
    public DesiredState DesiredState { get; init; }
    public bool Draft { get; init; }
    public Priority Priority { get; init; }
    /// <summary><see cref="ProcessingOptions"/> as JSON.</summary>
    public required string Options { get; init; }
    public required string CreatedBy { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    public string? Message { get; init; }
    public string? FinalCounts { get; init; }
    public BatchCounts Counts { get; init; } = BatchCounts.None;

    /// <summary>A cancel is asked for and not yet carried out.</summary>
    public bool Cancelling => DesiredState == DesiredState.Cancel && !State.IsFinal();
}

/// <summary>An item with its newest task, as pages and APIs show it.</summary>
public sealed record ItemView
{
    public long Id { get; init; }
    public long BatchId { get; init; }
    /// <summary>The input that it came with; null for an upload.</summary>
    public long? InputId { get; init; }
    /// <summary>The readable key of its connection; null where it needs none.</summary>
    public string? ConnectionId { get; init; }
    public required string SourceType { get; init; }
    public required string SourceKey { get; init; }
    public int Row { get; init; }
    public required string Name { get; init; }
    /// <summary>A JSON object of strings.</summary>
    public required string Metadata { get; init; }
    public long? Size { get; init; }
    public ItemState State { get; init; }
    public Stage Stage { get; init; }
    public ItemStep Step { get; init; }
    public int ProgressCurrent { get; init; }
    public int? ProgressTotal { get; init; }
    public string? ProgressMessage { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
    public string? ErrorDetails { get; init; }
    public long? SourceVersionId { get; init; }
    public long? DocumentVersionId { get; init; }
    public int? ChunkCount { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? CompletedAt { get; init; }
    /// <summary>The document's title once parsed.</summary>
    public string? Title { get; init; }
    public TaskState? TaskState { get; init; }
    public string? WaitReason { get; init; }
    public DateTimeOffset? ScheduledAt { get; init; }
    /// <summary>Claims of the newest task so far.</summary>
    public int Attempt { get; init; }
    public int Failures { get; init; }
    public int Crashes { get; init; }

    /// <summary>What a person sees it doing: the reported step, or the stage's first while nothing finer was reported.</summary>
    public ItemStep ShownStep => State != ItemState.Open ? ItemStep.Finished
        : TaskState != Pipeline.TaskState.Running ? ItemStep.Pending
        : Step == ItemStep.Pending ? StageOrder.FirstStep(Stage) : Step;
}

public sealed record TaskRunView(
    long Id, Stage Stage, TaskState State, int Attempt, int Failures, int Crashes, DateTimeOffset ScheduledAt, string? WaitReason,
    DateTimeOffset CreatedAt, DateTimeOffset? ClaimedAt, DateTimeOffset? FinishedAt, string? ErrorCode, string? ErrorMessage);

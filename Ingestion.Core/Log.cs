using Microsoft.Extensions.Logging;

namespace Ingestion.Core;

/// <summary>Every log line of the pipeline, in one place. No document text and no secret ever appears in one.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Warning, "{Count} batch hints were not sent, watchers poll: {Reason}")]
    public static partial void HintsNotSent(this ILogger log, int count, string reason);

    [LoggerMessage(LogLevel.Warning, "The listening connection is lost, polling meanwhile: {Reason}")]
    public static partial void ListenerLost(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Debug, "Listening for hints")]
    public static partial void ListenerConnected(this ILogger log);

    [LoggerMessage(LogLevel.Warning, "Claiming for {Stage} failed, trying again: {Reason}")]
    public static partial void ClaimFailed(this ILogger log, string stage, string reason);

    [LoggerMessage(LogLevel.Warning, "Task {Task} attempt {Attempt} lost its lease; nothing of it is written")]
    public static partial void LeaseLost(this ILogger log, long task, int attempt);

    [LoggerMessage(LogLevel.Debug, "Task {Task} was cancelled during attempt {Attempt}; nothing of it is written")]
    public static partial void CancelledUnderWay(this ILogger log, long task, int attempt);

    [LoggerMessage(LogLevel.Information, "Task {Task} ({Stage}) attempt {Attempt} failed with {Code}: {Message}")]
    public static partial void AttemptFailed(this ILogger log, long task, string stage, int attempt, string code, string message);

    [LoggerMessage(LogLevel.Error, "Task {Task} ({Stage}) met a fault of ours")]
    public static partial void TaskFault(this ILogger log, Exception e, long task, string stage);

    [LoggerMessage(LogLevel.Error, "Task {Task} ({Stage}) could not be settled; its lease will run out and it is tried again")]
    public static partial void SettleFailed(this ILogger log, Exception e, long task, string stage);

    [LoggerMessage(LogLevel.Information, "{Count} tasks of batch {Batch} could not be settled together and are settled one by one: {Reason}")]
    public static partial void SettledApart(this ILogger log, int count, long batch, string reason);

    [LoggerMessage(LogLevel.Warning, "What follows task {Task} ({Stage}) failed; a sweep does it again: {Reason}")]
    public static partial void AfterFailed(this ILogger log, long task, string stage, string reason);

    [LoggerMessage(LogLevel.Warning, "Batch {Batch} was submitted but not yet activated; a sweep does it: {Reason}")]
    public static partial void ActivationLate(this ILogger log, long batch, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} tasks were taken back from workers that did not answer")]
    public static partial void Rescued(this ILogger log, int count);

    [LoggerMessage(LogLevel.Information, "{Count} tasks released at stop")]
    public static partial void Released(this ILogger log, int count);

    [LoggerMessage(LogLevel.Warning, "Renewing leases failed: {Reason}")]
    public static partial void RenewFailed(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Warning, "{Duty} failed and is tried again: {Reason}")]
    public static partial void DutyFailed(this ILogger log, string duty, string reason);

    [LoggerMessage(LogLevel.Information, "Batch {Batch} is {State}")]
    public static partial void BatchState(this ILogger log, long batch, string state);

    [LoggerMessage(LogLevel.Information, "Batch {Batch} of {Tenant} ended {State}: descriptors_listed={DescriptorsListed} items_fetched={ItemsFetched} items_skipped_incremental={ItemsSkippedIncremental} items_ingested={ItemsIngested} items_failed={ItemsFailed}")]
    public static partial void BatchSummary(
        this ILogger log, string batch, string tenant, string state, int descriptorsListed, int itemsFetched, int itemsSkippedIncremental, int itemsIngested, int itemsFailed);

    [LoggerMessage(LogLevel.Warning, "This process could not say that it lives, and says it again: {Reason}")]
    public static partial void BeatFailed(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Warning, "The {Processes} running processes may open {Asked} database connections together; the server allows {Allowed}. Lower Ingestion:Database:WorkerPoolSize or WebPoolSize, or raise max_connections")]
    public static partial void PoolsTooLarge(this ILogger log, int processes, int asked, int allowed);

    [LoggerMessage(LogLevel.Warning, "A transaction of {Login} ({Application}, server process {Pid}) has been open for {Seconds} s and is {State}: tables cannot be cleaned while it is")]
    public static partial void OldTransaction(this ILogger log, int pid, string login, string application, long seconds, string state);

    [LoggerMessage(LogLevel.Information, "Batch {Batch}, {SourceType} {Connection}: descriptors_listed={Listed} items_skipped_incremental={Skipped} items_wanted={Wanted}")]
    public static partial void SourceListed(this ILogger log, long batch, string sourceType, string connection, int listed, int skipped, int wanted);

    [LoggerMessage(LogLevel.Warning, "Webhooks that are due could not be taken up, trying again: {Reason}")]
    public static partial void WebhooksNotClaimed(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Information, "Webhook {Delivery} to {Endpoint}, attempt {Attempt}, is {What}: {Reason}")]
    public static partial void WebhookFailed(this ILogger log, string delivery, string endpoint, int attempt, string reason, string what);

    [LoggerMessage(LogLevel.Warning, "Webhook {Delivery} was sent, but that could not be written down; it is sent again: {Reason}")]
    public static partial void WebhookNotSettled(this ILogger log, string delivery, string reason);

    [LoggerMessage(LogLevel.Warning, "What metrics tell of the database could not be read: {Reason}")]
    public static partial void GaugesNotRead(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Debug, "Task {Task} ({Stage}) begins attempt {Attempt} at item {Item} of batch {Batch}")]
    public static partial void AttemptBegins(this ILogger log, long task, string stage, int attempt, long? item, long batch);

    [LoggerMessage(LogLevel.Debug, "Task {Task} ({Stage}) attempt {Attempt} ended {Outcome} after {Milliseconds} ms")]
    public static partial void AttemptEnds(this ILogger log, long task, string stage, int attempt, string outcome, long milliseconds);

    [LoggerMessage(LogLevel.Information, "Removed what retention no longer keeps: {Events} events, {TaskRuns} task runs, {Audit} audit entries")]
    public static partial void Pruned(this ILogger log, long events, long taskRuns, long audit);

    [LoggerMessage(LogLevel.Warning, "What was asked of hosts could not be written down, and is written with the next: {Reason}")]
    public static partial void LedgerNotWritten(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Warning, "Directories could not be watched, trying again: {Reason}")]
    public static partial void WatchFailed(this ILogger log, string reason);
}

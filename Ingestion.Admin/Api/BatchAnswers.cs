using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>What <c>/api/v1/batches</c> answers with.</summary>
internal static class BatchAnswers
{
    /// <summary>A batch with the sentence that says where it stands; while it works, with the time it takes and what it waits for.</summary>
    public static async Task<object> OfAsync(HttpContext http, BatchView b, CancellationToken ct)
    {
        var live = b.Draft || b.State.IsFinal() ? BatchLive.None : await http.RequestServices.GetRequiredService<BatchWatch>().LiveAsync(http.User.Scope(), b.Id, ct);
        return Of(b, live, http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
    }

    internal static object Of(BatchView b, BatchLive live, DateTimeOffset now) => new
    {
        Id = b.PublicId, b.Name, b.Description, Collection = b.CollectionKey, State = b.State.Word(), b.Draft, b.Cancelling, Priority = b.Priority.Word(),
        Options = JsonSerializer.Deserialize<JsonElement>(b.Options), b.CreatedBy, b.CreatedAt, b.StartedAt, b.CompletedAt, b.Message,
        Counts = Counts(b.Counts),
        Download = new Progress(b.Counts.Acquired, b.Counts.Total, b.Counts.DownloadPercent, $"Downloading {b.Counts.Acquired}/{b.Counts.Total}"),
        Ingestion = new Progress(b.Counts.Terminal, b.Counts.Total, b.Counts.PercentTerminal, $"Ingested {b.Counts.Terminal}/{b.Counts.Total}"),
        b.Counts.OverallPercent,
        FailedFiles = b.Counts.Failed,
        Sentence = BatchSentence.Of(b, live, now),
        Remaining = b.State is BatchState.Running or BatchState.Retrying ? Remaining(RemainingTime.Estimate(live.Outlook, b.Counts, live.Pace, now)) : null,
        Waiting = live.Waiting.Where(w => w.Reason != HoldReasons.Running)
            .Select(w => Of(w, b.PublicId, now)),
    };

    /// <summary>Documents that wait for the same reason.</summary>
    public static object Of(WaitingGroup w, string batchId, DateTimeOffset now) =>
        new { w.Reason, w.Subject, w.Count, FirstUntil = w.First, LastUntil = w.Last, Sentence = WaitSentence.Of(w, now), Help = WaitHelp.Of(w.Reason, batchId) };

    /// <param name="waiting">Why it is where it is; null for one that has ended.</param>
    public static object Of(ItemView i, string batchId, Waiting? waiting, DateTimeOffset now) => new
    {
        i.Id, i.SourceType, i.SourceKey, Row = i.Row == 0 ? (int?)null : i.Row, i.Name, i.Title, i.Size, State = i.State.Word(), Stage = i.Stage.Word(), Step = i.ShownStep.Word(),
        // What a task reported while it ran says nothing about one that waits.
        Progress = i.State == ItemState.Open && i.TaskState != TaskState.Running ? new ItemProgress(0, null, null) : new(i.ProgressCurrent, i.ProgressTotal, i.ProgressMessage),
        Waiting = waiting is null ? null : new { waiting.Reason, waiting.Subject, waiting.Until, Sentence = WaitSentence.Of(waiting, now), Help = WaitHelp.Of(waiting.Reason, batchId) },
        Error = Error(i.ErrorCode, i.ErrorMessage), i.WaitReason, ScheduledAt = i.WaitReason is null ? null : i.ScheduledAt, i.Failures, Chunks = i.ChunkCount,
        Metadata = JsonSerializer.Deserialize<JsonElement>(i.Metadata), i.CreatedAt, i.StartedAt, i.CompletedAt, DurationMs = Milliseconds(i.StartedAt, i.CompletedAt),
    };

    public static object Of(object item, IReadOnlyList<TaskRunView> runs) => new
    {
        Item = item,
        TaskRuns = runs.Select(t => new
        {
            t.Id, Stage = t.Stage.Word(), State = t.State.Word(), t.Attempt, t.Failures, t.Crashes, t.WaitReason, t.ScheduledAt, t.CreatedAt, t.ClaimedAt, t.FinishedAt,
            DurationMs = Milliseconds(t.ClaimedAt, t.FinishedAt), Error = Error(t.ErrorCode, t.ErrorMessage),
        }),
    };

    public static object Of(Page<FailureGroup> groups, IEnumerable<ImportInput> inputs, Page<ItemView> items) => new
    {
        Groups = groups.Rows.Select(g => new { g.Code, g.Host, g.Fingerprint, g.Count, g.Message, ErrorCodes.Find(g.Code).Remedy, g.FirstItem }),
        TotalGroups = groups.Total,
        Inputs = inputs.Where(i => i.State == ItemState.Failed).Select(i => new { i.Id, i.SourceType, Error = Error(i.ErrorCode, i.ErrorMessage) }),
        Failures = items.Rows.Select(i => new { i.Id, Source = i.SourceKey, Status = i.State.Word(), Code = i.ErrorCode, Reason = i.ErrorMessage, ErrorCodes.Find(i.ErrorCode ?? "").Remedy }),
        items.Total,
    };

    public static object Of(StoredEvent e) => new
    {
        e.Seq, e.At, e.Kind, Item = e.ItemId, Task = e.TaskId, e.Stage, Data = e.Data is { } data ? JsonSerializer.Deserialize<JsonElement>(data) : (JsonElement?)null,
    };

    private static object Counts(BatchCounts c) => new
    {
        c.Total, c.Open, c.Done, c.Skipped, c.Failed, c.Rejected, c.Cancelled, c.Terminal, c.Acquired, c.Parsed, c.Embedded, c.Running, c.AwaitingReview, c.Discovering, c.FailedInputs, c.Bytes, c.Chunks,
    };

    private static ErrorAnswer? Error(string? code, string? message) => code is null ? null : new(code, message ?? "", ErrorCodes.Find(code).Remedy);

    private static long? Milliseconds(DateTimeOffset? from, DateTimeOffset? to) => (long?)(to - from)?.TotalMilliseconds;

    private static object Remaining(RemainingTime? time) => new
    {
        Text = BatchSentence.Left(time), AtBestSeconds = (long?)time?.AtBest.TotalSeconds, AtWorstSeconds = (long?)time?.AtWorst.TotalSeconds, Host = time?.Host?.Host,
    };

    private sealed record ItemProgress(int Current, int? Total, string? Message);

    private sealed record Progress(int Completed, int Total, double Percent, string Text);

    private sealed record ErrorAnswer(string Code, string Message, string Remedy);
}

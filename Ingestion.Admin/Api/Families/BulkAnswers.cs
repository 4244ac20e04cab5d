using System.Text.Json;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What <c>/ingest</c> answers with.</summary>
internal static class BulkAnswers
{
    /// <summary>A job with its progress, a page of its documents and of its failures.</summary>
    public static object Job(BatchView b, Page<ItemView> documents, Page<ItemView> failures) => new
    {
        JobId = b.PublicId, b.Name, Status = JobWords.Job(b.State), DownloadStatus = BulkWords.Download(b),
        Download = Download(b.Counts), Ingestion = Ingestion(b.Counts), b.Counts.OverallPercent, b.Counts.AwaitingReview,
        b.CreatedAt, b.StartedAt, b.CompletedAt, b.Message,
        Documents = documents.Rows.Select(i => new
        {
            i.Id, Source = i.SourceKey, Type = i.SourceType, Status = BulkWords.Document(i), DownloadPercent = BulkWords.DownloadPercent(i), IngestionPercent = BulkWords.IngestionPercent(i),
            Finished = i.State != ItemState.Open, Metadata = JsonSerializer.Deserialize<JsonElement>(i.Metadata),
        }),
        DocumentsTotal = documents.Total,
        Failures = failures.Rows.Select(i => new
        {
            i.Id, Source = i.SourceKey, Status = BulkWords.Document(i), Code = i.ErrorCode, Reason = i.ErrorMessage, ErrorCodes.Find(i.ErrorCode ?? "").Remedy,
        }),
        FailuresTotal = failures.Total,
    };

    /// <summary>A job's progress alone, for the stream.</summary>
    public static object Progress(BatchView b) => new
    {
        JobId = b.PublicId, Status = JobWords.Job(b.State), DownloadStatus = BulkWords.Download(b),
        Download = Download(b.Counts), Ingestion = Ingestion(b.Counts), b.Counts.OverallPercent, FailedDocuments = b.Counts.Failed + b.Counts.Rejected, b.Counts.AwaitingReview, b.Message,
    };

    /// <summary>A fact of a document, for the stream.</summary>
    public static object Document(StoredEvent e, string status)
    {
        var data = e.Data is { } json ? JsonSerializer.Deserialize<JsonElement>(json) : default;
        return new { Id = e.ItemId, Status = status, e.At, Code = Text(data, "code"), Reason = Text(data, "message") };
    }

    /// <summary>A fact of the job, for the stream.</summary>
    public static object Job(StoredEvent e) => new { Event = Word(e.Kind), e.At };

    private static string Word(string kind) => kind switch
    {
        EventKinds.BatchSubmitted => "submitted",
        EventKinds.BatchStarted => "started",
        EventKinds.BatchPaused => "paused",
        EventKinds.BatchResumed => "resumed",
        EventKinds.CancelRequested => "cancelling",
        EventKinds.BatchCancelled => "cancelled",
        EventKinds.BatchRetried => "retried",
        EventKinds.BatchCompleted => "ended",
        EventKinds.BatchDeleted => "deleted",
        EventKinds.ItemsDiscovered => "documents_found",
        EventKinds.InputDone => "source_listed",
        EventKinds.InputFailed => "source_failed",
        _ => "changed",
    };

    private static object Download(BatchCounts c) => new { Completed = c.Acquired, c.Total, Percent = c.DownloadPercent, Text = FormattableString.Invariant($"Downloading {c.Acquired}/{c.Total}") };

    private static object Ingestion(BatchCounts c) => new { Completed = c.Terminal, c.Total, Percent = c.PercentTerminal, Text = FormattableString.Invariant($"Ingested {c.Terminal}/{c.Total}") };

    private static string? Text(JsonElement data, string name) => data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Admin.Api.Families;

/// <summary>A file as <c>/batch</c> shows it.</summary>
/// <param name="Progress">0 to 100.</param>
internal sealed record JobFile(string FileId, string Status, int Progress, string CurrentStep, JobFileMetadata FileMetadata)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ErrorCode { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ErrorMessage { get; init; }

    public static JobFile Of(ItemView i) => new(i.SourceKey, JobWords.File(i), JobWords.Progress(i), JobWords.Step(i), new(i.Name, i.Size, i.SourceType))
    {
        ErrorCode = i.ErrorCode, ErrorMessage = i.ErrorMessage,
    };
}

/// <param name="Size">Bytes; null until they are known.</param>
internal sealed record JobFileMetadata(string Name, long? Size, string SourceType);

/// <summary>What <c>/batch</c> answers with.</summary>
internal sealed class JobAnswers(
    BatchQueries batches, BatchSources sources, BatchStatistics statistics, Contexts contexts, EmbeddingModels models)
{
    // What a file takes where nothing was measured yet.
    private const double UnknownPace = 30_000;

    /// <summary>A job with its sources and a page of its files.</summary>
    public async Task<object> JobAsync(Scope scope, BatchView b, int skip, int take, CancellationToken ct)
    {
        var files = (await batches.ItemsAsync(scope, b.Id, new(), skip, take, ct)).Rows.ToLookup(i => i.InputId);
        var (completed, failed, skipped) = JobWords.Files(b.Counts);
        return new
        {
            JobId = b.PublicId, UserId = b.CreatedBy, b.Name, b.Description, Status = JobWords.Job(b.State), Priority = b.Priority.Word(), b.CreatedAt, b.StartedAt, b.CompletedAt,
            TotalFiles = b.Counts.Total, CompletedFiles = completed, FailedFiles = failed, SkippedFiles = skipped, b.Counts.AwaitingReview,
            ProgressPercentage = new OneDecimal(b.Counts.PercentTerminal),
            EstimatedDurationMs = await DurationAsync(scope, b, ct), EmbeddingModelUsed = await ModelAsync(scope, b, ct), b.Message,
            SourceProgress = (await sources.ReadAsync(scope, b.Id, ct)).Select(s => Source(s, files[s.InputId])),
        };
    }

    /// <summary>A job as a list shows it.</summary>
    public static object Summary(BatchView b)
    {
        var (completed, failed, skipped) = JobWords.Files(b.Counts);
        return new
        {
            JobId = b.PublicId, UserId = b.CreatedBy, b.Name, Status = JobWords.Job(b.State), Priority = b.Priority.Word(), ProgressPercentage = new OneDecimal(b.Counts.PercentTerminal),
            b.CreatedAt, b.StartedAt, b.CompletedAt, TotalFiles = b.Counts.Total, CompletedFiles = completed, FailedFiles = failed, SkippedFiles = skipped,
        };
    }

    public static object Statistics(StatisticsView s)
    {
        int Jobs(params BatchState[] states) => s.Batches.Where(b => states.Contains(b.State)).Sum(b => b.Count);
        var processed = s.Ended.Sum(e => e.Count);
        var well = s.Ended.Where(e => e.State is ItemState.Done or ItemState.Skipped or ItemState.Cancelled).Sum(e => e.Count);
        return new
        {
            TotalJobs = s.Batches.Sum(b => b.Count),
            ActiveJobs = Jobs(BatchState.Queued, BatchState.Running, BatchState.Paused, BatchState.Retrying),
            CompletedJobs = Jobs(BatchState.Completed), FailedJobs = Jobs(BatchState.Failed), CancelledJobs = Jobs(BatchState.Cancelled),
            TotalFilesProcessed = processed,
            AverageProcessingTimeMs = (long)Math.Round(s.MeanMilliseconds),
            SuccessRate = new OneDecimal(processed == 0 ? 0 : Math.Round(100.0 * well / processed, 1)),
            BySourceType = s.Ended.GroupBy(e => e.SourceType).ToDictionary(g => g.Key, g => g.Sum(e => e.Count)),
            ByPriority = s.Batches.GroupBy(b => b.Priority).ToDictionary(g => g.Key.Word(), g => g.Sum(b => b.Count)),
            ByStatus = s.Batches.GroupBy(b => b.State).ToDictionary(g => JobWords.Job(g.Key), g => g.Sum(b => b.Count)),
        };
    }

    private static object Source(SourceCounts s, IEnumerable<ItemView> files)
    {
        var (completed, failed, skipped) = JobWords.Files(s);
        return new
        {
            s.SourceType, s.ConnectionId, TotalFiles = s.Total, CompletedFiles = completed, FailedFiles = failed, SkippedFiles = skipped,
            ProgressPercentage = new OneDecimal(s.Total == 0 ? 0 : Math.Round(100.0 * s.Terminal / s.Total, 1)),
            s.ErrorCode, s.ErrorMessage,
            Files = files.Select(JobFile.Of),
        };
    }

    // What it took, once it has ended; before, what such files took of late.
    private async Task<long> DurationAsync(Scope scope, BatchView b, CancellationToken ct) => b is { CompletedAt: { } end, StartedAt: { } start }
        ? (long)(end - start).TotalMilliseconds
        : (long)Math.Round(b.Counts.Total * ((await statistics.PaceAsync(scope, ct)).MillisecondsPerItem ?? UnknownPace));

    private async Task<string?> ModelAsync(Scope scope, BatchView b, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var collection = await db.Collections.Where(c => c.Key == b.CollectionKey).Select(c => c.EmbeddingModel).FirstOrDefaultAsync(ct);
        try
        {
            return models.Resolve(ProcessingOptions.Read(JsonSerializer.Deserialize<JsonElement>(b.Options), new()).EmbeddingModelPreference, collection).Id;
        }
        catch (IngestionException)
        {
            // It is not configured any more: then none is used, and each document says so.
            return null;
        }
    }
}

using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>One document on its way, as the collection's routes show it.</summary>
/// <param name="DurationMs">From the first attempt to the end; null until then.</param>
internal sealed record IngestionJob(
    long Id, long CollectionId, string OriginalFilename, string Status, JobProgress Progress,
    DateTimeOffset? ProcessingStartedAt, DateTimeOffset? ProcessingCompletedAt, string? ErrorMessage,
    string? ErrorCode, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, long? FileSize, string SourceType, string Source, int? ChunkCount, long? DurationMs, string BatchId)
{
    public static IngestionJob Of(long collectionId, CollectionItem row)
    {
        var item = row.Item;
        return new(item.Id, collectionId, item.Name, CollectionWords.Of(ItemStandings.Of(item)), CollectionWords.Progress(item), item.StartedAt, item.CompletedAt, item.ErrorMessage,
            item.ErrorCode, item.CreatedAt, item.CompletedAt ?? item.StartedAt ?? item.CreatedAt, item.Size, item.SourceType, item.SourceKey, item.ChunkCount,
            (long?)(item.CompletedAt - item.StartedAt)?.TotalMilliseconds, row.BatchId);
    }
}

/// <summary>A job with what went wrong in detail, and what it was run with.</summary>
internal static class IngestionJobDetail
{
    /// <param name="operates">True for who may steer: the technical trace is for them.</param>
    public static object Of(long collectionId, CollectionItem row, bool operates)
    {
        var job = IngestionJob.Of(collectionId, row);
        return new
        {
            job.Id, job.CollectionId, job.OriginalFilename, job.Status, job.Progress, job.ProcessingStartedAt, job.ProcessingCompletedAt, job.ErrorMessage,
            ErrorDetails = job.ErrorCode is null ? null : Details(row.Item, operates),
            job.ErrorCode, job.CreatedAt, job.UpdatedAt, job.FileSize, job.SourceType, job.Source, job.ChunkCount, job.DurationMs, job.BatchId,
            Parameters = JsonSerializer.Deserialize<JsonElement>(row.Options),
            Metadata = JsonSerializer.Deserialize<JsonElement>(row.Item.Metadata),
        };
    }

    private static object Details(ItemView item, bool operates) => new
    {
        Code = item.ErrorCode, Stage = item.Stage.Word(), Attempts = item.Attempt, ErrorCodes.Find(item.ErrorCode!).Remedy,
        Trace = operates && item.ErrorDetails is { } trace ? JsonSerializer.Deserialize<JsonElement>(trace) : (JsonElement?)null,
    };
}

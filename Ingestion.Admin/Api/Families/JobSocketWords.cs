using System.Text.Json;
using Ingestion.Admin.Api.Live;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>The messages of <c>/batch/ws</c>.</summary>
internal sealed class JobSocketWords : LiveDialect
{
    public override int Index => 2;

    // Files are told by their state, which needs no number.
    public override byte[] Fact(StoredEvent e) => [];

    public override byte[] State(LiveState state)
    {
        var (completed, failed, skipped) = JobWords.Files(state.Batch.Counts);
        return Message(new
        {
            Type = "job_update",
            Job = new
            {
                JobId = state.Batch.PublicId, Status = JobWords.Job(state.Batch.State), ProgressPercentage = new OneDecimal(state.Batch.Counts.PercentTerminal),
                CompletedFiles = completed, FailedFiles = failed, SkippedFiles = skipped, TotalFiles = state.Batch.Counts.Total,
            },
            Timestamp = state.At,
        });
    }

    public static byte[] File(string jobId, ItemView item, DateTimeOffset at) =>
        Message(new { Type = "file_progress", JobId = jobId, item.SourceType, item.ConnectionId, File = JobFile.Of(item), Timestamp = at });

    /// <summary>True where the file would be told in the same words as before.</summary>
    public static bool SameFile(ItemView before, ItemView now) =>
        JobWords.File(before) == JobWords.File(now) && JobWords.Progress(before) == JobWords.Progress(now) && JobWords.Step(before) == JobWords.Step(now) && before.Size == now.Size;

    public static byte[] Established(string user, string? jobId, DateTimeOffset at) => Message(new { Type = "connection_established", UserId = user, JobId = jobId, Timestamp = at });

    /// <param name="sent">What the client's ping said the time was; null where it said nothing.</param>
    public static byte[] Pong(string? sent, DateTimeOffset at) => sent is null ? Message(new { Type = "pong", Timestamp = at }) : Message(new { Type = "pong", Timestamp = sent });

    public static byte[] Error(string detail) => Message(new { Type = "error", Detail = detail });

    private static byte[] Message(object message) => JsonSerializer.SerializeToUtf8Bytes(message, Wire.Json);
}

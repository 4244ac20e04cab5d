using System.Globalization;
using System.Text.Json;
using Ingestion.Admin.Components.Pages.Batches;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What <c>/v1/admin/bulk-import</c> answers with.</summary>
internal static class ImportAnswers
{
    /// <param name="manifests">Names of its CSV files.</param>
    public static object Of(BatchView b, IEnumerable<string> manifests) => new
    {
        Id = b.Uuid, b.Name, b.Description, Status = ImportWords.Of(b.State), SourceManifest = manifests.FirstOrDefault(), SourceManifests = manifests, Collection = b.CollectionKey,
        TotalTasks = b.Counts.Total, ProcessedTasks = b.Counts.Terminal, SucceededTasks = b.Counts.Done + b.Counts.Skipped, FailedTasks = b.Counts.Failed,
        CancelledTasks = b.Counts.Cancelled + b.Counts.Rejected, BlockedTasks = b.Counts.AwaitingReview, Discovering = b.Counts.Discovering > 0, ProgressPercent = b.Counts.PercentTerminal,
        b.Message, b.CreatedBy, b.CreatedAt, b.StartedAt, b.CompletedAt, BatchId = b.PublicId,
    };

    /// <summary>Jobs that have tasks, in the order of a document's way.</summary>
    public static IEnumerable<object> Jobs(BatchView batch, IReadOnlyList<PartCount> parts) => parts.GroupBy(p => p.Part).OrderBy(g => g.Key).Select(g =>
    {
        var tasks = g.GroupBy(p => ImportWords.Of(p.State, p.Again)).ToDictionary(w => w.Key, w => w.Sum(p => p.Count));
        var status = ImportWords.OfJob(tasks);
        var ended = status is ImportWords.Succeeded or ImportWords.Failed or ImportWords.Cancelled;
        return (object)new
        {
            Id = $"{batch.Uuid}/{ImportWords.Jobs[g.Key].Type}", BatchId = batch.Uuid, JobType = ImportWords.Jobs[g.Key].Type, Status = status, TotalTasks = g.Sum(p => p.Count),
            Tasks = ImportWords.TaskStatuses.ToDictionary(w => w, w => tasks.GetValueOrDefault(w)),
            CreatedAt = g.Min(p => p.CreatedAt), StartedAt = g.Min(p => p.FirstClaimedAt), CompletedAt = ended ? g.Max(p => p.LastFinishedAt) : null,
        };
    });

    public static ImportTask Of(ListingView l, BatchView batch, string name) => new(
        Number("input", l.InputId), batch.Uuid, ImportWords.JobOf(Stage.Discover), ImportWords.Of(l.Standing), name, null, null, l.Attempt, l.Failures,
        Error(l.ErrorCode, l.ErrorMessage), l.Discovered, null, null, l.CreatedAt, l.StartedAt, l.CompletedAt, Milliseconds(l.StartedAt, l.CompletedAt));

    public static ImportTask Of(ItemView i, BatchView batch) => new(
        Number("item", i.Id), batch.Uuid, ImportWords.JobOf(i.Stage), ImportWords.Of(ItemStandings.Of(i)), i.Title ?? i.Name, i.SourceKey, i.Row == 0 ? null : i.Row, i.Attempt, i.Failures,
        Error(i.ErrorCode, i.ErrorMessage), null, i.ChunkCount, JsonSerializer.Deserialize<JsonElement>(i.Metadata), i.CreatedAt, i.StartedAt, i.CompletedAt, Milliseconds(i.StartedAt, i.CompletedAt));

    /// <summary>A fact with its sentence; statuses in it are in this family's words.</summary>
    public static object Of(StoredEvent e) => new
    {
        Id = e.Seq, EventType = e.Kind.ToUpperInvariant(), TaskId = e.ItemId is { } item ? Number("item", item) : null,
        JobType = e.Stage is { } stage ? ImportWords.JobOf(StateWords.Parse<Stage>(stage)) : null,
        Status = e.Kind == EventKinds.BatchCompleted && e.Data is { } data && JsonSerializer.Deserialize<JsonElement>(data).TryGetProperty("state", out var state)
            ? ImportWords.Of(StateWords.Parse<BatchState>(state.GetString()!)) : null,
        Message = e.Kind == EventKinds.BatchCompleted ? "The batch ended." : EventWords.Of(e).Text, CreatedAt = e.At,
    };

    private static object? Error(string? code, string? message) => code is null ? null : new { Code = code, Message = message, ErrorCodes.Find(code).Remedy };

    private static string Number(string of, long id) => string.Create(CultureInfo.InvariantCulture, $"{of}_{id}");

    private static long? Milliseconds(DateTimeOffset? from, DateTimeOffset? to) => (long?)(to - from)?.TotalMilliseconds;
}

/// <summary>A document, or a manifest being read.</summary>
/// <param name="Row">Row of the manifest, from 1.</param>
/// <param name="TasksCreated">Of a manifest: the rows found in it so far.</param>
internal sealed record ImportTask(
    string Id, Guid BatchId, string JobType, string Status, string Title, string? SourceUrl, int? Row, int Attempts, int Failures, object? Error, int? TasksCreated, int? Chunks,
    JsonElement? Metadata, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? CompletedAt, long? DurationMs);

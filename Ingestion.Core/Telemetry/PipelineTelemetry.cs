using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Telemetry;

/// <summary>
/// What the pipeline measures while it works: how long attempts take and what becomes of them, and a trace of each document along its
/// stages. Costs next to nothing while nobody listens. Tags are words of closed sets, so that series stay few.
/// </summary>
public static class PipelineTelemetry
{
    /// <summary>The name of the meter and of the source of traces.</summary>
    public const string Name = "Ingestion";

    public static readonly ActivitySource Traces = new(Name);

    internal static readonly Meter Meter = new(Name);

    // Whatever else a row may say is counted together: a tag is never a text of somebody's.
    private static readonly HashSet<string> KnownSources =
        ["upload", "url", "manifest", "google_drive", "local_zip", "local_directory", "site", "feed", "s3", "confluence", "youtube", "file_catalog"];

    private static readonly Histogram<double> Duration = Meter.CreateHistogram("ingestion_stage_duration_seconds", "s", "Time of one attempt at one document at a stage.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });

    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>("ingestion_stage_attempts_total", null, "Attempts at documents, by stage, type of source and what became of them.");

    /// <summary>
    /// Begins an attempt: a span in the document's own trace, whose id follows from the document, so that all stages in all processes meet
    /// in one. Null while nobody listens.
    /// </summary>
    public static Activity? Begin(ClaimedTask task)
    {
        if (!Traces.HasListeners()) return null;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{task.TenantId}/{task.BatchId}/{task.ItemId?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "input " + task.InputId}"));
        var document = new ActivityContext(ActivityTraceId.CreateFromBytes(hash.AsSpan(0, 16)), ActivitySpanId.CreateFromBytes(hash.AsSpan(16, 8)), ActivityTraceFlags.Recorded, isRemote: true);
        return Traces.StartActivity($"stage {task.Stage.Word()}", ActivityKind.Internal, document,
            [new("ingestion.stage", task.Stage.Word()), new("ingestion.batch", task.BatchId), new("ingestion.item", task.ItemId), new("ingestion.task", task.Id), new("ingestion.attempt", task.Attempt)]);
    }

    /// <summary>Ends an attempt.</summary>
    /// <param name="outcome">done, skipped, blocked, postponed, failed, lost or stopped.</param>
    /// <param name="code">The error's code; null where there was none.</param>
    public static void End(Activity? span, ClaimedTask task, string? sourceType, TimeSpan took, string outcome, string? code)
    {
        var source = sourceType is not null && KnownSources.Contains(sourceType) ? sourceType : "other";
        Duration.Record(took.TotalSeconds, new("stage", task.Stage.Word()), new KeyValuePair<string, object?>("outcome", outcome));
        Attempts.Add(1, new("stage", task.Stage.Word()), new("source_type", source), new KeyValuePair<string, object?>("outcome", outcome));
        if (span is null) return;
        span.SetTag("ingestion.source_type", source);
        span.SetTag("ingestion.outcome", outcome);
        if (code is not null) span.SetStatus(ActivityStatusCode.Error, code);
        span.Dispose();
    }
}

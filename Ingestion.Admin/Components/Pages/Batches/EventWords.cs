using System.Text.Json;
using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>Facts of the log as sentences, with the look of their icon.</summary>
/// <param name="Tone">A tone of app.css.</param>
public sealed record EventWords(string Icon, string Tone, string Text)
{
    /// <summary>Facts about the batch as a whole; all others are about one document.</summary>
    public static readonly IReadOnlyList<string> BatchKinds =
    [
        EventKinds.BatchSubmitted, EventKinds.BatchStarted, EventKinds.BatchPaused, EventKinds.BatchResumed, EventKinds.BatchCancelled,
        EventKinds.BatchRetried, EventKinds.BatchCompleted, EventKinds.BatchDeleted, EventKinds.CancelRequested, EventKinds.WaitsEnded, EventKinds.ItemsDiscovered, EventKinds.InputDone, EventKinds.InputFailed, EventKinds.RuleStopped,
    ];

    /// <summary>Facts that say that something went wrong.</summary>
    public static readonly IReadOnlyList<string> ProblemKinds = [EventKinds.ItemFailed, EventKinds.InputFailed, EventKinds.AttemptFailed, EventKinds.LeaseLost, EventKinds.RuleStopped];

    public static EventWords Of(StoredEvent e)
    {
        using var data = JsonDocument.Parse(e.Data ?? "{}");
        var d = data.RootElement;
        return e.Kind switch
        {
            EventKinds.BatchSubmitted => new("inbox", "waiting", "The batch was submitted."),
            EventKinds.BatchStarted => new("play_arrow", "running", d.TryGetProperty("by", out _) ? $"The batch was started{By(d)}" : "The batch started."),
            EventKinds.BatchPaused => new("pause_circle", "paused", $"The batch was paused{By(d)}"),
            EventKinds.BatchResumed => new("play_arrow", "running", $"The batch was resumed{By(d)}"),
            EventKinds.CancelRequested => new("cancel", "paused", Number(d, "items") is > 0 and var hit ? $"A cancel of {Format.Count(hit, "document")} was asked for{By(d)}" : $"A cancel was asked for{By(d)}"),
            EventKinds.WaitsEnded => new("bolt", "running", $"{Format.Count(Number(d, "items"), "document")} {(Number(d, "items") == 1 ? "does" : "do")} not wait any longer{By(d)}"),
            EventKinds.BatchDeleted => new("delete", "muted", $"The batch was deleted{By(d)}"),
            EventKinds.BatchCancelled => new("cancel", "muted", "The batch was cancelled."),
            EventKinds.BatchRetried => new("autorenew", "running", $"{Format.Count(Number(d, "items"), "document")} opened again{More(Number(d, "inputs"), "source")}{By(d)}"),
            EventKinds.BatchCompleted => Completed(d),
            EventKinds.ItemsDiscovered => new("travel_explore", "waiting", $"{Format.Count(Number(d, "count"), "document")} discovered."),
            EventKinds.InputDone => new("done_all", "done", "A source was listed to its end."),
            EventKinds.InputFailed => new("error", "failed", $"A source could not be listed: {Said(d, "message")}"),
            EventKinds.StageDone => new("check", "waiting", StageDone(e.Stage, d)),
            EventKinds.ItemDone => new("check_circle", "done", "Published."),
            EventKinds.ItemSkipped => new("redo", "muted", $"Skipped: {Said(d, "reason")}"),
            EventKinds.ItemFailed => new("error", "failed", Failed(d)),
            EventKinds.ItemCancelled => new("cancel", "muted", "Cancelled."),
            EventKinds.ItemRetried => new("autorenew", "running", $"Opened again at {Named(e.Stage)}."),
            EventKinds.ReviewRequested => new("person_raised_hand", "person", "Waits for a person to review it."),
            EventKinds.ItemRejected => new("block", "muted", Said(d, "by") is { Length: > 0 } ? $"Rejected{By(d)}" : $"Rejected: {Said(d, "reason")}"),
            EventKinds.ReviewDecided => new("how_to_reg", "person", $"{Decided(d)}{By(d)}"),
            EventKinds.RuleStopped => new("rule", "paused", $"Rule {Number(d, "rule")} was stopped: {Said(d, "reason")}"),
            EventKinds.AttemptFailed => new("warning", "paused", $"Attempt {Number(d, "attempt")} at {Named(e.Stage)} failed, another follows: {Said(d, "message")}"),
            EventKinds.LeaseLost => new("heart_broken", "paused", $"The worker stopped during attempt {Number(d, "attempt")} at {Named(e.Stage)}."),
            _ => new("info", "waiting", e.Kind.Replace('_', ' ')),
        };
    }

    /// <summary>A stage as a doing: <c>downloading</c>.</summary>
    public static string Named(string? stage) => stage switch
    {
        "discover" => "discovering",
        "acquire" => "downloading",
        "parse" => "parsing",
        "resolve" => "resolving",
        "review" => "review",
        "embed" => "embedding",
        "index" => "publishing",
        _ => stage ?? "its stage",
    };

    private static EventWords Completed(JsonElement d) => Said(d, "state") == BatchState.Failed.Word()
        ? new("error", "failed", "The batch ended: failed.")
        : new("check_circle", "done", "The batch ended: completed.");

    private static string StageDone(string? stage, JsonElement d) => stage switch
    {
        "discover" => "Discovering is done.",
        "acquire" => "Downloaded.",
        "parse" => Number(d, "chunks") is > 0 and var chunks ? $"Parsed {Said(d, "format")} into {Format.Count(chunks, "chunk")}." : "Parsed.",
        "embed" => Number(d, "chunks") is > 0 and var all ? $"Embedded {Format.Count(all, "chunk")}, {Format.Count(Number(d, "computed"))} of them new." : "Embedded.",
        "index" => "Stored.",
        _ => $"{Named(stage)} is done.",
    };

    private static string Decided(JsonElement d) => Said(d, "action") switch
    {
        "approve" => "Approved",
        "reject" => "Rejected",
        "send_back" => "Sent back",
        "unsure" => "Marked as unsure",
        "undo" => "A decision was taken back",
        "pick" => $"The {Said(d, "field")} was chosen: {Said(d, "entity")},",
        "new_entity" => $"A new entity was made for the {Said(d, "field")}: {Said(d, "entity")},",
        "merge" => $"Two entities of the {Said(d, "field")} became one: {Said(d, "entity")},",
        "split" => $"An entity of the {Said(d, "field")} became two: {Said(d, "entity")} was split off,",
        _ => "Decided",
    };

    private static string Failed(JsonElement d) => Number(d, "attempt") is > 1 and var n ? $"Failed after {n} attempts: {Said(d, "message")}" : $"Failed: {Said(d, "message")}";

    // Who asked, and why if they said; the end of the sentence in any case.
    private static string By(JsonElement d) => (Said(d, "by"), Said(d, "reason")) switch
    {
        ("", _) => ".",
        (var who, "") => $" by {who}.",
        var (who, why) => $" by {who}: {why}",
    };

    private static string More(long n, string what) => n == 0 ? "" : $" and {Format.Count(n, what)}";

    private static long Number(JsonElement d, string name) => d.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out var n) ? n : 0;

    private static string Said(JsonElement d, string name) => d.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";
}

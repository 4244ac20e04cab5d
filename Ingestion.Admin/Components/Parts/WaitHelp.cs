using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Parts;

/// <summary>What helps against a wait: an act, or the page where help is to be had.</summary>
/// <param name="Act">The act's word in addresses of the API: <c>try-now</c>; null for a link.</param>
/// <param name="Href">Null for an act.</param>
public sealed record WaitHelp(string Label, string? Act, string? Href)
{
    public const string Start = "start";
    public const string Resume = "resume";
    public const string TryNow = "try-now";

    /// <summary>Null where only time helps.</summary>
    public static WaitHelp? Of(string reason, string batchId) => reason switch
    {
        HoldReasons.NotStarted => new("Start", Start, null),
        HoldReasons.BatchPaused => new("Resume", Resume, null),
        HoldReasons.BatchQueued => new("See the active batches", null, "/batches?state=running"),
        HoldReasons.BatchWorkers => new("See the options", null, $"/batches/{batchId}/settings"),
        HoldReasons.Review => new("Review", null, $"/review?batch={batchId}"),
        HoldReasons.NoWorker => new("See the workers", null, "/workers"),
        WaitReasons.HostPacing or WaitReasons.HostPaused => new("See the hosts", null, "/hosts"),
        WaitReasons.EmbeddingThrottled => new("See the settings", null, "/settings"),
        _ when WaitReasons.OurPauses.Contains(reason) => new("Try now", TryNow, null),
        _ => null,
    };

    /// <summary>Does the act, for the whole batch or for some items of it.</summary>
    public Task<ControlResult> DoAsync(Actor actor, long batchId, IReadOnlyList<long>? items, BatchControl control, ItemControl some) => Act switch
    {
        Start => control.StartAsync(actor, batchId, CancellationToken.None),
        Resume => control.ResumeAsync(actor, batchId, CancellationToken.None),
        TryNow => some.TryNowAsync(actor, batchId, items, CancellationToken.None),
        _ => throw new InvalidOperationException($"{Label} is a link"),
    };
}

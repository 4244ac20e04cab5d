using System.Globalization;

namespace Ingestion.Core.Pipeline;

/// <summary>Where a batch stands in one sentence: what it waits for or does, how much is left, and how long that takes.</summary>
public static class BatchSentence
{
    /// <summary>Null where the state says all: an end without a message.</summary>
    public static string? Of(BatchView batch, BatchLive live, DateTimeOffset now)
    {
        var c = batch.Counts;
        return batch switch
        {
            { Draft: true } => "Still being put together.",
            { Cancelling: true } => $"Being cancelled: {Count(c.Open, "document")} to go.",
            { State: BatchState.Pending } => $"Not started: {Count(c.Open, "document")} {(c.Open == 1 ? "waits" : "wait")} until somebody starts the batch.",
            { State: BatchState.Paused } when c.Running > 0 => $"Paused: {Count(c.Running, "document")} at work {(c.Running == 1 ? "comes" : "come")} to the end, nothing new starts.",
            { State: BatchState.Paused } => $"Paused: {Count(c.Open, "document")} {(c.Open == 1 ? "waits" : "wait")} until somebody resumes the batch.",
            { State: BatchState.Queued } => $"Queued: {(Limit(live) is { } limit ? $"{limit} batches are active, as many as may be" : "other batches have their turn")}; it starts when one of them ends.",
            _ when batch.State.IsFinal() => batch.Message,
            // Nothing of it was read yet.
            _ when ReferenceEquals(live, BatchLive.None) => null,
            _ => Moving(c, live, now),
        };
    }

    /// <summary><c>30 to 45 minutes</c>, or that it is not known yet.</summary>
    public static string Left(RemainingTime? remaining) => remaining is null ? "not known yet" : Spans.Range(remaining.AtBest, remaining.AtWorst);

    private static string Moving(BatchCounts c, BatchLive live, DateTimeOffset now)
    {
        if (live.Workers == 0) return $"Waiting: no worker is running, {Count(c.Open, "document")} left.";
        var remaining = RemainingTime.Estimate(live.Outlook, c, live.Pace, now);
        var waits = live.Waiting.Where(w => w.Reason is not (HoldReasons.Running or HoldReasons.Review)).ToList();
        if ((remaining?.Host ?? HostThatMostWaitFor(waits, live.Outlook, now)) is { } host) return Held(host, now);
        if (c.Discovering > 0) return $"Discovering: {Count(c.Total, "document")} so far, {c.Terminal.ToString("#,0", CultureInfo.InvariantCulture)} ended.";
        if (c.Running == 0 && waits is [var most, ..] && most.Reason != HoldReasons.StageBusy) return $"Waiting: {Lower(WaitSentence.Of(most, now))}";
        return remaining is null ? $"Running: {Count(c.Open, "document")} left; how long that takes is not known yet." : $"Running: {Count(c.Open, "document")} left, {Left(remaining)}.";
    }

    private static string Held(HostLeft host, DateTimeOffset now)
    {
        var pages = Count(host.Pages, "page");
        return host.PausedUntil is { } until && until > now
            ? $"Waiting: host {host.Host} asked us to stay away ({Spans.About(until - now)}), {pages} left."
            : $"Waiting: host {host.Host} allows {Count(host.PerMinute, "request")} a minute, {pages} left, {Spans.About(host.Takes(now))}.";
    }

    // While the time as a whole is not known, a host is still the answer where most of what is ready waits for it.
    private static HostLeft? HostThatMostWaitFor(IReadOnlyList<WaitingGroup> waits, BatchOutlook outlook, DateTimeOffset now)
    {
        var forHosts = waits.Where(w => w.Reason is WaitReasons.HostPacing or WaitReasons.HostPaused).Sum(w => w.Count);
        return forHosts * 2 <= waits.Sum(w => w.Count) ? null : outlook.Hosts.Where(h => h.Takes(now) > TimeSpan.Zero).MaxBy(h => h.Takes(now));
    }

    private static string? Limit(BatchLive live) => live.Waiting.FirstOrDefault(w => w.Reason == HoldReasons.BatchQueued)?.Subject;

    private static string Lower(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];

    private static string Count(long number, string one) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:#,0} {one}{(number == 1 ? "" : "s")}");
}

using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>A batch's figures in words, all from the same counts. The first three read the same wherever a batch is shown.</summary>
public static class BatchWords
{
    /// <summary><c>Downloading 5/10</c>: documents whose download has ended, well or not.</summary>
    public static string Downloading(BatchCounts c) => FormattableString.Invariant($"Downloading {c.Acquired}/{c.Total}");

    /// <summary><c>Ingested 1/10</c>: documents that have ended, well or not.</summary>
    public static string Ingested(BatchCounts c) => FormattableString.Invariant($"Ingested {c.Terminal}/{c.Total}");

    /// <summary><c>30%</c>: the mean of the two.</summary>
    public static string Overall(BatchCounts c) => Format.Percent(c.OverallPercent / 100);

    /// <summary>The first two in one line; while no document is known, what becomes of that.</summary>
    public static string Progress(BatchView batch) => batch.Counts switch
    {
        { Total: > 0 } c => $"{Downloading(c)} · {Ingested(c)}",
        { FailedInputs: > 0 } => "Nothing could be discovered",
        _ when batch.State.IsFinal() => "Nothing was found",
        _ => "Nothing discovered yet",
    };

    /// <summary>What the three figures count, in a sentence.</summary>
    public const string Counting = "Downloading counts documents whose download has ended, Ingested those that ended altogether, well or not; the overall figure is the mean of both.";

    /// <summary>How the ended documents ended: <c>1,204 published, 20 skipped, 16 failed</c>. Empty where none ended.</summary>
    public static string Endings(BatchCounts c) => string.Join(", ", new[]
    {
        (c.Done, "published"), (c.Skipped, "skipped"), (c.Failed, "failed"), (c.Rejected, "rejected"), (c.Cancelled, "cancelled"),
    }.Where(e => e.Item1 > 0).Select(e => $"{Format.Count(e.Item1)} {e.Item2}"));

    /// <summary><c>42 documents a minute</c>, or that it is not known yet.</summary>
    public static string Rate(BatchPace pace) => pace.IsKnown ? Format.Count((long)Math.Max(1, Math.Round(pace.PerMinute)), "document") + " a minute" : "not known yet";

    /// <summary>How long it ran or runs; null before its start.</summary>
    public static string? Duration(BatchView batch, DateTimeOffset now) =>
        batch.StartedAt is { } start ? Format.Duration((batch.CompletedAt ?? now) - start) : null;

    /// <summary>
    /// The steps of the way. A step expects what did not end before it; what failed in it is told apart. While items are being found
    /// no step knows its total.
    /// </summary>
    public static IReadOnlyList<StageCount> Strip(BatchCounts counts, BatchLive live)
    {
        var finding = counts.Discovering > 0;
        var strip = new List<StageCount> { new("Discovered", counts.Total, finding ? null : counts.Total, finding) };
        int arriving = counts.Total, open = 0;
        foreach (var (name, stages) in Steps)
        {
            var here = live.Stages.Where(s => stages.Contains(s.Stage)).ToList();
            open += here.Sum(s => s.Open);
            var failed = here.Sum(s => s.Failed);
            var passed = Math.Max(0, arriving - open - failed - here.Sum(s => s.Cancelled));
            strip.Add(new(name, passed, finding ? null : arriving, here.Sum(s => s.Running) > 0, failed));
            arriving -= here.Sum(s => s.Ended);
        }
        return strip;
    }

    private static readonly (string Name, Stage[] Stages)[] Steps =
    [
        ("Acquired", [Stage.Acquire]),
        ("Parsed", [Stage.Parse, Stage.Resolve, Stage.Review]),
        ("Embedded", [Stage.Embed]),
        ("Published", [Stage.Index]),
    ];
}

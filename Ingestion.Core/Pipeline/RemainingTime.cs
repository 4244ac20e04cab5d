namespace Ingestion.Core.Pipeline;

/// <summary>
/// How long a batch still takes, as a range: from the bytes and chunks that each stage has before it, how fast such work went of late, the
/// places it may take, and the pace that hosts allow. It says nothing rather than something it cannot know.
/// </summary>
/// <param name="Host">The host whose pace decides it; null where the work does.</param>
public sealed record RemainingTime(TimeSpan AtBest, TimeSpan AtWorst, HostLeft? Host)
{
    // Fewer are chance.
    private const int Enough = 5;

    // What comes is never quite like what went: so much in any case, and more where few tasks were seen.
    private const double LeastMargin = 0.15;

    private static readonly Stage[] Stages = [Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index];

    /// <summary>Null while that is not known: items are still being found, too little of such work was seen, or nothing moves.</summary>
    public static RemainingTime? Estimate(BatchOutlook outlook, BatchCounts counts, BatchPace pace, DateTimeOffset now)
    {
        var open = counts.Open - counts.AwaitingReview;
        if (counts.Discovering > 0 || open <= 0 || outlook.Places.Batch == 0) return null;
        var ahead = new WorkAhead(outlook);
        var (seconds, longest, fewest) = (0.0, 0.0, int.MaxValue);
        foreach (var stage in Stages)
        {
            if (ahead.Items(stage) == 0) continue;
            if (ahead.Sample(stage) is not { } sample || !outlook.Places.Stages.TryGetValue(stage, out var slots) || slots == 0) return null;
            var takes = ahead.Units(stage) * sample.Seconds / Math.Max(1, ahead.UnitsOf(stage, sample));
            seconds += takes;
            longest = Math.Max(longest, takes / slots);
            fewest = Math.Min(fewest, sample.Tasks);
        }
        var work = TimeSpan.FromSeconds(Math.Max(longest, seconds / outlook.Places.Batch));
        var slowest = outlook.Hosts.MaxBy(h => h.Takes(now));
        var host = slowest is not null && slowest.Takes(now) > work ? slowest : null;
        if (host is null && counts.Running == 0 && pace.LastMinute == 0) return null;

        // A second opinion is how fast whole documents ended; where the two differ, both ends are told.
        var byWork = host?.Takes(now) ?? work;
        var byPace = pace.IsKnown ? TimeSpan.FromMinutes(open / pace.PerMinute) : byWork;
        var margin = LeastMargin + 0.6 / Math.Sqrt(fewest);
        return new(Min(byWork, byPace) / (1 + margin), Max(byWork, byPace) * (1 + margin), host);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>What lies before each stage, in its own unit: documents to acquire, bytes to parse, chunks to embed and to index.</summary>
    private sealed class WorkAhead(BatchOutlook outlook)
    {
        private readonly double _meanBytes = Mean(outlook.Left.Sum(l => l.Bytes) + Carried(outlook, s => s.Bytes), outlook.Left.Sum(l => l.Sized) + Carried(outlook, s => s.Tasks));
        private readonly double _chunksPerByte = Density(outlook.Measured) ?? Density(outlook.Prior) ?? 0;

        public int Items(Stage stage) => outlook.Left.Where(l => l.Stage <= stage).Sum(l => l.Items);

        public double Units(Stage stage) => outlook.Left.Where(l => l.Stage <= stage).Sum(l => stage switch
        {
            Stage.Acquire => l.Items,
            Stage.Parse => Bytes(l),
            _ => l.Items == 0 ? 0 : l.Chunks + (l.Items - l.Chunked) * Bytes(l) / l.Items * _chunksPerByte,
        });

        public double UnitsOf(Stage stage, StageSample sample) => stage switch
        {
            Stage.Acquire => sample.Tasks,
            Stage.Parse => sample.Bytes,
            _ => sample.Chunks,
        };

        /// <summary>This batch's own work where enough of it was seen, else that of the batches before; null where neither was.</summary>
        public StageSample? Sample(Stage stage) => Of(outlook.Measured, stage) ?? Of(outlook.Prior, stage);

        private static StageSample? Of(IReadOnlyList<StageSample> samples, Stage stage) => samples.FirstOrDefault(s => s.Stage == stage && s.Tasks >= Enough);

        private double Bytes(StageLeft l) => l.Bytes + (l.Items - l.Sized) * _meanBytes;

        private static double? Density(IReadOnlyList<StageSample> samples) =>
            Of(samples, Stage.Parse) is { Bytes: > 0 } parsed ? (double)parsed.Chunks / parsed.Bytes : null;

        private static long Carried(BatchOutlook outlook, Func<StageSample, long> what) =>
            (outlook.Measured.FirstOrDefault(s => s.Stage == Stage.Acquire) ?? outlook.Prior.FirstOrDefault(s => s.Stage == Stage.Acquire)) is { } acquired ? what(acquired) : 0;

        private static double Mean(long sum, long count) => count == 0 ? 0 : (double)sum / count;
    }
}

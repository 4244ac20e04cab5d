namespace Ingestion.Core.Pipeline;

/// <summary>Limits and rhythm of the pipeline in one process: section <c>Ingestion:Pipeline</c>.</summary>
public sealed class PipelineOptions
{
    public const string Section = "Ingestion:Pipeline";

    /// <summary>Batches active at once in one database.</summary>
    public int MaxConcurrentJobs { get; set; } = 4;

    /// <summary>Documents parsed at once in one process.</summary>
    public int MaxConcurrentProcessing { get; set; } = 3;

    public int MaxItemsPerBatch { get; set; } = 250_000;

    /// <summary>Largest document, in MiB.</summary>
    public int MaxFileSizeMb { get; set; } = 100;

    /// <summary>Largest document, in bytes.</summary>
    public long MaxFileSizeBytes => MaxFileSizeMb * 1024L * 1024L;

    /// <summary>A worker that is silent for this long loses its task.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a worker extends its leases.</summary>
    public TimeSpan Heartbeat { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A process that has not beaten for this long does not count as alive.</summary>
    public TimeSpan Silence => Heartbeat * 3;

    /// <summary>How often lost tasks are looked for.</summary>
    public TimeSpan Sweep { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often work is looked for when no hint arrives.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The stages that this process serves; empty for all of them.</summary>
    public IList<Stage> Stages { get; } = [];

    public StageSlots Slots { get; set; } = new();

    public RetryOptions Retry { get; set; } = new();

    public bool Serves(Stage stage) => Stages.Count == 0 || Stages.Contains(stage);

    /// <summary>Tasks of a stage at work at once in this process.</summary>
    public int SlotsOf(Stage stage) => stage switch
    {
        Stage.Discover => Slots.Discover,
        Stage.Acquire => Slots.Acquire,
        Stage.Parse => MaxConcurrentProcessing,
        Stage.Resolve => Slots.Resolve,
        Stage.Embed => Slots.Embed,
        _ => Slots.Index,
    };
}

/// <summary>Tasks of one stage at work at once in one process. Parse is <see cref="PipelineOptions.MaxConcurrentProcessing"/>.</summary>
public sealed class StageSlots
{
    public int Discover { get; set; } = 2;
    public int Acquire { get; set; } = 8;

    public int Resolve { get; set; } = 4;

    /// <summary>More than requests in flight: several documents' texts travel in one request, and the others gather the next ones.</summary>
    public int Embed { get; set; } = 32;

    public int Index { get; set; } = 4;
}

/// <summary>How long a failed task waits: the delay before retry n is InitialDelay × Factor^(n-1), at most MaxDelay, give or take Jitter.</summary>
public sealed class RetryOptions
{
    public TimeSpan InitialDelay { get; set; } = TimeSpan.FromSeconds(2);

    public double Factor { get; set; } = 4;

    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Share of the delay that is left to chance, 0 to 1.</summary>
    public double Jitter { get; set; } = 0.2;
}

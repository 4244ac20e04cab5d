namespace Ingestion.Core.Parsing;

/// <summary>How many worker processes there are, how they are started, and when they are replaced.</summary>
public sealed class ParserPoolOptions
{
    /// <summary>Workers at once; each parses one document at a time. Default: one a processor.</summary>
    public int Workers { get; set; } = Environment.ProcessorCount;

    /// <summary>The managed heap of a worker, in bytes.</summary>
    public long HeapBytes { get; set; } = 768L << 20;

    /// <summary>A worker that has parsed this many documents is replaced. A new one needs a second of processor time to get going.</summary>
    public int DocumentsPerWorker { get; set; } = 2000;

    /// <summary>A worker that still holds this much memory after a document is replaced, in bytes.</summary>
    public long RecycleAboveBytes { get; set; } = 400L << 20;

    /// <summary>How long a new worker may take to answer for the first time.</summary>
    public TimeSpan StartLimit { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a working child's memory is looked at.</summary>
    public TimeSpan WatchEvery { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The worker's program and arguments. Default: this application with <see cref="ParseWorker.Verb"/>.</summary>
    public IReadOnlyList<string> Command { get; set; } = OwnCommand();

    /// <summary>The application's own binary where this process is it, else its assembly beside this one under dotnet.</summary>
    private static IReadOnlyList<string> OwnCommand()
    {
        const string application = "ingestion";
        if (Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == application) return [self, ParseWorker.Verb];
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return [dotnet, Path.Combine(AppContext.BaseDirectory, application + ".dll"), ParseWorker.Verb];
    }
}

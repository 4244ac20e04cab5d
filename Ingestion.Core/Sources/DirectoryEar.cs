namespace Ingestion.Core.Sources;

/// <summary>
/// Hears that something changes below a directory, where the system tells. It may be told too much, too late or nothing (network mounts, more
/// directories than it can follow): it only says when to look, and whoever listens also looks by the clock.
/// </summary>
internal sealed class DirectoryEar : IDisposable
{
    private readonly FileSystemWatcher _watcher;
    private readonly TimeProvider _time;
    private long _last;
    private volatile bool _deaf;

    /// <summary>Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where the system follows no more directories, or not this one.</summary>
    public DirectoryEar(string path, TimeProvider time)
    {
        _time = time;
        Path = path;
        _watcher = new(path) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size };
        _watcher.Changed += (_, _) => Hear();
        _watcher.Created += (_, _) => Hear();
        _watcher.Deleted += (_, _) => Hear();
        _watcher.Renamed += (_, _) => Hear();
        // More happened than could be kept, or the directory is gone: what it was is found by looking.
        _watcher.Error += (_, _) => (_deaf, _) = (true, Hear());
        _watcher.EnableRaisingEvents = true;
    }

    public string Path { get; }

    /// <summary>True once it hears nothing any more: make another.</summary>
    public bool Deaf => _deaf;

    /// <summary>True where something was heard, and then nothing for this long. Then it is forgotten.</summary>
    public bool HeardAndQuiet(TimeSpan rest)
    {
        var last = Interlocked.Read(ref _last);
        return last != 0 && _time.GetElapsedTime(last) >= rest && Interlocked.CompareExchange(ref _last, 0, last) == last;
    }

    public void Dispose() => _watcher.Dispose();

    private bool Hear()
    {
        Interlocked.Exchange(ref _last, Math.Max(1, _time.GetTimestamp()));
        return true;
    }
}

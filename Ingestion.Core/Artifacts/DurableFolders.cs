namespace Ingestion.Core.Artifacts;

/// <summary>
/// Knows which folders of a tree are on disk with their names, so that a new file costs a flush of its own folder and not of all above it.
/// Puts go side by side; a removal of folders has the tree to itself. Another process that removes folders of the same tree is not seen:
/// it removes only what nothing lives in and nobody writes to again, as the sweep does.
/// </summary>
internal sealed class DurableFolders(string root) : IDisposable
{
    /// <summary>Folders remembered; beyond it everything is forgotten, which costs flushes and no more.</summary>
    private const int Most = 10_000;

    private readonly ReaderWriterLockSlim _tree = new();
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Runs what puts a file into a folder, then flushes the folder, and those above as far as their names may be new.</summary>
    public void Put(string directory, Action put) => Put([directory], put);

    /// <summary>The same for files of several folders, each folder flushed once: after the first flush of a journal the others find little left to do.</summary>
    public void Put(IReadOnlyCollection<string> directories, Action put)
    {
        _tree.EnterReadLock();
        try
        {
            put();
            var (flushed, named) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
            foreach (var directory in directories)
            {
                var current = directory;
                while (flushed.Add(current))
                {
                    DirectorySync.Flush(current);
                    if (current.Length <= root.Length || IsKnown(current)) break;
                    named.Add(current);
                    current = Path.GetDirectoryName(current)!;
                }
            }
            Remember(named);
        }
        finally
        {
            _tree.ExitReadLock();
        }
    }

    /// <summary>Runs what may remove folders, then forgets all: which are gone need not be told.</summary>
    public void Remove(Action remove)
    {
        _tree.EnterWriteLock();
        try
        {
            remove();
        }
        finally
        {
            lock (_lock) _known.Clear();
            _tree.ExitWriteLock();
        }
    }

    public void Dispose() => _tree.Dispose();

    private bool IsKnown(string directory)
    {
        lock (_lock) return _known.Contains(directory);
    }

    private void Remember(List<string> directories)
    {
        lock (_lock)
        {
            if (_known.Count > Most) _known.Clear();
            _known.UnionWith(directories);
        }
    }
}

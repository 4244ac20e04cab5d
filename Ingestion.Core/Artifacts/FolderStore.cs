using System.IO.Enumeration;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>
/// Objects as files under one folder. A file is written beside the others under a name of its own, flushed, and renamed into place, so
/// that a reader sees all of it or nothing and a power cut loses neither. Former folders stay readable.
/// </summary>
public sealed class FolderStore : IArtifactStore, IDisposable
{
    /// <summary>Where unfinished files are; no key begins with a dot, so it hides no object.</summary>
    private const string Incoming = ".incoming";

    private const int MaxAttempts = 10;

    // Files of a group that are written at once: their flushes share what the disk does.
    private const int AtOnce = 16;

    private readonly string _root;
    private readonly string[] _roots;
    private readonly Dictionary<string, DurableFolders> _folders;

    public FolderStore(IOptions<ArtifactOptions> options)
    {
        _root = Full(options.Value.Folder);
        _roots = [_root, .. options.Value.FormerFolders.Select(Full)];
        _folders = _roots.Distinct(StringComparer.Ordinal).ToDictionary(r => r, r => new DurableFolders(r), StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public Uri Locate(string key) => ToUri(Path.Join(_root, Valid(key)));

    /// <inheritdoc/>
    public Uri Locate(string key, Uri beside) => ToUri(Path.Join(Find(beside)?.Root ?? _root, Valid(key)));

    /// <inheritdoc/>
    /// <remarks>Throws <c>storage_full</c> where there is no room; nothing is left behind then.</remarks>
    public async Task<Uri> PutAsync(string key, Stream content, CancellationToken ct)
    {
        var path = Path.Join(_root, Valid(key));
        await PutAsync(_root, path, content, ct);
        return ToUri(path);
    }

    /// <inheritdoc/>
    /// <remarks>Throws as <see cref="PutAsync(string, Stream, CancellationToken)"/> does.</remarks>
    public async Task<IReadOnlyList<Uri>> PutAllAsync(IReadOnlyList<NewObject> objects, CancellationToken ct)
    {
        var files = objects.Select(o => (o.Open, Temporary: NewTemporary(_root), Path: Path.Join(_root, Valid(o.Key)))).ToList();
        try
        {
            await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (file, token) =>
            {
                await using var content = file.Open();
                await WriteAsync(file.Temporary, content, token);
            });
            _folders[_root].Put([.. files.Select(f => Path.GetDirectoryName(f.Path)!).Distinct()], () =>
            {
                foreach (var file in files) MoveIntoPlace(file.Temporary, file.Path);
            });
        }
        catch (Exception e)
        {
            foreach (var file in files) File.Delete(file.Temporary);
            if (e is IOException io && DiskSpace.IsExhausted(io)) throw Full(io);
            throw;
        }
        return [.. files.Select(f => ToUri(f.Path))];
    }

    /// <inheritdoc/>
    public Task PutAsync(Uri uri, Stream content, CancellationToken ct)
    {
        var path = ToPath(uri, out var root);
        return PutAsync(root, path, content, ct);
    }

    private async Task PutAsync(string root, string path, Stream content, CancellationToken ct)
    {
        var temporary = NewTemporary(root);
        try
        {
            await WriteAsync(temporary, content, ct);
            _folders[root].Put(Path.GetDirectoryName(path)!, () => MoveIntoPlace(temporary, path));
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (e is IOException io && DiskSpace.IsExhausted(io)) throw Full(io);
            throw;
        }
    }

    private static string NewTemporary(string root) => Path.Join(root, Incoming, $"{Guid.NewGuid():N}.tmp");

    private static IngestionException Full(IOException e) => new(ErrorCodes.StorageFull, "There is no space left in the artifact store.", e);

    private static string Valid(string key) => ArtifactKeys.IsValid(key) ? key : throw new ArgumentException($"'{key}' is not a key of the artifact store.", nameof(key));

    /// <inheritdoc/>
    /// <remarks>Throws <see cref="InvalidOperationException"/> for an address that is not under a folder of this store.</remarks>
    public Task<Stream?> OpenAsync(Uri uri, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var path = ToPath(uri, out _);
        try
        {
            return Task.FromResult<Stream?>(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.Open,
                Access = FileAccess.Read,
                Share = FileShare.Read | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            }));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Task.FromResult<Stream?>(null);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Folders left empty go with the object. Throws as <see cref="OpenAsync"/> does.</remarks>
    public Task DeleteAsync(Uri uri, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var path = ToPath(uri, out var root);
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder, as was asked for.
            return Task.CompletedTask;
        }
        _folders[root].Remove(() => DirectorySync.Flush(RemoveEmpty(Path.GetDirectoryName(path)!, root)));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<(Uri Uri, long Length, DateTimeOffset Changed)> ListAsync(CancellationToken ct) =>
        _roots.Where(Directory.Exists)
            .SelectMany(root => Files(root, recurse: true))
            // A file that goes while it is listed has no time of change any more.
            .Where(f => f.Changed > DateTimeOffset.FromFileTime(0))
            .Select(f =>
            {
                ct.ThrowIfCancellationRequested();
                return (ToUri(f.Path), f.Length, f.Changed);
            })
            .ToAsyncEnumerable();

    /// <summary>Unfinished files that nobody has written to since <paramref name="before"/>: left by a crash, to be deleted by the sweep.</summary>
    public IEnumerable<string> StaleTemporaryFiles(DateTimeOffset before) =>
        _roots.Select(root => Path.Join(root, Incoming))
            .Where(Directory.Exists)
            .SelectMany(folder => Files(folder, recurse: false))
            .Where(f => f.Changed < before)
            .Select(f => f.Path);

    public void Dispose()
    {
        foreach (var folders in _folders.Values) folders.Dispose();
    }

    private async Task WriteAsync(string temporary, Stream content, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(temporary)!);
        await using var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            Options = FileOptions.Asynchronous,
        });
        await content.CopyToAsync(file, 128 * 1024, ct);
        FaultPoints.Reach(FaultPoints.BeforeFlush);
        file.Flush(flushToDisk: true);
    }

    private static void MoveIntoPlace(string temporary, string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.Move(temporary, path, overwrite: true);
                return;
            }
            catch (IOException e) when (attempt < MaxAttempts && File.Exists(temporary) && !DiskSpace.IsExhausted(e))
            {
                // A delete beside us has just removed one of the folders for being empty, which shows in several ways: make them again.
            }
        }
    }

    /// <summary>Removes folders from the bottom up while they are empty. Returns the one that stayed.</summary>
    private static string RemoveEmpty(string directory, string root)
    {
        for (var current = directory; current.Length > root.Length; current = Path.GetDirectoryName(current)!)
        {
            try
            {
                if (Directory.EnumerateFileSystemEntries(current).Any())
                    return current;
                Directory.Delete(current);
            }
            catch (DirectoryNotFoundException)
            {
                // Another delete was faster; the one above may still be ours to remove.
            }
            catch (IOException)
            {
                // Something was put into it between the look and the removal, so it stays. An empty folder would do no harm either,
                // and a disk that fails says so when this one is flushed.
                return current;
            }
        }
        return root;
    }

    private static IEnumerable<(string Path, long Length, DateTimeOffset Changed)> Files(string folder, bool recurse) =>
        new FileSystemEnumerable<(string, long, DateTimeOffset)>(
            folder,
            (ref FileSystemEntry entry) => (entry.ToFullPath(), entry.Length, entry.LastWriteTimeUtc),
            new EnumerationOptions { RecurseSubdirectories = recurse, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => entry.FileName is not Incoming,
        };

    /// <summary>Escaped by hand: a path as it is would lose what follows a <c>#</c> or <c>?</c>.</summary>
    private static Uri ToUri(string path) => new("file://" + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));

    private string ToPath(Uri uri, out string root)
    {
        if (Find(uri) is not { } found)
            throw new InvalidOperationException(
                $"The address is not under a folder of this store; see {ArtifactOptions.Section}:{nameof(ArtifactOptions.Folder)} and {nameof(ArtifactOptions.FormerFolders)}.");
        root = found.Root;
        return found.Path;
    }

    // Null for an address that is not under a folder of this store.
    private (string Root, string Path)? Find(Uri uri)
    {
        if (!uri.IsAbsoluteUri || !uri.IsFile || uri.Host.Length > 0)
            return null;
        var path = Path.GetFullPath(Uri.UnescapeDataString(uri.AbsolutePath));
        return Array.Find(_roots, r => path.StartsWith(r + Path.DirectorySeparatorChar, StringComparison.Ordinal)) is { } root && ArtifactKeys.IsValid(path[(root.Length + 1)..])
            ? (root, path)
            : null;
    }

    private static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}

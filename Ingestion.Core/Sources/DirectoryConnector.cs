using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Files of a directory on the server; a document's key is its path relative to the directory. Symbolic links are not followed, so there
/// are no loops. Only names are held while it is listed, a page of them at a time.
/// </summary>
public sealed class DirectoryConnector(SourceConnections connections, ServerFiles files) : ISourceConnector, IConnectionTest
{
    private const int PageSize = 500;
    private const int Deepest = 128;

    public string SourceType => SourceTypes.LocalDirectory;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var root = await RootAsync(input.TenantId, input.ConnectionId, ct);
        var options = spec.OptionsOf(SourceKinds.Require(input.SourceType == SourceTypes.FileCatalog ? SourceTypes.FileCatalog : SourceType));
        var wanted = Glob.Filter(options.Lines("include"), options.Lines("exclude"));
        var walk = new Walk(root, input.SourceType == SourceTypes.FileCatalog || options.Flag("recursive"), input.SourceType != SourceTypes.FileCatalog && options.Flag("hidden"));
        var page = new List<ListedItem>(PageSize);
        foreach (var file in walk.Files())
        {
            ct.ThrowIfCancellationRequested();
            if (!wanted(file.Key)) continue;
            page.Add(new(file.Key, 0, file.Key[(file.Key.LastIndexOf('/') + 1)..], spec.Metadata)
            {
                Size = file.Length, Fingerprint = string.Create(CultureInfo.InvariantCulture, $"{file.Length}:{file.Changed.UtcTicks}"),
            });
            if (page.Count < PageSize) continue;
            yield return new([.. page], file.Key);
            page.Clear();
        }
        yield return new(page, "") { Gap = walk.Unread.Count == 0 ? null : $"{walk.Unread.Count} directories could not be read, the first of them {walk.Unread[0]}." };
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var root = await RootAsync(item.TenantId, item.ConnectionId, ct);
        var (file, length, changed) = files.OpenRegular(ServerFiles.Below(root, item.SourceKey), target.MaxBytes);
        await using (file)
        {
            if (length == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
            var (bytes, sha256) = await LocalCopy.ToAsync(file, target, length, ct);
            return new(bytes, sha256, LastModified: changed);
        }
    }

    /// <summary>Opens one file of a connection's directory. Throws as fetching it does.</summary>
    internal async Task<FileStream> OpenAsync(string tenantId, string? connection, string key, long maxBytes, CancellationToken ct) =>
        files.OpenRegular(ServerFiles.Below(await RootAsync(tenantId, connection, ct), key), maxBytes).File;

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        var root = files.Resolve(connection.Settings.Text("path"));
        if (!Directory.Exists(root)) throw new IngestionException(ErrorCodes.MissingFile, "There is no directory at this path.");
        await Task.Run(() => Directory.EnumerateFileSystemEntries(root).Any(), ct);
    }

    private async Task<string> RootAsync(string tenantId, string? key, CancellationToken ct)
    {
        if (key is null) throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind Directory is configured.");
        var connection = await connections.OpenAsync(tenantId, key, ct);
        var root = files.Resolve(connection.Settings.Text("path"));
        return Directory.Exists(root) ? root : throw new IngestionException(ErrorCodes.MissingFile, "The directory is not there any more.");
    }

    /// <summary>Every file below a directory that a listing would name by default, with its size in bytes and the time of its last change. What cannot be read is left out.</summary>
    internal static IEnumerable<(string Key, long Length, DateTimeOffset Changed)> Files(string root) =>
        new Walk(root, recursive: true, hidden: false).Files().Select(f => (f.Key, f.Length, f.Changed));

    private readonly record struct Found(string Key, long Length, DateTimeOffset Changed);

    /// <summary>One walk through the directory, depth first; what could not be read is remembered.</summary>
    private sealed class Walk(string root, bool recursive, bool hidden)
    {
        public List<string> Unread { get; } = [];

        public IEnumerable<Found> Files()
        {
            var open = new Stack<(string Path, int Depth)>([(root, 0)]);
            while (open.TryPop(out var directory))
            {
                foreach (var entry in Entries(directory.Path))
                {
                    if (!entry.IsDirectory) yield return new(Path.GetRelativePath(root, entry.Path), entry.Length, entry.Changed);
                    else if (recursive && directory.Depth < Deepest) open.Push((entry.Path, directory.Depth + 1));
                    else if (recursive) Unread.Add(Path.GetRelativePath(root, entry.Path));
                }
            }
        }

        private IEnumerable<Entry> Entries(string directory)
        {
            IEnumerator<Entry> entries;
            try
            {
                // Replaced by a link since its name was read: it is not the directory that was found.
                if (!ServerFiles.IsReal(directory)) throw new IOException("it is a symbolic link");
                entries = new FileSystemEnumerable<Entry>(directory, Entry.Of, new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false })
                {
                    ShouldIncludePredicate = (ref FileSystemEntry e) => (e.Attributes & FileAttributes.ReparsePoint) == 0 && (hidden || !e.FileName.StartsWith(".")),
                }.GetEnumerator();
            }
            catch (Exception e) when (IsUnread(e))
            {
                Unread.Add(Path.GetRelativePath(root, directory));
                yield break;
            }
            using (entries)
                while (true)
                {
                    try
                    {
                        if (!entries.MoveNext()) yield break;
                    }
                    catch (Exception e) when (IsUnread(e))
                    {
                        Unread.Add(Path.GetRelativePath(root, directory));
                        yield break;
                    }
                    yield return entries.Current;
                }
        }

        private static bool IsUnread(Exception e) => e is IOException or UnauthorizedAccessException or IngestionException;
    }

    private readonly record struct Entry(string Path, bool IsDirectory, long Length, DateTimeOffset Changed)
    {
        public static Entry Of(ref FileSystemEntry e) => new(e.ToFullPath(), e.IsDirectory, e.IsDirectory ? 0 : e.Length, e.LastWriteTimeUtc);
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Microsoft.Win32.SafeHandles;

namespace Ingestion.Core.Sources;

/// <summary>
/// Files of this server, below the roots that the operator allows and nowhere else. A file is opened first and judged by its handle then:
/// what it really is, and where it really lies. Symbolic links, devices, pipes and sockets are never read.
/// </summary>
public sealed class ServerFiles(IOptionsMonitor<SourceOptions> options)
{
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;
    private const int NoSuchFile = 2;
    private const int NotPermitted = 13;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;
    private const int RegularFile = 0x8000;
    private const int TypeMask = 0xf000;

    private static readonly string[] NotFiles = ["/proc", "/sys", "/dev", "/run"];

    /// <summary>True for the file system's own root and for places that hold no files.</summary>
    internal static bool IsSystem(string path) => path == "/" || NotFiles.Any(s => path == s || path.StartsWith(s + "/", StringComparison.Ordinal));

    /// <summary>
    /// The real path of a directory or file that a connection names. Throws <c>access_denied</c> where it lies outside of the roots or
    /// cannot be read, <c>missing_file</c> where it is not there.
    /// </summary>
    public string Resolve(string path)
    {
        if (path.Contains('\0') || !Path.IsPathFullyQualified(path)) throw new IngestionException(ErrorCodes.InvalidOption, "The path must be absolute.");
        var roots = options.CurrentValue.Roots;
        if (roots.Length == 0) throw Outside("no directory of this server is opened: an operator lists them in Ingestion:Sources:Roots");
        var written = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        // What lies outside is not looked at, so that nobody learns what is there.
        if (!roots.Any(r => Lies(written, Path.TrimEndingDirectorySeparator(Path.GetFullPath(r))))) throw Outside("it lies outside of the directories in Ingestion:Sources:Roots");
        using var handle = Open(written);
        var real = PathOf(handle);
        if (IsSystem(real) || !roots.Any(r => Directory.Exists(r) && Lies(real, RealOf(r)))) throw Outside("it leads outside of the directories in Ingestion:Sources:Roots");
        return real;
    }

    /// <summary>Opens a regular file at exactly this real path. Throws <c>missing_file</c>, <c>access_denied</c> or <c>too_large</c>.</summary>
    /// <param name="path">As <see cref="Resolve"/> gave its beginning, without links in it.</param>
    /// <returns>The open file, its length in bytes and the time of its last change.</returns>
    public (FileStream File, long Length, DateTimeOffset Changed) OpenRegular(string path, long maxBytes)
    {
        var handle = Open(path);
        try
        {
            var stat = StatOf(handle);
            if ((stat.Mode & TypeMask) != RegularFile) throw Refused("it is no regular file");
            if (PathOf(handle) != path) throw Refused("a symbolic link is on the way to it");
            if (stat.Links > 1 && !options.CurrentValue.AllowHardLinks) throw Refused("it has several names (hard links), one of which may lie elsewhere");
            if (stat.Length > maxBytes) throw new IngestionException(ErrorCodes.TooLarge, $"The file has {stat.Length:N0} bytes; {maxBytes:N0} are allowed.");
            var file = new FileStream(handle, FileAccess.Read, 1 << 16);
            return (file, stat.Length, File.GetLastWriteTimeUtc(handle));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The path of a key below a directory. Throws <c>access_denied</c> where its text leads out of it; where it really lies shows when it is opened.</summary>
    public static string Below(string directory, string key)
    {
        var path = Path.Combine(directory, key);
        return key.Contains('\0') || Path.IsPathRooted(key) || Path.GetFullPath(path) != path ? throw Refused("its path leaves the directory") : path;
    }

    /// <summary>True where a directory is really at this path, and no link leads to it.</summary>
    public static bool IsReal(string directory)
    {
        using var handle = Open(directory);
        return PathOf(handle) == directory;
    }

    // Non-blocking: a pipe without a writer would keep us waiting for ever.
    private static SafeFileHandle Open(string path)
    {
        var descriptor = Open(Encoding.UTF8.GetBytes(path + "\0"), NonBlocking | CloseOnExec);
        if (descriptor >= 0) return new SafeFileHandle(descriptor, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        throw error switch
        {
            NoSuchFile when path.Contains('\uFFFD') => new IngestionException(ErrorCodes.MissingFile, "The name of the file is not valid UTF-8, so it cannot be opened. Rename it."),
            NoSuchFile => new IngestionException(ErrorCodes.MissingFile, "The file is not there (any more)."),
            NotPermitted => Refused("the program may not read it"),
            _ => Refused(Marshal.GetPInvokeErrorMessage(error)),
        };
    }

    private static string RealOf(string path)
    {
        using var handle = Open(path);
        return PathOf(handle);
    }

    private static string PathOf(SafeFileHandle handle) =>
        new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget ?? throw Refused("where it lies cannot be told");

    private static (int Mode, uint Links, long Length) StatOf(SafeFileHandle handle)
    {
        // The kernel's own layout, the same on every architecture: links at 16, mode at 28, size at 40.
        var buffer = new byte[256];
        if (Statx(handle.DangerousGetHandle().ToInt32(), [0], EmptyPath, BasicStats, buffer) != 0) throw Refused(Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        return (BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(28)), BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(16)), BinaryPrimitives.ReadInt64LittleEndian(buffer.AsSpan(40)));
    }

    private static bool Lies(string path, string root) => path == root || path.StartsWith(root.EndsWith('/') ? root : root + "/", StringComparison.Ordinal);

    private static IngestionException Outside(string why) => new(ErrorCodes.AccessDenied, $"The path is not allowed: {why}.");

    private static IngestionException Refused(string why) => new(ErrorCodes.AccessDenied, $"The file is not read: {why}.");

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int directory, byte[] path, int flags, uint mask, byte[] buffer);
}

namespace Ingestion.Tests.Support;

/// <summary>A directory of this test's own under the system's temporary one, gone with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private const string Memory = "/dev/shm";
    private const long Enough = 4L << 30;

    public TemporaryDirectory(string prefix = "ingestion-test-") : this(Directory.CreateTempSubdirectory(prefix))
    {
    }

    private TemporaryDirectory(DirectoryInfo directory) => Path = directory.FullName;

    /// <summary>One whose files are in memory where there is enough of it: making and removing thousands costs a disk's file system more than what is written in them.</summary>
    public static TemporaryDirectory InMemory(string prefix) => OperatingSystem.IsLinux() && Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > Enough
        ? new(Directory.CreateDirectory(System.IO.Path.Combine(Memory, prefix + Guid.NewGuid().ToString("N")[..12]), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute))
        : new(prefix);

    public string Path { get; }

    /// <summary>Lets other users pass through, so that a server of another user can live below.</summary>
    public TemporaryDirectory Traversable()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

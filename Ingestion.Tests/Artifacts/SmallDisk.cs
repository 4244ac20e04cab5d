using System.Diagnostics;
using Xunit;

namespace Ingestion.Tests.Artifacts;

/// <summary>A file system of one megabyte in memory, mounted on a folder of its own.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk()
    {
        Directory.CreateDirectory(Folder);
        if (!Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", Folder))
        {
            Directory.Delete(Folder);
            throw new InvalidOperationException("The small disk could not be mounted.");
        }
    }

    public string Folder { get; } = Path.Join(Path.GetTempPath(), $"disk-{Guid.NewGuid():N}");

    /// <summary>Whether this process may mount at all.</summary>
    public static bool IsPossible()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
            return false;
        try
        {
            using var disk = new SmallDisk();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Run("umount", "-l", Folder);
        Directory.Delete(Folder);
    }

    private static bool Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary>A test that needs a disk small enough to fill; skipped where none can be mounted.</summary>
public sealed class SmallDiskFactAttribute : FactAttribute
{
    private static readonly bool Possible = SmallDisk.IsPossible();

    public SmallDiskFactAttribute()
    {
        if (!Possible)
            Skip = "Mounting a small disk needs root on Linux.";
    }
}

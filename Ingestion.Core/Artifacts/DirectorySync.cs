using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ingestion.Core.Artifacts;

/// <summary>Flushes directories to disk: on Unix a renamed file survives a power cut only once its directory is flushed as well.</summary>
internal static class DirectorySync
{
    private const int NoSuchFile = 2;
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>
    /// Flushes one directory. Does nothing where it is gone (whoever removed it flushed the one above), and on Windows, whose file
    /// system journals names by itself.
    /// </summary>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;

        // .NET opens no directory as a file, so the handle comes from the system; all else is .NET's.
        var descriptor = Open(directory, OperatingSystem.IsLinux() ? ReadOnlyCloseOnExec : 0);
        if (descriptor < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == NoSuchFile)
                return;
            throw new IOException($"The directory {directory} cannot be flushed: {Marshal.GetPInvokeErrorMessage(error)}.", error);
        }
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(handle);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);
}

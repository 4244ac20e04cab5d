namespace Ingestion.Tests.Support;

/// <summary>A directory of this test's own under the system's temporary one, gone with it.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory(string prefix = "ingestion-test-") => Path = Directory.CreateTempSubdirectory(prefix).FullName;

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

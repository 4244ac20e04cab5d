namespace Ingestion.Core.Artifacts;

/// <summary>Tells "there is no room" from other failures of a disk.</summary>
public static class DiskSpace
{
    private const int Enospc = 28;
    private const int Edquot = 122;
    private const int WindowsHandleDiskFull = unchecked((int)0x80070027);
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>True for a full disk and for a used-up quota.</summary>
    public static bool IsExhausted(IOException exception) =>
        exception.HResult is Enospc or Edquot or WindowsHandleDiskFull or WindowsDiskFull;
}

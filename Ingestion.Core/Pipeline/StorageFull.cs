namespace Ingestion.Core.Pipeline;

/// <summary>Recognises a full disk among input and output errors.</summary>
public static class StorageFull
{
    // ENOSPC and EDQUOT of Linux, as .NET hands them on in the low half of HResult.
    private const int NoSpace = 28;
    private const int OverQuota = 122;

    public static bool Is(IOException e) => (e.HResult & 0xFFFF) is NoSpace or OverQuota;
}
